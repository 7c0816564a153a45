package io.emtal.tribuo;

import ai.onnx.proto.OnnxMl;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.TextFormat;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.util.Pair;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.predict.DensePredictor;
import io.emtal.onnx.predict.MeanNetwork;
import io.emtal.onnx.predict.Optimise;
import io.emtal.onnx.task.Task;
import io.emtal.tribuo.input.InputEncoder;
import io.emtal.tribuo.output.OutputCodec;
import io.emtal.tribuo.output.OutputTasks;
import io.emtal.tribuo.protos.EmtalModelProto;
import io.emtal.tribuo.protos.SignatureProto;
import org.tribuo.Example;
import org.tribuo.Excuse;
import org.tribuo.ImmutableFeatureMap;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.Model;
import org.tribuo.ONNXExportable;
import org.tribuo.Output;
import org.tribuo.Prediction;
import org.tribuo.impl.ModelDataCarrier;
import org.tribuo.interop.onnx.ONNXExternalModel;
import org.tribuo.protos.ProtoUtil;
import org.tribuo.protos.core.ModelDataProto;
import org.tribuo.protos.core.ModelProto;
import org.tribuo.provenance.ModelProvenance;
import org.tribuo.util.onnx.ONNXNode;
import org.tribuo.util.onnx.ONNXRef;

import java.io.BufferedOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.Serializable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;

/**
 * A dense ONNX network as a Tribuo model.
 *
 * <p>Thread-safe. The network's session is created by the first prediction and freed by {@link #close()}, or when the
 * model is garbage. A closed model predicts no more ({@link IllegalStateException}); it can still be written, exported
 * and copied.
 *
 * @param <T> the type of output
 */
public final class EmtalModel<T extends Output<T>> extends Model<T> implements ONNXExportable, AutoCloseable {

    private static final long serialVersionUID = 1L;

    /** The version of the protobuf that this class writes. */
    public static final int CURRENT_VERSION = 0;

    /** What each model is called in the provenance of their {@link #mean}, before its number, from 0. */
    public static final String NETWORK = "emtal-network-";

    /** The largest network that is written: a protobuf of Java ends at 2 GiB. */
    private static final int MAX_NETWORK_BYTES = 1_500_000_000;

    /** The most rows and input elements that are encoded before the network runs on them. */
    private static final int MAX_BATCH = 1024;
    private static final int MAX_BATCH_ELEMENTS = 1 << 22;

    private final transient InputEncoder inputs;
    private final transient OutputTasks<T> outputs;
    private final transient OutputCodec<T> codec;
    private final transient DensePredictor predictor;
    private final transient TrainingReport training;

    EmtalModel(String name, ModelProvenance provenance, ImmutableFeatureMap featureMap, ImmutableOutputInfo<T> domain,
               InputEncoder inputs, OutputTasks<T> outputs, ByteString network, TrainingReport training) {
        super(name, provenance, featureMap, domain, outputs.codec(domain).probabilities());
        this.inputs = inputs;
        this.outputs = outputs;
        this.codec = outputs.codec(domain);
        this.predictor = new DensePredictor(network, 1);
        this.training = training;
        EmtalException.check(predictor.inputWidth() == inputs.layout().width()
                        && predictor.outputWidth() == codec.columns(),
                "network: found %d inputs and %d outputs, allowed are %d and %d", predictor.inputWidth(),
                predictor.outputWidth(), inputs.layout().width(), codec.columns());
    }

    /**
     * How the network came about: tasks, history, parameters, expert load, agreement of dense and training graph.
     *
     * @return the report
     */
    public TrainingReport training() {
        return training;
    }

    @Override
    public Prediction<T> predict(Example<T> example) {
        float[] row = new float[predictor.inputWidth()];
        int used = inputs.encode("example", example, row, 0);
        return codec.prediction(predictor.predict(row, 1), 0, used, example);
    }

    @Override
    protected List<Prediction<T>> innerPredict(Iterable<Example<T>> examples) {
        int width = predictor.inputWidth();
        int batch = Math.max(1, Math.min(MAX_BATCH, MAX_BATCH_ELEMENTS / width));
        List<Prediction<T>> predictions = new ArrayList<>();
        List<Example<T>> waiting = new ArrayList<>();
        int[] used = new int[batch];
        float[] rows = new float[0];
        for (Example<T> example : examples) {
            if (rows.length < (waiting.size() + 1) * width) {
                rows = Arrays.copyOf(rows, Math.min(batch, Math.max(8, waiting.size() * 2)) * width);
            }
            used[waiting.size()] = inputs.encode("row " + (predictions.size() + waiting.size()), example, rows,
                    waiting.size() * width);
            waiting.add(example);
            if (waiting.size() == batch) {
                predict(waiting, used, rows, predictions);
            }
        }
        predict(waiting, used, rows, predictions);
        return predictions;
    }

    private void predict(List<Example<T>> waiting, int[] used, float[] rows, List<Prediction<T>> predictions) {
        float[] columns = predictor.predict(rows, waiting.size());
        for (int i = 0; i < waiting.size(); i++) {
            predictions.add(codec.prediction(columns, i * codec.columns(), used[i], waiting.get(i)));
        }
        waiting.clear();
    }

    /** {@inheritDoc} Always empty: a transformer has no weights of single features. */
    @Override
    public Map<String, List<Pair<String, Double>>> getTopFeatures(int n) {
        return Map.of();
    }

    /** {@inheritDoc} Always empty. */
    @Override
    public Optional<Excuse<T>> getExcuse(Example<T> example) {
        return Optional.empty();
    }

    /**
     * The same model under another name and with another provenance; Tribuo's {@code StripProvenance} calls this by
     * reflection. The network's bytes hold no provenance: exports take the model's.
     *
     * @param newName the name
     * @param newProvenance the provenance
     * @return a model of its own, to be closed on its own
     */
    @Override
    public EmtalModel<T> copy(String newName, ModelProvenance newProvenance) {
        return new EmtalModel<>(newName, newProvenance, featureIDMap, outputIDInfo, inputs, outputs,
                predictor.model(), training);
    }

    /**
     * Puts models side by side in one network that predicts the mean of their probabilities and numbers. It takes as
     * much memory and time as all of them together.
     *
     * @param models models of the same inputs and outputs, such as trainings with different seeds
     * @param <T> the type of output
     * @return a model of its own with the first one's name and, but for the facts of the network, provenance, which has
     *     each model's under {@value #NETWORK} and its number. The report is of the first one's training, with all
     *     parameters, the largest disagreement, and the mean of the held-out errors, each on a model's own rows, if all
     *     have some
     * @throws EmtalException if there is no model, one has other inputs or outputs than the first, or the network would
     *     be too large
     */
    public static <T extends Output<T>> EmtalModel<T> mean(List<EmtalModel<T>> models) {
        EmtalException.check(!models.isEmpty(), "mean: found no model, at least one is needed");
        EmtalModel<T> first = models.get(0);
        for (EmtalModel<T> model : models) {
            first.difference(model).ifPresent(what -> {
                throw new EmtalException("mean: found models '" + first.name + "' and '" + model.name + "' with different "
                        + what + ", allowed are the same");
            });
        }
        long size = models.stream().mapToLong(model -> model.predictor.model().size()).sum();
        EmtalException.check(size <= MAX_NETWORK_BYTES, "mean: found %d networks of %d bytes together, allowed are %d",
                models.size(), size, MAX_NETWORK_BYTES);
        TrainingReport report = TrainingReport.mean(models.stream().map(EmtalModel::training).toList());
        ByteString network = MeanNetwork.of(models.stream().map(EmtalModel::network).toList()).toByteString();
        ModelProvenance found = first.getProvenance();
        Map<String, Provenance> run = new HashMap<>();
        found.getInstanceProvenance().iterator().forEachRemaining(fact -> run.put(fact.getA(), fact.getB()));
        run.keySet().removeIf(fact -> fact.startsWith(NETWORK));
        // OLCUT cannot write a list of objects here.
        for (int i = 0; i < models.size(); i++) {
            run.put(NETWORK + i, models.get(i).getProvenance());
        }
        return new EmtalModel<>(first.name, new ModelProvenance(found.getClassName(), found.getTrainingTime(),
                found.getDatasetProvenance(), found.getTrainerProvenance(), RunFacts.of(run, report, network)),
                first.featureIDMap, first.outputIDInfo, first.inputs, first.outputs, network, report);
    }

    /**
     * What keeps this model and another one from having a {@link #mean}, but for its size.
     *
     * @param other another model
     * @return what of them differs, such as {@code features}; empty if nothing does that matters
     */
    public Optional<String> difference(EmtalModel<T> other) {
        Map<String, Object> theirs = other.interchange();
        return interchange().entrySet().stream().filter(own -> !own.getValue().equals(theirs.get(own.getKey())))
                .map(Map.Entry::getKey).findFirst();
    }

    /** How examples become rows, and columns predictions. */
    private SortedMap<String, Object> interchange() {
        EmtalModelProto.Builder preprocessing = EmtalModelProto.newBuilder();
        inputs.serialize(preprocessing);
        Map<String, Integer> columns = new TreeMap<>();
        for (int id = 0; id < outputIDInfo.size(); id++) {
            columns.put(codec.name(id), codec.column(id));
        }
        return new TreeMap<>(Map.of("features", featureIDMap.keySet(), "inputs", preprocessing.build(),
                "output tasks", outputs.serialize(), "outputs", columns,
                "tasks", training.tasks().tasks().stream().map(Task::name).toList()));
    }

    /** Frees the session as soon as no prediction runs. Closing twice is no error. */
    @Override
    public void close() {
        predictor.close();
    }

    @Override
    public ModelProto serialize() {
        EmtalException.check(predictor.model().size() <= MAX_NETWORK_BYTES,
                "model '%s': found a network of %d bytes, allowed are %d in a protobuf; export it as ONNX instead",
                name, predictor.model().size(), MAX_NETWORK_BYTES);
        EmtalModelProto.Builder proto = EmtalModelProto.newBuilder()
                .setMetadata(Any.pack(createDataCarrier().serialize()))
                .setOnnx(predictor.model())
                .setOutputs(outputs.serialize())
                .setTraining(training.serialize());
        inputs.serialize(proto);
        return ModelProto.newBuilder().setVersion(CURRENT_VERSION).setClassName(EmtalModel.class.getName())
                .setSerializedData(Any.pack(proto.build())).build();
    }

    /**
     * Reads what {@link #serialize()} wrote.
     *
     * @param version the version of the protobuf
     * @param className this class's name
     * @param message the protobuf
     * @return the model
     * @throws InvalidProtocolBufferException if the message is no model of this class
     */
    public static EmtalModel<?> deserializeFromProto(int version, String className, Any message)
            throws InvalidProtocolBufferException {
        Versions.check(EmtalModel.class, version, CURRENT_VERSION);
        EmtalModelProto proto = message.unpack(EmtalModelProto.class);
        OutputTasks<?> outputs = ProtoUtil.deserialize(proto.getOutputs());
        ModelDataProto metadata = proto.getMetadata().unpack(ModelDataProto.class);
        return deserialize(ModelDataCarrier.deserialize(metadata), outputs, proto);
    }

    private static <T extends Output<T>> EmtalModel<T> deserialize(ModelDataCarrier<?> carrier, OutputTasks<T> outputs,
                                                                   EmtalModelProto proto) {
        Class<T> type = outputs.factory().getTypeWitness();
        Output<?> found = carrier.outputDomain().getOutput(0);
        EmtalException.check(type.isInstance(found), "model '%s': found outputs of %s, allowed are those of %s",
                carrier.name(), found == null ? "no type" : found.getClass().getName(), type.getName());
        @SuppressWarnings("unchecked") // its outputs are of the type
        ImmutableOutputInfo<T> domain = (ImmutableOutputInfo<T>) carrier.outputDomain();
        return new EmtalModel<>(carrier.name(), carrier.provenance(), carrier.featureDomain(), domain,
                Inputs.of(carrier.featureDomain(), proto), outputs, proto.getOnnx(),
                TrainingReport.deserialize(proto.getTraining()));
    }

    /** Java serialisation, which some of Tribuo's tools still use, goes by way of the protobuf. */
    private Object writeReplace() {
        return new Serialized(serialize().toByteArray());
    }

    /** @param proto what {@link #serialize()} wrote */
    private record Serialized(byte[] proto) implements Serializable {

        private static final long serialVersionUID = 1L;

        private Object readResolve() {
            try {
                return Model.deserialize(ModelProto.parseFrom(proto));
            } catch (InvalidProtocolBufferException e) {
                throw new EmtalException("model: found bytes that are no protobuf of a model", e);
            }
        }
    }

    /**
     * Exports the network with its provenance. A network of features gets Tribuo's signature: {@code input} [batch, F],
     * the features in the order of their ids, not-a-number where one is missing; {@code output} [batch, C], the outputs
     * in the order of their ids. One of images stays as it is; the metadata name its columns.
     */
    @Override
    public OnnxMl.ModelProto exportONNXModel(String domain, long modelVersion) {
        return exportONNXModel(domain, modelVersion, Optimise.PORTABLE);
    }

    /**
     * Exports the network in a form, with the signature, metadata and provenance of
     * {@link #exportONNXModel(String, long)}.
     *
     * @param domain the domain of the model, a reversed domain name
     * @param modelVersion the version of the model
     * @param form how the network is written
     * @return a network that predicts the same
     * @throws EmtalException if the network cannot be written in that form, naming what of it
     */
    public OnnxMl.ModelProto exportONNXModel(String domain, long modelVersion, Optimise form) {
        OnnxMl.ModelProto network = form.apply(network());
        SignatureProto.Builder signature = SignatureProto.newBuilder()
                .setOutputType(outputs.factory().getTypeWitness().getName()).setTasks(outputs.serialize());
        OnnxMl.GraphProto graph = inputs.featureIds()
                .map(ids -> withTribuoSignature(network.getGraph(), ids, signature))
                .orElseGet(() -> withOwnSignature(network.getGraph(), signature));
        // An imported backbone may be an export itself: what it says of itself by these keys is replaced.
        Map<String, String> metadata = new LinkedHashMap<>();
        network.getMetadataPropsList().forEach(entry -> metadata.put(entry.getKey(), entry.getValue()));
        metadata.putAll(new TreeMap<>(inputs.metadata()));
        metadata.put(PROVENANCE_METADATA_FIELD, serializeProvenance(provenance));
        metadata.put(TribuoSignature.METADATA, TextFormat.printer().printToString(signature));
        return network.toBuilder().setGraph(graph).setDomain(domain).setModelVersion(modelVersion)
                .setDocString(toString()).clearMetadataProps()
                .addAllMetadataProps(metadata.entrySet().stream().map(EmtalModel::metadata).toList())
                .build();
    }

    /**
     * Writes what {@link #exportONNXModel(String, long, Optimise)} gives into a file.
     *
     * @param domain the domain of the model, a reversed domain name
     * @param modelVersion the version of the model
     * @param file the file; one that is there is overwritten
     * @param form how the network is written
     * @throws EmtalException if the network cannot be written in that form, naming what of it; no file is written then
     * @throws IOException if the file cannot be written
     */
    public void saveONNXModel(String domain, long modelVersion, Path file, Optimise form) throws IOException {
        OnnxMl.ModelProto model = exportONNXModel(domain, modelVersion, form);
        try (OutputStream out = new BufferedOutputStream(Files.newOutputStream(file))) {
            model.writeTo(out);
        }
    }

    private OnnxMl.ModelProto network() {
        try {
            return OnnxMl.ModelProto.parseFrom(predictor.model());
        } catch (InvalidProtocolBufferException e) {
            throw new IllegalStateException("a network that was read before", e);
        }
    }

    private OnnxMl.GraphProto withTribuoSignature(OnnxMl.GraphProto graph, int[] featureIds,
                                                  SignatureProto.Builder signature) {
        for (int id = 0; id < featureIDMap.size(); id++) {
            signature.addFeature(featureIDMap.get(id).getName());
        }
        int[] columns = new int[outputIDInfo.size()];
        for (int id = 0; id < columns.length; id++) {
            columns[id] = codec.column(id);
            signature.addOutput(codec.name(id));
        }
        return TribuoSignature.write(graph, featureIDMap.size(), featureIds, columns).build();
    }

    private OnnxMl.GraphProto withOwnSignature(OnnxMl.GraphProto graph, SignatureProto.Builder signature) {
        String[] names = new String[codec.columns()];
        for (int id = 0; id < names.length; id++) {
            names[codec.column(id)] = codec.name(id);
        }
        signature.addAllOutput(List.of(names));
        return graph;
    }

    private static OnnxMl.StringStringEntryProto metadata(Map.Entry<String, String> entry) {
        return OnnxMl.StringStringEntryProto.newBuilder().setKey(entry.getKey()).setValue(entry.getValue()).build();
    }

    /**
     * Not supported: Tribuo's graphs are of opset 13, this one is of a later.
     *
     * @throws UnsupportedOperationException always
     */
    @Override
    public ONNXNode writeONNXGraph(ONNXRef<?> input) {
        throw new UnsupportedOperationException("EmtalModel: found a graph of Tribuo's opset 13 to write into, allowed"
                + " is exportONNXModel, which makes a graph of its own");
    }

    /**
     * Loads an exported network as one of Tribuo's external models, which need this library no more than to feed
     * missing features and, where Tribuo has no such outputs, to read outputs as the model does.
     *
     * @param file what {@link #saveONNXModel} wrote
     * @param type the type of output
     * @param <T> the type of output
     * @return a model that predicts the same
     * @throws EmtalException if the file holds no such network, one of images, or one of other outputs
     * @throws IOException if it cannot be read
     */
    public static <T extends Output<T>> ONNXExternalModel<T> loadONNX(Path file, Class<T> type) throws IOException {
        SignatureProto signature;
        try {
            signature = TribuoSignature.read(OnnxMl.ModelProto.parseFrom(Files.readAllBytes(file)));
        } catch (InvalidProtocolBufferException e) {
            throw new EmtalException(file + ": found bytes that are no ONNX model", e);
        }
        EmtalException.check(signature.getOutputType().equals(type.getName()), "%s: found outputs of %s, allowed is %s",
                file, signature.getOutputType(), type.getName());
        EmtalException.check(signature.getFeatureCount() > 0, "%s: found a network of images, allowed are networks of"
                + " features; Tribuo's external models decode no images", file);
        OutputTasks<T> outputs = tasks(file, signature, type);
        Map<String, Integer> features = new HashMap<>();
        signature.getFeatureList().forEach(feature -> features.put(feature, features.size()));
        Map<T, Integer> domain = new HashMap<>();
        signature.getOutputList().forEach(output -> domain.put(outputs.output(output), domain.size()));
        try {
            OrtSession.SessionOptions options = new OrtSession.SessionOptions();
            options.setIntraOpNumThreads(1);
            return ONNXExternalModel.createOnnxModel(outputs.factory(), features, domain, new MissingAwareTransformer(),
                    outputs.transformer(), options, file, TribuoSignature.INPUT);
        } catch (OrtException e) {
            throw new EmtalException(file + ": ONNX Runtime refuses the network: " + e.getMessage(), e);
        }
    }

    private static <T extends Output<T>> OutputTasks<T> tasks(Path file, SignatureProto signature, Class<T> type) {
        EmtalException.check(signature.hasTasks(), "%s: found a signature without output tasks, allowed are those of"
                + " networks that this version exports; export the network anew", file);
        OutputTasks<?> found;
        try {
            found = ProtoUtil.deserialize(signature.getTasks());
        } catch (IllegalStateException | ClassCastException e) {
            throw new EmtalException(file + ": found output tasks that cannot be read: " + e.getMessage(), e);
        }
        Class<?> foundType = found.factory().getTypeWitness();
        EmtalException.check(foundType.equals(type), "%s: found output tasks of %s, allowed are those of %s", file,
                foundType.getName(), type.getName());
        @SuppressWarnings("unchecked") // its type witness is the class of T
        OutputTasks<T> tasks = (OutputTasks<T>) found;
        return tasks;
    }
}

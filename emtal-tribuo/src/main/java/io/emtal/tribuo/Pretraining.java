package io.emtal.tribuo;

import ai.onnxruntime.OrtEnvironment;
import com.google.protobuf.ByteString;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import io.emtal.onnx.adapt.AdaptationMethod;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.ImportedModel;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.train.Checkpoints;
import io.emtal.onnx.train.EpochRecord;
import io.emtal.onnx.train.Learner;
import io.emtal.onnx.train.PretrainedNetwork;
import io.emtal.onnx.train.Recipe;
import io.emtal.onnx.train.TrainedNetwork;
import io.emtal.onnx.train.TrainingListener;
import io.emtal.tribuo.input.InputEncoder;
import io.emtal.tribuo.output.OutputTasks;
import org.tribuo.ImmutableFeatureMap;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.Output;
import org.tribuo.provenance.DatasetProvenance;
import org.tribuo.provenance.ModelProvenance;
import org.tribuo.provenance.TrainerProvenance;

import java.time.OffsetDateTime;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.logging.Logger;

/**
 * The part of a training that does not depend on the adaptation method, made by {@link EmtalTrainer#pretrain}. Several
 * methods can adapt the same: a dense training of a fresh backbone is done once for all of them. Where trainings are
 * saved on their way, each method has a directory of its own. Thread-safe, but not to be closed while a method adapts.
 *
 * @param <T> the type of output
 */
public final class Pretraining<T extends Output<T>> implements AutoCloseable {

    private static final Logger LOGGER = Logger.getLogger(Pretraining.class.getName());

    private final Function<AdaptationMethod, TrainerProvenance> trainer;
    private final Recipe recipe;
    private final Optional<Checkpoints> checkpoints;
    private final TrainingListener listener;
    private final Data<T> data;
    private final Backbone start;
    private final PretrainedNetwork network;
    private final Examples rows;

    /** What a model keeps of the training examples. */
    record Data<T extends Output<T>>(DatasetProvenance provenance, ImmutableFeatureMap featureMap,
                                     ImmutableOutputInfo<T> domain, InputEncoder inputs, OutputTasks<T> outputs,
                                     int rowsWithoutLabel) {
    }

    Pretraining(Function<AdaptationMethod, TrainerProvenance> trainer, Recipe recipe, Optional<Checkpoints> checkpoints,
                TrainingListener listener, Data<T> data, Backbone start, PretrainedNetwork network, Examples rows) {
        this.trainer = trainer;
        this.recipe = recipe;
        this.checkpoints = checkpoints;
        this.listener = listener;
        this.data = data;
        this.start = start;
        this.network = network;
        this.rows = rows;
    }

    /**
     * The dense training of a fresh backbone.
     *
     * @return one record an epoch; none where the backbone was pre-trained already
     */
    public List<EpochRecord> history() {
        return network.history();
    }

    /**
     * Adapts the backbone.
     *
     * @param method how
     * @return the model that the trainer, had it this method, would have trained, with its provenance
     * @throws io.emtal.onnx.EmtalException if that fails
     */
    public EmtalModel<T> adapt(AdaptationMethod method) {
        return adapt(method, Map.of());
    }

    /**
     * Adapts the backbone.
     *
     * @param method how
     * @param runProvenance goes into the model's provenance
     * @return the model that the trainer, had it this method, would have trained, with its provenance
     * @throws io.emtal.onnx.EmtalException if that fails
     */
    public EmtalModel<T> adapt(AdaptationMethod method, Map<String, Provenance> runProvenance) {
        Optional<Checkpoints> own = checkpoints.map(c -> c.below("method-" + hash(method)));
        TrainedNetwork trained = new Learner(method, recipe, own).adapt(network, listener);
        trained.stop().ifPresent(stop -> LOGGER.warning("The training was interrupted in phase " + stop
                + "; the model is the best so far."));
        TrainingReport report = TrainingReport.of(trained, data.rowsWithoutLabel);
        ByteString model = trained.model().toByteString();
        Map<String, Provenance> run = RunFacts.of(runProvenance, report, recipe.workers(),
                start.imported().map(ImportedModel::original)
                        .orElseGet(() -> OnnxFile.toModel(start.graph(), "backbone")).toByteString(), model,
                OrtEnvironment.getEnvironment().getVersion());
        return new EmtalModel<>("emtal-model", new ModelProvenance(EmtalModel.class.getName(), OffsetDateTime.now(),
                data.provenance, trainer.apply(method), run), data.featureMap, data.domain, data.inputs, data.outputs,
                model, report);
    }

    /** Tells methods apart. Should two have the same after all, the checkpoints themselves say whose they are. */
    private static String hash(AdaptationMethod method) {
        return HexFormat.of().toHexDigits(method.getProvenance().toString().hashCode());
    }

    /** Frees the examples' rows. */
    @Override
    public void close() {
        rows.close();
    }
}

package io.emtal.tribuo.output;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;
import io.emtal.tribuo.Versions;
import io.emtal.tribuo.protos.LabelTasksProto;
import io.emtal.tribuo.protos.OutputTasksProto;
import org.tribuo.Example;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.OutputFactory;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.interop.onnx.LabelTransformer;
import org.tribuo.interop.onnx.OutputTransformer;
import org.tribuo.protos.ProtoSerializableClass;
import org.tribuo.protos.ProtoSerializableField;
import org.tribuo.protos.ProtoUtil;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/** One categorical task over the {@link Label}s of the domain. */
@ProtoSerializableClass(version = LabelTasks.CURRENT_VERSION, serializedDataClass = LabelTasksProto.class)
public final class LabelTasks implements OutputTasks<Label> {

    /** The version of the protobuf that this class writes. */
    public static final int CURRENT_VERSION = 0;

    /** The name of the only task. */
    public static final String TASK = "label";

    @Config(description = "Whether training examples may all have the same label, so that a constant is learnt.")
    @ProtoSerializableField
    private boolean constantTasks;

    /** The tasks with their defaults. */
    public LabelTasks() {
    }

    /**
     * The tasks.
     *
     * @param constantTasks whether training examples may all have the same label, so that a constant is learnt
     */
    public LabelTasks(boolean constantTasks) {
        this.constantTasks = constantTasks;
    }

    /**
     * Reads what {@link #serialize()} wrote.
     *
     * @param version the version of the protobuf
     * @param className this class's name
     * @param message the protobuf
     * @return the tasks
     * @throws InvalidProtocolBufferException if the message is none of this class
     */
    public static LabelTasks deserializeFromProto(int version, String className, Any message)
            throws InvalidProtocolBufferException {
        Versions.check(LabelTasks.class, version, CURRENT_VERSION);
        return new LabelTasks(message.unpack(LabelTasksProto.class).getConstantTasks());
    }

    @Override
    public OutputTasksProto serialize() {
        return ProtoUtil.serialize(this);
    }

    @Override
    public OutputFactory<Label> factory() {
        return new LabelFactory();
    }

    @Override
    public Label output(String name) {
        return new Label(name);
    }

    @Override
    public OutputTransformer<Label> transformer() {
        return new LabelTransformer();
    }

    @Override
    public OutputTasks<Label> withConstantTasks() {
        return new LabelTasks(true);
    }

    @Override
    public OutputCodec<Label> codec(ImmutableOutputInfo<Label> domain) {
        return new Codec(domain, IntStream.range(0, domain.size()).mapToObj(id -> domain.getOutput(id).getLabel())
                .toArray(String[]::new), constantTasks);
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "OutputTasks");
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof LabelTasks that && constantTasks == that.constantTasks;
    }

    @Override
    public int hashCode() {
        return Boolean.hashCode(constantTasks);
    }

    @Override
    public String toString() {
        return "LabelTasks(constantTasks=" + constantTasks + ")";
    }

    private record Codec(ImmutableOutputInfo<Label> domain, String[] names, boolean constantTasks)
            implements OutputCodec<Label> {

        @Override
        public int columns() {
            return names.length;
        }

        @Override
        public int column(int id) {
            return id;
        }

        @Override
        public String name(int id) {
            return names[id];
        }

        @Override
        public boolean probabilities() {
            return true;
        }

        @Override
        public EncodedOutputs encode(List<Example<Label>> training) {
            // A softmax over one class has nothing to learn: a domain of one label is a sigmoid that is always on.
            boolean single = names.length == 1;
            Task task = single ? new BinaryTask(TASK) : new CategoricalTask(TASK, names.length);
            float[] labels = new float[training.size()];
            for (int row = 0; row < labels.length; row++) {
                Label output = training.get(row).getOutput();
                int id = domain.getID(output);
                if (id < 0) {
                    throw new EmtalException("row " + row + ": found the unknown output '" + output.getLabel()
                            + "', allowed are " + Arrays.toString(names));
                }
                labels[row] = single ? 1 : id;
            }
            List<String> values = single ? List.of("no " + names[0], names[0]) : List.of(names);
            return EncodedOutputs.of(new TaskLayout(List.of(task)), labels, List.of(values), constantTasks);
        }

        @Override
        public Prediction<Label> prediction(float[] columns, int offset, int usedFeatures, Example<Label> example) {
            Map<String, Label> scores = new LinkedHashMap<>();
            Label best = null;
            for (int id = 0; id < names.length; id++) {
                Label scored = new Label(names[id], OutputColumns.finite(names[id], columns[offset + id]));
                scores.put(names[id], scored);
                if (best == null || scored.getScore() > best.getScore()) {
                    best = scored;
                }
            }
            return new Prediction<>(best, scores, usedFeatures, example, true);
        }
    }
}

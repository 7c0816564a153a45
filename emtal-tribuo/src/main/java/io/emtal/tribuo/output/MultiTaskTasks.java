package io.emtal.tribuo.output;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;
import io.emtal.tribuo.Versions;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskFactory;
import io.emtal.tribuo.multitask.TaskKind;
import io.emtal.tribuo.multitask.TaskValue;
import io.emtal.tribuo.protos.MultiTaskTasksProto;
import io.emtal.tribuo.protos.OutputTasksProto;
import org.tribuo.Example;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.OutputFactory;
import org.tribuo.Prediction;
import org.tribuo.interop.onnx.OutputTransformer;
import org.tribuo.protos.ProtoSerializableClass;
import org.tribuo.protos.ProtoSerializableField;
import org.tribuo.protos.ProtoUtil;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * The tasks of a {@link MultiTask} as they are: a softmax for each categorical task, a sigmoid for each binary one, and
 * a number, standardised with the training examples' statistics, for each real one. A task that an example lacks is a
 * missing label.
 *
 * <p>A prediction has a value for every task of the domain. Its score map has an entry for every column, by the text of
 * the domain's element: the probability of each class, the probability that a binary task is true, and the number of a
 * real task.
 */
@ProtoSerializableClass(version = MultiTaskTasks.CURRENT_VERSION, serializedDataClass = MultiTaskTasksProto.class)
public final class MultiTaskTasks implements OutputTasks<MultiTask> {

    /** The version of the protobuf that this class writes. */
    public static final int CURRENT_VERSION = 0;

    @Config(description = "Whether training examples may all agree in a task, so that a constant is learnt.")
    @ProtoSerializableField
    private boolean constantTasks;

    /** The tasks with their defaults. */
    public MultiTaskTasks() {
    }

    /**
     * The tasks.
     *
     * @param constantTasks whether training examples may all agree in a categorical or binary task, so that a constant
     *     is learnt; those of a real task always may
     */
    public MultiTaskTasks(boolean constantTasks) {
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
    public static MultiTaskTasks deserializeFromProto(int version, String className, Any message)
            throws InvalidProtocolBufferException {
        Versions.check(MultiTaskTasks.class, version, CURRENT_VERSION);
        return new MultiTaskTasks(message.unpack(MultiTaskTasksProto.class).getConstantTasks());
    }

    @Override
    public OutputTasksProto serialize() {
        return ProtoUtil.serialize(this);
    }

    @Override
    public OutputFactory<MultiTask> factory() {
        return new MultiTaskFactory();
    }

    @Override
    public MultiTask output(String name) {
        return MultiTask.parse(name);
    }

    @Override
    public OutputTransformer<MultiTask> transformer() {
        return new MultiTaskTransformer();
    }

    @Override
    public OutputTasks<MultiTask> withConstantTasks() {
        return new MultiTaskTasks(true);
    }

    @Override
    public OutputCodec<MultiTask> codec(ImmutableOutputInfo<MultiTask> domain) {
        return new Codec(new MultiTaskColumns(domain), constantTasks);
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "OutputTasks");
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MultiTaskTasks that && constantTasks == that.constantTasks;
    }

    @Override
    public int hashCode() {
        return Boolean.hashCode(constantTasks);
    }

    @Override
    public String toString() {
        return "MultiTaskTasks(constantTasks=" + constantTasks + ")";
    }

    private static final class Codec implements OutputCodec<MultiTask> {

        private final MultiTaskColumns columns;
        private final int[] columnOf;
        private final boolean constantTasks;
        private final Map<String, Integer> groupOf = new HashMap<>();

        private Codec(MultiTaskColumns columns, boolean constantTasks) {
            this.columns = columns;
            this.columnOf = columns.adjacentColumns();
            this.constantTasks = constantTasks;
            columns.groups().forEach(group -> groupOf.put(group.task(), groupOf.size()));
        }

        @Override
        public int columns() {
            return columns.size();
        }

        @Override
        public int column(int id) {
            return columnOf[id];
        }

        @Override
        public String name(int id) {
            return columns.name(id);
        }

        @Override
        public boolean probabilities() {
            return true;
        }

        @Override
        public EncodedOutputs encode(List<Example<MultiTask>> training) {
            List<MultiTaskColumns.Group> groups = columns.groups();
            float[] labels = new float[EncodedOutputs.labels(training.size(), groups.size())];
            double[][] values = new double[groups.size()][training.size()];
            for (double[] ofTask : values) {
                Arrays.fill(ofTask, Double.NaN);
            }
            for (int row = 0; row < training.size(); row++) {
                MultiTask output = training.get(row).getOutput();
                EmtalException.check(output != MultiTaskFactory.UNKNOWN_MULTITASK, "row %d: found the unknown output,"
                        + " allowed are values of the tasks", row);
                for (TaskValue value : output.values()) {
                    int t = group(row, value);
                    values[t][row] = number(row, groups.get(t), value);
                }
            }
            List<Task> tasks = new ArrayList<>();
            for (int t = 0; t < groups.size(); t++) {
                Task task = task(groups.get(t), values[t]);
                tasks.add(task);
                for (int row = 0; row < training.size(); row++) {
                    labels[row * groups.size() + t] = task instanceof RealTask real ? real.standardise(values[t][row])
                            : (float) values[t][row];
                }
            }
            return EncodedOutputs.of(new TaskLayout(tasks), labels, groups.stream().map(Codec::meanings).toList(),
                    constantTasks);
        }

        private int group(int row, TaskValue value) {
            Integer t = groupOf.get(value.task());
            if (t == null) {
                throw new EmtalException("row " + row + ": found the unknown task " + Quoted.of(value.task())
                        + ", allowed are " + quoted(columns.groups().stream().map(MultiTaskColumns.Group::task)));
            }
            TaskKind kind = columns.groups().get(t).kind();
            if (kind != value.kind()) {
                throw new EmtalException("row " + row + ", task " + Quoted.of(value.task()) + ": found a value of kind "
                        + value.kind() + ", allowed is " + kind);
            }
            return t;
        }

        /** A class's index among those of its task, 0 or 1 of a binary task, or the number of a real one. */
        private static double number(int row, MultiTaskColumns.Group group, TaskValue value) {
            if (value instanceof TaskValue.Real real) {
                if (!Float.isFinite((float) real.value())) {
                    throw new EmtalException("row " + row + ", task " + Quoted.of(value.task()) + ": found target "
                            + real.value() + ", allowed is a finite single-precision number");
                }
                return real.value();
            } else if (value instanceof TaskValue.Binary binary) {
                return binary.value() ? 1 : 0;
            }
            String found = ((TaskValue.Category) value).value();
            Integer at = group.classes().get(found);
            if (at == null) {
                throw new EmtalException("row " + row + ", task " + Quoted.of(value.task())
                        + ": found the unknown class " + Quoted.of(found) + ", allowed are "
                        + quoted(group.classes().keySet().stream()));
            }
            return single(group) ? 1 : at;
        }

        private static List<String> quoted(Stream<String> names) {
            return names.map(Quoted::of).toList();
        }

        /** A softmax over one class has nothing to learn: the task is a sigmoid that is always on. */
        private static boolean single(MultiTaskColumns.Group group) {
            return group.kind() == TaskKind.CATEGORICAL && group.classes().size() == 1;
        }

        private static Task task(MultiTaskColumns.Group group, double[] values) {
            return switch (group.kind()) {
                case CATEGORICAL -> single(group) ? new BinaryTask(group.task())
                        : new CategoricalTask(group.task(), group.classes().size());
                case BINARY -> new BinaryTask(group.task());
                case REAL -> RealTask.of(group.task(), values, 1);
            };
        }

        /** What the labels 0, 1, … mean. */
        private static List<String> meanings(MultiTaskColumns.Group group) {
            List<String> classes = List.copyOf(group.classes().keySet());
            return switch (group.kind()) {
                case CATEGORICAL -> single(group) ? List.of("no " + classes.get(0), classes.get(0)) : classes;
                case BINARY -> List.of("false", "true");
                case REAL -> List.of();
            };
        }

        @Override
        public Prediction<MultiTask> prediction(float[] row, int offset, int usedFeatures,
                                                Example<MultiTask> example) {
            return columns.prediction(row, offset, columnOf, usedFeatures, example);
        }
    }
}

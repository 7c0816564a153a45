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
import io.emtal.tribuo.protos.MultiLabelTasksProto;
import io.emtal.tribuo.protos.OutputTasksProto;
import org.tribuo.Example;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.OutputFactory;
import org.tribuo.Prediction;
import org.tribuo.interop.onnx.MultiLabelTransformer;
import org.tribuo.interop.onnx.OutputTransformer;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.MultiLabelFactory;
import org.tribuo.protos.ProtoSerializableClass;
import org.tribuo.protos.ProtoSerializableField;
import org.tribuo.protos.ProtoUtil;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * The tasks of a {@link MultiLabel}: one binary task a label. With a separator, labels that share a prefix up to its
 * first occurrence are the classes of one categorical task, such as {@code kind=circle} and {@code kind=square}. Of
 * those an example may have one, or none where its class is not known. A label that shares its prefix with no other
 * stays binary; an example that lacks a binary label counts as negative.
 *
 * <p>A prediction scores every label. It holds the binary labels of a probability above {@value #THRESHOLD} and the
 * most probable class of each categorical task.
 */
@ProtoSerializableClass(version = MultiLabelTasks.CURRENT_VERSION, serializedDataClass = MultiLabelTasksProto.class)
public final class MultiLabelTasks implements OutputTasks<MultiLabel> {

    /** The version of the protobuf that this class writes. */
    public static final int CURRENT_VERSION = 0;

    /** The probability above which a binary label is predicted. */
    public static final double THRESHOLD = 0.5;

    @Config(description = "What ends the prefix that the classes of a categorical task share; empty if all labels are"
            + " binary.")
    @ProtoSerializableField
    private String labelSeparator = "";

    @Config(description = "Whether training examples may all agree in a task, so that a constant is learnt.")
    @ProtoSerializableField
    private boolean constantTasks;

    /** One binary task a label. */
    public MultiLabelTasks() {
    }

    /**
     * The tasks.
     *
     * @param labelSeparator what ends the prefix that the classes of a categorical task share; empty if all labels are
     *     binary
     * @param constantTasks whether training examples may all agree in a task, so that a constant is learnt
     */
    public MultiLabelTasks(String labelSeparator, boolean constantTasks) {
        this.labelSeparator = labelSeparator;
        this.constantTasks = constantTasks;
    }

    /**
     * Categorical tasks of labels that share a prefix.
     *
     * @param labelSeparator what ends the prefix, for instance {@code =}
     * @return the tasks
     */
    public static MultiLabelTasks separatedBy(String labelSeparator) {
        return new MultiLabelTasks(labelSeparator, false);
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
    public static MultiLabelTasks deserializeFromProto(int version, String className, Any message)
            throws InvalidProtocolBufferException {
        Versions.check(MultiLabelTasks.class, version, CURRENT_VERSION);
        MultiLabelTasksProto proto = message.unpack(MultiLabelTasksProto.class);
        return new MultiLabelTasks(proto.getLabelSeparator(), proto.getConstantTasks());
    }

    @Override
    public OutputTasksProto serialize() {
        return ProtoUtil.serialize(this);
    }

    @Override
    public OutputFactory<MultiLabel> factory() {
        return new MultiLabelFactory();
    }

    @Override
    public MultiLabel output(String name) {
        return new MultiLabel(name);
    }

    @Override
    public OutputTransformer<MultiLabel> transformer() {
        return labelSeparator.isEmpty() ? new MultiLabelTransformer(THRESHOLD, true)
                : new SeparatedLabelsTransformer(labelSeparator);
    }

    @Override
    public OutputTasks<MultiLabel> withConstantTasks() {
        return new MultiLabelTasks(labelSeparator, true);
    }

    @Override
    public OutputCodec<MultiLabel> codec(ImmutableOutputInfo<MultiLabel> domain) {
        return new Codec(new MultiLabelColumns(domain, labelSeparator), constantTasks);
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "OutputTasks");
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MultiLabelTasks that && labelSeparator.equals(that.labelSeparator)
                && constantTasks == that.constantTasks;
    }

    @Override
    public int hashCode() {
        return 31 * labelSeparator.hashCode() + Boolean.hashCode(constantTasks);
    }

    @Override
    public String toString() {
        return "MultiLabelTasks(labelSeparator='" + labelSeparator + "', constantTasks=" + constantTasks + ")";
    }

    private static final class Codec implements OutputCodec<MultiLabel> {

        private final MultiLabelColumns columns;
        private final List<MultiLabelColumns.Group> groups;
        private final boolean constantTasks;
        private final Map<String, Integer> idsByName = new HashMap<>();
        private final int[] columnOf;
        private final int[] taskOf;
        private final int[] classOf;

        private Codec(MultiLabelColumns columns, boolean constantTasks) {
            this.columns = columns;
            this.groups = columns.groups();
            this.constantTasks = constantTasks;
            this.columnOf = new int[columns.size()];
            this.taskOf = new int[columns.size()];
            this.classOf = new int[columns.size()];
            int column = 0;
            for (int t = 0; t < groups.size(); t++) {
                int[] ids = groups.get(t).ids();
                for (int c = 0; c < ids.length; c++) {
                    idsByName.put(columns.name(ids[c]), ids[c]);
                    columnOf[ids[c]] = column++;
                    taskOf[ids[c]] = t;
                    classOf[ids[c]] = c;
                }
            }
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
        public EncodedOutputs encode(List<Example<MultiLabel>> training) {
            float[] labels = new float[EncodedOutputs.labels(training.size(), groups.size())];
            for (int row = 0; row < training.size(); row++) {
                encode(row, training.get(row).getOutput(), labels);
            }
            List<Task> tasks = new ArrayList<>();
            List<List<String>> values = new ArrayList<>();
            for (MultiLabelColumns.Group group : groups) {
                tasks.add(group.binary() ? new BinaryTask(group.task())
                        : new CategoricalTask(group.task(), group.ids().length));
                values.add(group.binary() ? List.of("absent", "present")
                        : Arrays.stream(group.ids()).mapToObj(columns::name).toList());
            }
            return EncodedOutputs.of(new TaskLayout(tasks), labels, values, constantTasks);
        }

        private void encode(int row, MultiLabel output, float[] labels) {
            int first = row * groups.size();
            for (int t = 0; t < groups.size(); t++) {
                labels[first + t] = groups.get(t).binary() ? 0 : Float.NaN;
            }
            for (String name : output.getNameSet()) {
                Integer id = idsByName.get(name);
                if (id == null) {
                    throw new EmtalException("row " + row + ": found the unknown output '" + name + "', allowed are "
                            + IntStream.range(0, columns.size()).mapToObj(columns::name).toList());
                }
                MultiLabelColumns.Group group = groups.get(taskOf[id]);
                if (group.binary()) {
                    labels[first + taskOf[id]] = 1;
                } else if (Task.isLabelled(labels[first + taskOf[id]])) {
                    throw new EmtalException("row " + row + ", task '" + group.task() + "': found the classes '"
                            + columns.name(group.ids()[(int) labels[first + taskOf[id]]]) + "' and '" + name
                            + "', allowed is one");
                } else {
                    labels[first + taskOf[id]] = classOf[id];
                }
            }
        }

        @Override
        public Prediction<MultiLabel> prediction(float[] row, int offset, int usedFeatures,
                                                 Example<MultiLabel> example) {
            return columns.prediction(row, offset, columnOf, usedFeatures, example);
        }
    }
}

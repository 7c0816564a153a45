package io.emtal.tribuo.multitask;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.Versions;
import io.emtal.tribuo.protos.MultiTaskProto;
import io.emtal.tribuo.protos.TaskValueProto;
import org.tribuo.Output;
import org.tribuo.Prediction;
import org.tribuo.protos.core.OutputProto;

import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The values of several tasks, at most one a task. A task without a value is missing: in an example nothing is known of
 * it, and a model learns nothing about it from that example.
 *
 * <p>Two outputs are equal if they have the same values; {@link #fullEquals} compares the scores too. Immutable.
 *
 * <p>The text of an output is a list such as {@code colour="red",round=true,weight=3.5}: classes in quotation marks,
 * binary answers and numbers without, so that the kind of a task can be read from it. A score follows its value, as in
 * {@code colour="red"@0.8}. A task's name stands in quotation marks unless it consists of letters, digits and
 * {@code _-.} alone; inside them the escapes of JSON are used. {@link #parse} reads it back.
 */
public final class MultiTask implements Output<MultiTask> {

    private static final long serialVersionUID = 1L;

    /** The version of the protobuf that this class writes. */
    public static final int CURRENT_VERSION = 0;

    /** What {@link MultiTaskFactory#UNKNOWN_MULTITASK} is. It has no values, and is no other output without values. */
    static final MultiTask UNKNOWN = new MultiTask(List.of(), true);

    private static final String UNKNOWN_TEXT = "?";

    private final List<TaskValue> values;
    private final boolean unknown;

    private MultiTask(List<TaskValue> values, boolean unknown) {
        this.values = values;
        this.unknown = unknown;
    }

    /**
     * An output of values.
     *
     * @param values at most one a task, in any order; none is an output that lacks every task
     * @return the output
     * @throws EmtalException if two values are of one task
     */
    public static MultiTask of(Collection<? extends TaskValue> values) {
        List<TaskValue> sorted = new ArrayList<>(values);
        sorted.sort(Comparator.comparing(TaskValue::task));
        for (int i = 1; i < sorted.size(); i++) {
            if (sorted.get(i).task().equals(sorted.get(i - 1).task())) {
                throw new EmtalException("task " + Quoted.of(sorted.get(i).task())
                        + ": found two values, allowed is one");
            }
        }
        return new MultiTask(List.copyOf(sorted), false);
    }

    /**
     * Starts without values.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Collects the values of a ground truth. */
    public static final class Builder {

        private final List<TaskValue> values = new ArrayList<>();

        private Builder() {
        }

        /**
         * Adds the class of a categorical task.
         *
         * @param task the task's name
         * @param value the class
         * @return this builder
         */
        public Builder categorical(String task, String value) {
            values.add(new TaskValue.Category(task, value, Double.NaN));
            return this;
        }

        /**
         * Adds the answer of a binary task.
         *
         * @param task the task's name
         * @param value the answer
         * @return this builder
         */
        public Builder binary(String task, boolean value) {
            values.add(new TaskValue.Binary(task, value, Double.NaN));
            return this;
        }

        /**
         * Adds the number of a real task.
         *
         * @param task the task's name
         * @param value the number, finite
         * @return this builder
         */
        public Builder real(String task, double value) {
            values.add(new TaskValue.Real(task, value));
            return this;
        }

        /**
         * Makes the output.
         *
         * @return the output
         * @throws EmtalException if two values are of one task
         */
        public MultiTask build() {
            return of(values);
        }
    }

    /**
     * Reads the text of an output.
     *
     * @param text what {@link #toString()} or {@link #getSerializableForm} gave
     * @return the output
     * @throws EmtalException if it is none, with the position of the character that does not fit
     */
    public static MultiTask parse(String text) {
        return text.equals(UNKNOWN_TEXT) ? UNKNOWN : of(new MultiTaskText(text).values());
    }

    /**
     * The value of a task.
     *
     * @param task the task's name
     * @return its value, if the task is not missing
     */
    public Optional<TaskValue> value(String task) {
        for (TaskValue value : values) {
            if (value.task().equals(task)) {
                return Optional.of(value);
            }
        }
        return Optional.empty();
    }

    /**
     * The values.
     *
     * @return sorted by task
     */
    public List<TaskValue> values() {
        return values;
    }

    /**
     * Whether every task is missing.
     *
     * @return true if there are no values, which holds for the unknown output too
     */
    public boolean isEmpty() {
        return values.isEmpty();
    }

    /**
     * The probabilities of a task's classes.
     *
     * @param prediction the prediction of a model
     * @param task the name of a categorical or binary task
     * @return by class in the order of the prediction; by {@code false} and {@code true} for a binary task
     * @throws EmtalException if the model has no such task
     */
    public static Map<String, Double> distribution(Prediction<MultiTask> prediction, String task) {
        Map<String, Double> distribution = distributions(prediction).get(task);
        EmtalException.check(distribution != null, "task %s: found no categorical or binary task of this name in the"
                + " prediction %s", Quoted.of(task), prediction.getOutput());
        return Collections.unmodifiableMap(distribution);
    }

    /** The probabilities of the classes of all tasks that have some, by task. */
    static Map<String, Map<String, Double>> distributions(Prediction<MultiTask> prediction) {
        Map<String, Map<String, Double>> distributions = new HashMap<>();
        for (MultiTask column : prediction.getOutputScores().values()) {
            for (TaskValue value : column.values()) {
                if (value instanceof TaskValue.Category category) {
                    distributions.computeIfAbsent(value.task(), name -> new LinkedHashMap<>())
                            .put(category.value(), category.score());
                } else if (value instanceof TaskValue.Binary binary) {
                    Map<String, Double> answers = distributions.computeIfAbsent(value.task(),
                            name -> new LinkedHashMap<>());
                    answers.put(String.valueOf(!binary.value()), 1 - binary.score());
                    answers.put(String.valueOf(binary.value()), binary.score());
                }
            }
        }
        return distributions;
    }

    @Override
    public MultiTask copy() {
        return this;
    }

    @Override
    public boolean fullEquals(MultiTask other) {
        return fullEquals(other, 0);
    }

    /** {@inheritDoc} The tolerance is for scores and for the numbers of real tasks. */
    @Override
    public boolean fullEquals(MultiTask other, double tolerance) {
        if (other == null || unknown != other.unknown || values.size() != other.values.size()) {
            return false;
        }
        for (int i = 0; i < values.size(); i++) {
            if (!near(values.get(i), other.values.get(i), tolerance)) {
                return false;
            }
        }
        return true;
    }

    private static boolean near(TaskValue a, TaskValue b, double tolerance) {
        if (!a.task().equals(b.task()) || a.kind() != b.kind()) {
            return false;
        }
        if (a instanceof TaskValue.Real real) {
            return near(real.value(), ((TaskValue.Real) b).value(), tolerance);
        }
        return withoutScore(a).equals(withoutScore(b)) && near(score(a), score(b), tolerance);
    }

    private static boolean near(double a, double b, double tolerance) {
        return Double.isNaN(a) ? Double.isNaN(b) : Math.abs(a - b) <= tolerance;
    }

    private static double score(TaskValue value) {
        return value instanceof TaskValue.Category category ? category.score()
                : value instanceof TaskValue.Binary binary ? binary.score() : Double.NaN;
    }

    private static TaskValue withoutScore(TaskValue value) {
        return value instanceof TaskValue.Category category
                ? new TaskValue.Category(category.task(), category.value(), Double.NaN)
                : value instanceof TaskValue.Binary binary
                ? new TaskValue.Binary(binary.task(), binary.value(), Double.NaN) : value;
    }

    private List<TaskValue> withoutScores() {
        return values.stream().map(MultiTask::withoutScore).toList();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MultiTask that && unknown == that.unknown
                && withoutScores().equals(that.withoutScores());
    }

    @Override
    public int hashCode() {
        return withoutScores().hashCode();
    }

    /** The text of this output, with scores. */
    @Override
    public String toString() {
        return unknown ? UNKNOWN_TEXT : MultiTaskText.of(values);
    }

    @Override
    public String getSerializableForm(boolean includeConfidence) {
        return includeConfidence || unknown ? toString() : MultiTaskText.of(withoutScores());
    }

    @Override
    public OutputProto serialize() {
        MultiTaskProto.Builder proto = MultiTaskProto.newBuilder().setUnknown(unknown);
        for (TaskValue value : values) {
            TaskValueProto.Builder entry = proto.addValueBuilder().setTask(value.task()).setScore(score(value));
            if (value instanceof TaskValue.Category category) {
                entry.setCategory(category.value());
            } else if (value instanceof TaskValue.Binary binary) {
                entry.setBinary(binary.value());
            } else if (value instanceof TaskValue.Real real) {
                entry.setReal(real.value());
            }
        }
        return OutputProto.newBuilder().setVersion(CURRENT_VERSION).setClassName(MultiTask.class.getName())
                .setSerializedData(Any.pack(proto.build())).build();
    }

    /**
     * Reads what {@link #serialize()} wrote.
     *
     * @param version the version of the protobuf
     * @param className this class's name
     * @param message the protobuf
     * @return the output; the unknown one is {@link MultiTaskFactory#UNKNOWN_MULTITASK} itself
     * @throws InvalidProtocolBufferException if the message is none of this class
     */
    public static MultiTask deserializeFromProto(int version, String className, Any message)
            throws InvalidProtocolBufferException {
        Versions.check(MultiTask.class, version, CURRENT_VERSION);
        MultiTaskProto proto = message.unpack(MultiTaskProto.class);
        EmtalException.check(!proto.getUnknown() || proto.getValueCount() == 0, "output: found the unknown one with %d"
                + " values in a protobuf, allowed is none", proto.getValueCount());
        return proto.getUnknown() ? UNKNOWN : of(proto.getValueList().stream().map(MultiTask::deserialize).toList());
    }

    private static TaskValue deserialize(TaskValueProto proto) {
        return switch (proto.getValueCase()) {
            case CATEGORY -> new TaskValue.Category(proto.getTask(), proto.getCategory(), proto.getScore());
            case BINARY -> new TaskValue.Binary(proto.getTask(), proto.getBinary(), proto.getScore());
            case REAL -> new TaskValue.Real(proto.getTask(), proto.getReal());
            case VALUE_NOT_SET -> throw new EmtalException("task " + Quoted.of(proto.getTask())
                    + ": found no value in a protobuf, allowed are categorical, binary and real ones");
        };
    }

    /** The unknown output is known by its identity. */
    private Object readResolve() {
        return unknown ? UNKNOWN : this;
    }
}

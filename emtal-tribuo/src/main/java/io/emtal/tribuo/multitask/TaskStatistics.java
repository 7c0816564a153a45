package io.emtal.tribuo.multitask;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.protos.TaskStatisticsProto;

import java.io.Serializable;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/** What was observed of one task. */
final class TaskStatistics implements Serializable {

    private static final long serialVersionUID = 1L;

    private final String task;
    private final TaskKind kind;
    private final TreeMap<String, Long> classes = new TreeMap<>();
    private long labelled;
    private double min = Double.NaN;
    private double max = Double.NaN;
    private double mean = Double.NaN;
    private double squares;

    TaskStatistics(String task, TaskKind kind) {
        this.task = task;
        this.kind = kind;
        if (kind == TaskKind.BINARY) {
            classes.put("false", 0L);
            classes.put("true", 0L);
        }
    }

    TaskStatistics copy() {
        TaskStatistics copy = new TaskStatistics(task, kind);
        copy.classes.putAll(classes);
        copy.labelled = labelled;
        copy.min = min;
        copy.max = max;
        copy.mean = mean;
        copy.squares = squares;
        return copy;
    }

    TaskKind kind() {
        return kind;
    }

    long labelled() {
        return labelled;
    }

    SortedMap<String, Long> classes() {
        return Collections.unmodifiableSortedMap(classes);
    }

    RealStatistics real() {
        return new RealStatistics(labelled, min, max, mean, labelled < 2 ? Double.NaN : squares / (labelled - 1));
    }

    /** The columns of this task in their order, each with how often it was observed. */
    Map<MultiTask, Long> columns() {
        Map<MultiTask, Long> columns = new LinkedHashMap<>();
        switch (kind) {
            case CATEGORICAL -> classes.forEach((value, count) ->
                    columns.put(column(new TaskValue.Category(task, value, Double.NaN)), count));
            case BINARY -> columns.put(column(new TaskValue.Binary(task, true, Double.NaN)), classes.get("true"));
            case REAL -> columns.put(column(new TaskValue.Real(task, 0)), labelled);
        }
        return columns;
    }

    /** What stands in a domain for the column of a value. */
    static MultiTask column(TaskValue value) {
        return MultiTask.of(List.of(switch (value.kind()) {
            case CATEGORICAL -> value;
            case BINARY -> new TaskValue.Binary(value.task(), true, Double.NaN);
            case REAL -> new TaskValue.Real(value.task(), 0);
        }));
    }

    void check(TaskValue value) {
        if (value.kind() != kind) {
            throw new EmtalException("task " + Quoted.of(task) + ": found a " + name(value.kind()) + " value, "
                    + MultiTaskText.of(List.of(value)) + ", in a task of which " + labelled + " " + name(kind)
                    + " values were found before, allowed is one kind");
        }
    }

    private static String name(TaskKind kind) {
        return kind.name().toLowerCase(Locale.ROOT);
    }

    /** Makes a value's class known without having observed it. */
    void declare(TaskValue value) {
        check(value);
        if (value instanceof TaskValue.Category category) {
            classes.putIfAbsent(category.value(), 0L);
        }
    }

    /** Counts a value; the moments are Welford's. */
    void observe(TaskValue value) {
        check(value);
        labelled++;
        if (value instanceof TaskValue.Category category) {
            classes.merge(category.value(), 1L, Long::sum);
        } else if (value instanceof TaskValue.Binary binary) {
            classes.merge(String.valueOf(binary.value()), 1L, Long::sum);
        } else if (value instanceof TaskValue.Real real) {
            observe(real.value());
        }
    }

    private void observe(double value) {
        if (labelled == 1) {
            min = value;
            max = value;
            mean = value;
        } else {
            min = Math.min(min, value);
            max = Math.max(max, value);
            double difference = value - mean;
            mean += difference / labelled;
            squares += difference * (value - mean);
        }
    }

    TaskStatisticsProto serialize() {
        return TaskStatisticsProto.newBuilder().setTask(task).setKind(kind.name()).setLabelled(labelled)
                .addAllClassName(classes.keySet()).addAllClassCount(classes.values())
                .setMin(min).setMax(max).setMean(mean).setSquares(squares).build();
    }

    static TaskStatistics deserialize(TaskStatisticsProto proto) {
        EmtalException.check(List.of(TaskKind.values()).stream().anyMatch(k -> k.name().equals(proto.getKind())),
                "task %s: found the kind %s, allowed are %s", Quoted.of(proto.getTask()), Quoted.of(proto.getKind()),
                List.of(TaskKind.values()));
        TaskStatistics read = new TaskStatistics(proto.getTask(), TaskKind.valueOf(proto.getKind()));
        List<String> names = proto.getClassNameList();
        List<Long> counts = proto.getClassCountList();
        boolean fitting = switch (read.kind) {
            case CATEGORICAL -> !names.isEmpty();
            case BINARY -> Set.copyOf(names).equals(read.classes.keySet());
            case REAL -> names.isEmpty();
        };
        long counted = read.kind == TaskKind.REAL ? proto.getLabelled() : counts.stream().mapToLong(c -> c).sum();
        EmtalException.check(fitting && names.size() == counts.size() && Set.copyOf(names).size() == names.size(),
                "task %s: found the classes %s with the counts %s in a %s task, allowed is one count for each",
                Quoted.of(proto.getTask()), names, counts, name(read.kind));
        EmtalException.check(proto.getLabelled() >= 0 && counts.stream().allMatch(c -> c >= 0)
                        && counted == proto.getLabelled(), "task %s: found the counts %s among %d labels, allowed are 0"
                        + " and more that sum to the number of labels", Quoted.of(proto.getTask()), counts,
                proto.getLabelled());
        for (int i = 0; i < names.size(); i++) {
            read.classes.put(names.get(i), counts.get(i));
        }
        read.labelled = proto.getLabelled();
        read.min = proto.getMin();
        read.max = proto.getMax();
        read.mean = proto.getMean();
        read.squares = proto.getSquares();
        return read;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof TaskStatistics that && task.equals(that.task) && kind == that.kind
                && labelled == that.labelled && classes.equals(that.classes) && real().equals(that.real());
    }

    @Override
    public int hashCode() {
        return Objects.hash(task, kind, labelled, classes);
    }
}

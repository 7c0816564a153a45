package io.emtal.tribuo.multitask;

import io.emtal.tribuo.evaluation.ClassificationMetrics;
import io.emtal.tribuo.evaluation.LabelSetMetrics;
import io.emtal.tribuo.evaluation.RealMetrics;
import io.emtal.tribuo.evaluation.TextTable;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * How well tasks were predicted, each over the rows that are labelled for it.
 *
 * @param labelSpace among which classes the accuracy of categorical tasks looked
 * @param rows how many rows were predicted, labelled or not
 * @param kinds the tasks and their kinds
 * @param classes of each categorical and binary task
 * @param numbers of each real task
 * @param binaryTasks of all binary tasks together, as sets of labels
 */
public record MultiTaskScores(LabelSpace labelSpace, int rows, SortedMap<String, TaskKind> kinds,
                              SortedMap<String, ClassificationMetrics> classes, SortedMap<String, RealMetrics> numbers,
                              LabelSetMetrics binaryTasks) {

    /** Makes the scores immutable. */
    public MultiTaskScores {
        Objects.requireNonNull(labelSpace, "labelSpace");
        kinds = Collections.unmodifiableSortedMap(new TreeMap<>(kinds));
        classes = Collections.unmodifiableSortedMap(new TreeMap<>(classes));
        numbers = Collections.unmodifiableSortedMap(new TreeMap<>(numbers));
        Objects.requireNonNull(binaryTasks, "binaryTasks");
    }

    /**
     * A metric of a task.
     *
     * @param metric the metric
     * @param task the task's name
     * @return its value; nothing where it is not defined on these rows, and for a task of another kind
     */
    public OptionalDouble value(MultiTaskMetrics metric, String task) {
        return metric.of(this, task);
    }

    /**
     * The mean of a metric over the tasks on which it is defined.
     *
     * @param metric the metric
     * @return the mean; nothing if there is no such task
     */
    public OptionalDouble average(MultiTaskMetrics metric) {
        return kinds.keySet().stream().map(task -> metric.of(this, task)).flatMapToDouble(OptionalDouble::stream)
                .average();
    }

    /**
     * How many rows are labelled for a task.
     *
     * @param task the task's name
     * @return the number, 0 for a task that there is not
     */
    public int labelled(String task) {
        return classes.containsKey(task) ? classes.get(task).rows()
                : numbers.containsKey(task) ? numbers.get(task).rows() : 0;
    }

    /** A table of classes and one of numbers, each with its mean, where there are such tasks; "-" is undefined. */
    @Override
    public String toString() {
        return tables().stream().map(TextTable::toText).collect(Collectors.joining("\n"));
    }

    /**
     * The same as HTML.
     *
     * @return table elements; names are escaped
     */
    public String toHTML() {
        return tables().stream().map(TextTable::toHTML).collect(Collectors.joining("\n"));
    }

    private List<TextTable> tables() {
        List<TextTable> tables = new ArrayList<>();
        if (!classes.isEmpty()) {
            tables.add(table(classes.keySet(), MultiTaskMetrics.of(TaskKind.CATEGORICAL)));
        }
        if (!numbers.isEmpty()) {
            tables.add(table(numbers.keySet(), MultiTaskMetrics.of(TaskKind.REAL)));
        }
        if (kinds.values().stream().filter(kind -> kind == TaskKind.BINARY).count() > 1) {
            List<List<String>> cells = new ArrayList<>();
            binaryTasks.asMap().forEach((name, value) ->
                    cells.add(List.of(name.replace('_', ' '), number(OptionalDouble.of(value)))));
            tables.add(new TextTable(List.of("binary tasks together", ""), cells));
        }
        return tables;
    }

    private TextTable table(Set<String> tasks, Set<MultiTaskMetrics> metrics) {
        List<List<String>> cells = new ArrayList<>();
        for (String task : tasks) {
            cells.add(row(task, kinds.get(task).name().toLowerCase(Locale.ROOT),
                    String.valueOf(labelled(task)), metrics.stream().map(metric -> value(metric, task))));
        }
        cells.add(row("mean", "", "", metrics.stream().map(this::average)));
        return new TextTable(heads(metrics), cells);
    }

    private List<String> heads(Set<MultiTaskMetrics> metrics) {
        return Stream.concat(Stream.of("task", "kind", "rows"), metrics.stream()
                .map(metric -> metric == MultiTaskMetrics.ACCURACY && labelSpace == LabelSpace.JOINT
                        ? "joint " + metric.title() : metric.title())).toList();
    }

    private static List<String> row(String task, String kind, String rows, Stream<OptionalDouble> values) {
        return Stream.concat(Stream.of(task, kind, rows), values.map(MultiTaskScores::number)).toList();
    }

    private static String number(OptionalDouble value) {
        return value.isEmpty() ? "-" : String.format(Locale.ROOT, "%.4f", value.getAsDouble());
    }
}

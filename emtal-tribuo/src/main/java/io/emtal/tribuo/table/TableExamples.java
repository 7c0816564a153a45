package io.emtal.tribuo.table;

import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskFactory;
import io.emtal.tribuo.multitask.TaskValue;
import org.tribuo.Example;
import org.tribuo.impl.ArrayExample;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Makes Tribuo examples of a schema's rows: a number is a feature of its column's name, a nominal value the feature
 * {@code column@value} with the value 1, and a missing cell is no feature. All outputs of an unlabelled table are the
 * unknown one.
 */
final class TableExamples {

    private final TableSchema schema;
    private final boolean labelled;
    /** By feature and value; just one for a number. */
    private final String[][] names;
    /** By task and class; none for a real task. */
    private final TaskValue[][] classes;

    TableExamples(TableSchema schema, boolean labelled) {
        this.schema = schema;
        this.labelled = labelled;
        names = schema.features().stream().map(TableExamples::names).toArray(String[][]::new);
        classes = schema.tasks().stream().map(TableExamples::classes).toArray(TaskValue[][]::new);
    }

    /** The names of the features that a column gives. */
    static String[] names(Column feature) {
        return feature.type() == Column.Type.NUMERIC ? new String[] {feature.name()} : feature.values().stream()
                .map(value -> feature.name() + TableSchema.SEPARATOR + value).toArray(String[]::new);
    }

    private static TaskValue[] classes(Column task) {
        return IntStream.range(0, task.values().size()).mapToObj(i -> task.type() == Column.Type.BINARY
                ? new TaskValue.Binary(task.name(), i == 1, Double.NaN)
                : new TaskValue.Category(task.name(), task.values().get(i), Double.NaN)).toArray(TaskValue[]::new);
    }

    /**
     * Makes an example.
     *
     * @param values the cells of all features and tasks, in the order of the schema
     * @param output the example's output
     * @return the example, without features if all cells are missing
     */
    Example<MultiTask> example(double[] values, MultiTask output) {
        String[] present = new String[names.length];
        double[] numbers = new double[names.length];
        int count = 0;
        for (int i = 0; i < names.length; i++) {
            if (!Double.isNaN(values[i])) {
                boolean numeric = schema.features().get(i).type() == Column.Type.NUMERIC;
                present[count] = names[i][numeric ? 0 : (int) values[i]];
                numbers[count++] = numeric ? values[i] : 1;
            }
        }
        return new ArrayExample<>(output, Arrays.copyOf(present, count), Arrays.copyOf(numbers, count));
    }

    /**
     * Makes an output.
     *
     * @param values the cells of all features and tasks, in the order of the schema
     * @return the labels, without those that are missing, or the unknown output
     */
    MultiTask output(double[] values) {
        if (!labelled) {
            return MultiTaskFactory.UNKNOWN_MULTITASK;
        }
        List<TaskValue> labels = new ArrayList<>(classes.length);
        for (int t = 0; t < classes.length; t++) {
            double value = values[names.length + t];
            if (!Double.isNaN(value)) {
                labels.add(classes[t].length > 0 ? classes[t][(int) value]
                        : new TaskValue.Real(schema.tasks().get(t).name(), value));
            }
        }
        return MultiTask.of(labels);
    }
}

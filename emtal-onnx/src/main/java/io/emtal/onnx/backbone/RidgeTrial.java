package io.emtal.onnx.backbone;

import com.google.protobuf.ByteString;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.predict.DensePredictor;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * The rows and labels of a small table, to tell how well its labels are predicted from an encoding of its columns: ridge
 * regressions predict each row from all others.
 */
final class RidgeTrial {

    /** Tables of more rows are not asked: they have rows enough to learn what an encoding could tell. */
    static final int MOST_ROWS = 1000;

    /** Tables of more input elements, such as the values of nominal columns, are not: it would take much memory. */
    static final int MOST_INPUTS = 4096;

    /** The labels of a task that is asked: fewer tell little. */
    static final int LEAST_LABELS = 20;

    /** Asking takes time by the cube of the rows, once for tasks with the same labelled rows; not all may be asked. */
    private static final double MOST_CUBES = 4 * Math.pow(MOST_ROWS, 3);

    private final FeatureLayout layout;
    private final TaskLayout tasks;
    private final Examples rows;
    private final int[] asked;
    private final List<Group> groups;

    private RidgeTrial(FeatureLayout layout, TaskLayout tasks, Examples rows, int[] asked, List<Group> groups) {
        this.layout = layout;
        this.tasks = tasks;
        this.rows = rows;
        this.asked = asked;
        this.groups = groups;
    }

    /**
     * Reads the labels.
     *
     * @param layout the columns
     * @param tasks the tasks; those of weight 0 are not asked
     * @param rows the rows; of copies of one row the first is asked
     * @return what can be asked; empty where the table is too large, or no task has labels enough
     */
    static Optional<RidgeTrial> of(FeatureLayout layout, TaskLayout tasks, Examples rows) {
        if (layout.width() > MOST_INPUTS) {
            return Optional.empty();
        }
        int[] asked = originals(rows);
        if (asked.length > MOST_ROWS) {
            return Optional.empty();
        }
        List<Group> groups = groups(tasks, rows, asked);
        return groups.isEmpty() ? Optional.empty() : Optional.of(new RidgeTrial(layout, tasks, rows, asked, groups));
    }

    /** The first of the copies of each row, of more than can be asked one too many. */
    private static int[] originals(Examples rows) {
        BitSet seen = new BitSet();
        return IntStream.range(0, rows.size()).filter(row -> {
            boolean first = !seen.get(rows.original(row));
            seen.set(rows.original(row));
            return first;
        }).limit(MOST_ROWS + 1).toArray();
    }

    /**
     * Tasks with the same labelled rows.
     *
     * @param labelled which of the rows that are asked
     * @param targets for each task, by its name, one or more targets, for each of these one number a labelled row
     */
    record Group(int[] labelled, Map<String, double[][]> targets) {
    }

    private static List<Group> groups(TaskLayout tasks, Examples rows, int[] asked) {
        Map<BitSet, Group> groups = new LinkedHashMap<>();
        double cubes = 0;
        for (int t = 0; t < tasks.size(); t++) {
            int task = t;
            BitSet labelled = new BitSet();
            IntStream.range(0, asked.length).filter(i -> Task.isLabelled(rows.label(asked[i], task)))
                    .forEach(labelled::set);
            double cube = groups.containsKey(labelled) ? 0 : Math.pow(labelled.cardinality(), 3);
            if (tasks.task(t).weight() > 0 && labelled.cardinality() >= LEAST_LABELS && cubes + cube <= MOST_CUBES) {
                cubes += cube;
                double[] labels = labelled.stream().mapToDouble(i -> rows.label(asked[i], task)).toArray();
                groups.computeIfAbsent(labelled, key -> new Group(key.stream().toArray(), new LinkedHashMap<>())).targets
                        .put(tasks.task(t).name(), targets(tasks.task(t), labels));
            }
        }
        return List.copyOf(groups.values());
    }

    /** A number as it is, and each class as a number that says whether it is this one. */
    private static double[][] targets(Task task, double[] labels) {
        return task instanceof CategoricalTask categorical
                ? IntStream.range(0, categorical.classes()).mapToObj(c -> Arrays.stream(labels)
                        .map(label -> label == c ? 1 : 0).toArray()).toArray(double[][]::new)
                : new double[][] {labels};
    }

    /**
     * The same with fewer rows.
     *
     * @param most how many there may be
     * @return every k-th row, of the least k that leaves no more
     */
    RidgeTrial thinned(int most) {
        int step = (asked.length + most - 1) / most;
        int[] thinned = IntStream.range(0, asked.length).filter(i -> i % step == 0).map(i -> asked[i]).toArray();
        return new RidgeTrial(layout, tasks, rows, thinned, groups(tasks, rows, thinned));
    }

    /** The tasks that are asked. */
    List<Group> groups() {
        return groups;
    }

    /**
     * Encodes the rows that are asked, with the statistics of all.
     *
     * @param numberEncoding how numbers enter
     * @return the rows
     */
    EncodedRows encoded(NumberEncoding numberEncoding) {
        GraphBuilder graph = new GraphBuilder();
        Value input = graph.input("input", ElementType.FLOAT, Shape.BATCH, layout.width());
        FeatureEncoding encoding = FeatureEncoding.write(graph, input, layout, rows, Optional.of(tasks), numberEncoding);
        graph.output("encoded", encoding.values());
        FloatBuffer raw = FloatBuffer.allocate(asked.length * layout.width());
        for (int row : asked) {
            rows.inputs(row, raw);
        }
        ByteString model = OnnxFile.toModel(graph.build(), "encoding").toByteString();
        try (DensePredictor encoder = new DensePredictor(model, 1)) {
            float[] encoded = encoder.predict(raw.flip(), asked.length);
            int width = encoded.length / asked.length;
            double[][] numbers = IntStream.range(0, asked.length).mapToObj(row -> IntStream
                    .range(row * width, (row + 1) * width).mapToDouble(i -> encoded[i]).toArray()).toArray(double[][]::new);
            return new EncodedRows(numbers, encoding.columns());
        }
    }

    /**
     * How well each task's labels are predicted.
     *
     * @param encoded the rows that are asked
     * @param ridge makes the regression of some of them
     * @return by the names of the tasks the mean over their targets that are not constant, if there is one, rounded to
     *     thousandths
     */
    Map<String, Double> errors(EncodedRows encoded, Function<double[][], KernelRidge> ridge) {
        Map<String, Double> ofTasks = new LinkedHashMap<>();
        for (Group group : groups) {
            double[] errors = ridge.apply(encoded.numbers(group.labelled))
                    .leftOut(group.targets.values().stream().flatMap(Arrays::stream).toArray(double[][]::new));
            int first = 0;
            for (Map.Entry<String, double[][]> task : group.targets.entrySet()) {
                int next = first + task.getValue().length;
                Arrays.stream(errors, first, next).filter(error -> !Double.isNaN(error)).average()
                        .ifPresent(error -> ofTasks.put(task.getKey(), Math.round(1000 * error) / 1000.0));
                first = next;
            }
        }
        return ofTasks;
    }
}

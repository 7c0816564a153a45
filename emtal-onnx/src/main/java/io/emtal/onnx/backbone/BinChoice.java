package io.emtal.onnx.backbone;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.predict.DensePredictor;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Whether numbers are encoded with bins. Bins let a network see what is not linear in a number. Where columns are many,
 * rows few, and targets grow with their columns as counts do, they are but more columns to be wrong about. A linear map
 * of the encoded columns tells which it is, in a moment: it predicts each row from all others.
 *
 * @param bins the most bins of a number, 0 for none
 * @param errors by the names of the tasks that were asked, the error of that linear map relative to their deviation, rounded
 *     to thousandths: what differs between machines is less
 */
record BinChoice(int bins, Map<String, Double> errors) {

    /** Tables of more rows have bins: there are rows enough for them. */
    static final int MOST_ROWS = 1000;

    /** Tables of more input elements, such as the values of nominal columns, have bins: asking would take much memory. */
    static final int MOST_INPUTS = 4096;

    /** The labels of a task that is asked: fewer tell little. */
    static final int LEAST_LABELS = 20;

    /** Asking takes time by the cube of the rows, once for all tasks with the same labelled rows; not all may be asked. */
    private static final double MOST_CUBES = 4 * Math.pow(MOST_ROWS, 3);

    /**
     * Chooses.
     *
     * @param layout the columns
     * @param tasks the tasks
     * @param rows the training rows; of copies of one row the first is asked
     * @param bins the most bins of a number
     * @return the same bins, or none where labels are predicted better without any
     */
    static BinChoice of(FeatureLayout layout, TaskLayout tasks, Examples rows, int bins) {
        boolean useful = bins > 0 || tasks.tasks().stream().filter(RealTask.class::isInstance).count() > 1;
        if (!useful || layout.width() > MOST_INPUTS) {
            return new BinChoice(bins, Map.of());
        }
        int[] asked = originals(rows);
        if (asked.length > MOST_ROWS) {
            return new BinChoice(bins, Map.of());
        }
        List<Group> groups = groups(tasks, rows, asked);
        if (groups.isEmpty()) {
            return new BinChoice(bins, Map.of());
        }
        BinChoice without = new BinChoice(0, errors(encoded(layout, tasks, rows, asked, 0), asked.length, groups));
        if (bins == 0) {
            return without;
        }
        BinChoice with = new BinChoice(bins, errors(encoded(layout, tasks, rows, asked, bins), asked.length, groups));
        return without.error() < with.error() ? without : with;
    }

    private double error() {
        return errors.values().stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
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
    private record Group(int[] labelled, Map<String, double[][]> targets) {
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

    private static float[] encoded(FeatureLayout layout, TaskLayout tasks, Examples rows, int[] asked, int bins) {
        GraphBuilder graph = new GraphBuilder();
        Value input = graph.input("input", ElementType.FLOAT, Shape.BATCH, layout.width());
        graph.output("encoded", FeatureEncoding.write(graph, input, layout, rows, Optional.of(tasks), bins).values());
        FloatBuffer raw = FloatBuffer.allocate(asked.length * layout.width());
        for (int row : asked) {
            rows.inputs(row, raw);
        }
        try (DensePredictor encoder = new DensePredictor(OnnxFile.toModel(graph.build(), "encoding").toByteString(), 1)) {
            return encoder.predict(raw.flip(), asked.length);
        }
    }

    /** Of each task the mean over its targets that are not constant, if there is one. */
    private static Map<String, Double> errors(float[] encoded, int rows, List<Group> groups) {
        int width = encoded.length / rows;
        Map<String, Double> ofTasks = new LinkedHashMap<>();
        for (Group group : groups) {
            double[][] inputs = Arrays.stream(group.labelled).mapToObj(row -> IntStream.range(row * width, (row + 1) * width)
                    .mapToDouble(i -> encoded[i]).toArray()).toArray(double[][]::new);
            double[] errors = new KernelRidge(inputs)
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

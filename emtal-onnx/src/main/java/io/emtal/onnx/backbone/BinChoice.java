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
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * Whether numbers are encoded with bins. Bins let a network see what is not linear in a number. Where columns are many,
 * rows few, and targets grow with their columns as counts do, they are but more columns to be wrong about. A linear map
 * of the encoded columns tells which it is, in a moment: it predicts each row from all others.
 */
final class BinChoice {

    /** Tables of more rows have bins: there are rows enough for them. */
    static final int MOST_ROWS = 1000;

    /** Tables of more input elements, such as the values of nominal columns, have bins: asking would take much memory. */
    static final int MOST_INPUTS = 4096;

    private static final int LEAST_ROWS = 3;

    /** Asking takes time by the cube of the rows, once for all tasks with the same labelled rows; not all may be asked. */
    private static final double MOST_CUBES = 4 * Math.pow(MOST_ROWS, 3);

    private BinChoice() {
    }

    /**
     * Chooses.
     *
     * @param layout the columns
     * @param tasks the tasks
     * @param rows the training rows; of copies of one row the first is asked
     * @param bins the most bins of a number
     * @return the same, or 0 where labels are predicted better without any
     */
    static int of(FeatureLayout layout, TaskLayout tasks, Examples rows, int bins) {
        if (bins == 0 || layout.width() > MOST_INPUTS) {
            return bins;
        }
        int[] asked = originals(rows);
        if (asked.length > MOST_ROWS) {
            return bins;
        }
        List<Group> groups = groups(tasks, rows, asked);
        if (groups.isEmpty()) {
            return bins;
        }
        double without = error(encoded(layout, tasks, rows, asked, 0), asked.length, groups);
        return without < error(encoded(layout, tasks, rows, asked, bins), asked.length, groups) ? 0 : bins;
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
     * @param targets for each task one or more targets, for each of these one number a labelled row
     */
    private record Group(int[] labelled, List<double[][]> targets) {
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
            if (tasks.task(t).weight() > 0 && labelled.cardinality() >= LEAST_ROWS && cubes + cube <= MOST_CUBES) {
                cubes += cube;
                double[] labels = labelled.stream().mapToDouble(i -> rows.label(asked[i], task)).toArray();
                groups.computeIfAbsent(labelled, key -> new Group(key.stream().toArray(), new ArrayList<>())).targets
                        .add(targets(tasks.task(t), labels));
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

    /** The mean over the tasks, of each the mean over its targets that are not constant; not-a-number without any. */
    private static double error(float[] encoded, int rows, List<Group> groups) {
        int width = encoded.length / rows;
        DoubleStream.Builder ofTasks = DoubleStream.builder();
        for (Group group : groups) {
            double[][] inputs = Arrays.stream(group.labelled).mapToObj(row -> IntStream.range(row * width, (row + 1) * width)
                    .mapToDouble(i -> encoded[i]).toArray()).toArray(double[][]::new);
            double[] errors = new KernelRidge(inputs)
                    .leftOut(group.targets.stream().flatMap(Arrays::stream).toArray(double[][]::new));
            int first = 0;
            for (double[][] task : group.targets) {
                ofTasks.add(mean(Arrays.stream(errors, first, first + task.length)));
                first += task.length;
            }
        }
        return mean(ofTasks.build());
    }

    private static double mean(DoubleStream errors) {
        return errors.filter(error -> !Double.isNaN(error)).average().orElse(Double.NaN);
    }
}

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
import java.util.List;
import java.util.Optional;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * Whether numbers are encoded with bins. Bins let a network see what is not linear in a number. Where columns are many and
 * rows few, and targets grow with their columns as counts do, they are but more columns to be wrong about. So few rows
 * tell at once: a linear map of the encoded columns predicts each from all others.
 */
final class BinChoice {

    /** Tables with more rows have bins: there are rows enough for them, and what is asked here takes the cube of the rows. */
    static final int MOST_ROWS = 1000;

    private static final int LEAST_ROWS = 3;

    private BinChoice() {
    }

    /**
     * Chooses.
     *
     * @param layout the columns
     * @param tasks the tasks
     * @param rows the training rows
     * @param bins the most bins of a number
     * @return the same, or 0 where the labels are predicted better without any
     */
    static int of(FeatureLayout layout, TaskLayout tasks, Examples rows, int bins) {
        if (bins == 0 || rows.size() < LEAST_ROWS || rows.size() > MOST_ROWS) {
            return bins;
        }
        return error(layout, tasks, rows, 0) < error(layout, tasks, rows, bins) ? 0 : bins;
    }

    /** The mean over the tasks that are learnt and whose labels are not all the same. */
    private static double error(FeatureLayout layout, TaskLayout tasks, Examples rows, int bins) {
        KernelRidge ridge = new KernelRidge(encoded(layout, tasks, rows, bins), rows.size());
        return mean(IntStream.range(0, tasks.size()).filter(t -> tasks.task(t).weight() > 0)
                .mapToDouble(t -> mean(Arrays.stream(ridge.leftOut(targets(tasks.task(t), t, rows))))));
    }

    private static double mean(DoubleStream errors) {
        return errors.filter(error -> !Double.isNaN(error)).average().orElse(Double.NaN);
    }

    private static float[] encoded(FeatureLayout layout, TaskLayout tasks, Examples rows, int bins) {
        GraphBuilder graph = new GraphBuilder();
        Value input = graph.input("input", ElementType.FLOAT, Shape.BATCH, layout.width());
        graph.output("encoded", FeatureEncoding.write(graph, input, layout, rows, Optional.of(tasks), bins).values());
        FloatBuffer raw = FloatBuffer.allocate(rows.size() * rows.width());
        for (int row = 0; row < rows.size(); row++) {
            rows.inputs(row, raw);
        }
        try (DensePredictor encoder = new DensePredictor(OnnxFile.toModel(graph.build(), "encoding").toByteString(), 1)) {
            return encoder.predict(raw.flip(), rows.size());
        }
    }

    /** A number as it is, and classes as one number each that says whether it is this one. */
    private static double[][] targets(Task task, int t, Examples rows) {
        double[] labels = IntStream.range(0, rows.size()).mapToDouble(row -> rows.label(row, t)).toArray();
        if (!(task instanceof CategoricalTask categorical)) {
            return new double[][] {labels};
        }
        List<double[]> targets = new ArrayList<>();
        for (int c = 0; c < categorical.classes(); c++) {
            int of = c;
            targets.add(Arrays.stream(labels)
                    .map(label -> Double.isNaN(label) ? label : label == of ? 1 : 0).toArray());
        }
        return targets.toArray(double[][]::new);
    }
}

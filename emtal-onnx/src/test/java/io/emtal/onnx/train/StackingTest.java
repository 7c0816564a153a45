package io.emtal.onnx.train;

import io.emtal.onnx.adapt.HeadsOnly;
import io.emtal.onnx.backbone.FeatureEnsemble;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.predict.DensePredictor;
import io.emtal.onnx.task.BatchLabels;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.Heads;
import io.emtal.onnx.task.Losses;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.TaskLayout;
import org.junit.jupiter.api.Test;

import java.nio.FloatBuffer;
import java.util.List;
import java.util.Random;
import java.util.function.ToDoubleBiFunction;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class StackingTest {

    /** Real tasks in columns 2 and 4. */
    private static final TaskLayout TASKS = new TaskLayout(List.of(new CategoricalTask("c", 2), new RealTask("r", 5, 2, 1),
            new BinaryTask("b", 1), new RealTask("s", -40, 10, 1)));

    private static final int R = 2;
    private static final int S = 4;

    /** What is found for labels that depend on standard normal logits, and noise. */
    private static Stacking found(int rows, long seed, ToDoubleBiFunction<float[], Random> r,
                                  ToDoubleBiFunction<float[], Random> s) {
        Random random = new Random(seed);
        float[] logits = new float[rows * TASKS.columns()];
        float[] labels = new float[rows * TASKS.size()];
        for (int row = 0; row < rows; row++) {
            float[] own = new float[TASKS.columns()];
            for (int c = 0; c < own.length; c++) {
                own[c] = (float) random.nextGaussian();
                logits[row * own.length + c] = own[c];
            }
            labels[row * 4 + 1] = (float) r.applyAsDouble(own, random);
            labels[row * 4 + 3] = (float) s.applyAsDouble(own, random);
        }
        return Stacking.of(new BatchLabels(TASKS, labels), logits);
    }

    private static double noise(Random random, double deviation) {
        return deviation * random.nextGaussian();
    }

    @Test
    void aTaskIsScaledAndShifted() {
        Stacking found = found(400, 1, (z, random) -> 2 * z[R] - 1 + noise(random, 0.1),
                (z, random) -> z[S] / 2 + noise(random, 0.2));
        LogitMap map = found.map();
        assertArrayEquals(new int[] {1, 3}, map.real());
        assertEquals(2, map.slopes()[0][0], 0.05);
        assertEquals(-1, map.intercepts()[0], 0.05);
        assertEquals(0.5, map.slopes()[1][1], 0.05);
        assertEquals(0, map.intercepts()[1], 0.05);
        assertArrayEquals(new double[] {9, 0.1, 8, 0.2}, found.errors(new double[] {9, 9, 8, 8}), 0.02);
    }

    @Test
    void aTaskTakesFromAnotherWhatPredictsItClearlyBetter() {
        LogitMap map = found(400, 2, (z, random) -> z[R] + noise(random, 0.5),
                (z, random) -> z[S] + 0.5 * z[R] + noise(random, 0.5)).map();
        assertEquals(0, map.slopes()[0][1]);
        assertEquals(0.5, map.slopes()[1][0], 0.1);
        assertEquals(1, map.slopes()[1][1], 0.1);
    }

    @Test
    void whatIsRightAlreadyStaysNearlyAsItIs() {
        for (long seed = 0; seed < 20; seed++) {
            LogitMap map = found(200, seed, (z, random) -> z[R] + noise(random, 1),
                    (z, random) -> z[S] + noise(random, 1)).map();
            for (int i = 0; i < 2; i++) {
                assertEquals(1, map.slopes()[i][i], 0.25, "seed " + seed);
                assertEquals(0, map.slopes()[i][1 - i], 0.25, "seed " + seed);
            }
        }
    }

    @Test
    void rowsWithoutLabelSayNothingAndFewRowsChangeNothing() {
        Stacking found = found(100, 3, (z, random) -> random.nextInt(2) == 0 ? Float.NaN : 2 * z[R],
                (z, random) -> random.nextInt(10) == 0 ? 2 * z[S] : Float.NaN);
        assertEquals(2, found.map().slopes()[0][0], 0.05);
        assertArrayEquals(new double[] {0, 1}, found.map().slopes()[1]);
        assertEquals(0, found.map().intercepts()[1]);
        assertEquals(1, found.squaredErrors()[1], 1);
    }

    
    void withoutLabelsNoErrorIsKnown() {
        Stacking found = found(100, 3, (z, random) -> Float.NaN, (z, random) -> z[S] + 0.5);
        assertTrue(Double.isNaN(found.squaredErrors()[0]));
        assertArrayEquals(new double[] {1, Double.NaN, 2, 0}, found.errors(new double[] {1, 1, 2, 2}), 1e-3);
    }

    @Test
    void otherHeadsGiveTheMappedLogits() {
        Random random = new Random(4);
        Heads heads = new Heads(TASKS, 3, 2);
        List<Parameter> parameters = heads.parameters(1);
        float[] values = new float[parameters.stream().mapToInt(Parameter::size).sum()];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) random.nextGaussian();
        }
        LogitMap map = new LogitMap(TASKS, new int[] {1, 3}, new double[][] {{2, 0.5}, {-1, 3}}, new double[] {0.25, -4});
        float[] mapped = map.applied(parameters, values);
        double[] pooled = random.doubles(3).toArray();
        for (int member = 0; member < 2; member++) {
            double[] before = logits(parameters, values, pooled, member);
            double[] after = logits(parameters, mapped, pooled, member);
            assertEquals(before[0], after[0]);
            assertEquals(before[1], after[1]);
            assertEquals(2 * before[R] + 0.5 * before[S] + 0.25, after[R], 1e-5);
            assertEquals(before[3], after[3]);
            assertEquals(-before[R] + 3 * before[S] - 4, after[S], 1e-5);
        }
    }

    /** A member's logits by the parameters' documented shapes. */
    private static double[] logits(List<Parameter> parameters, float[] values, double[] pooled, int member) {
        double[] logits = new double[TASKS.columns()];
        int position = 0;
        for (int t = 0; t < TASKS.size(); t++) {
            int width = TASKS.width(t);
            for (int c = 0; c < width; c++) {
                int bias = position + parameters.get(2 * t).size() + member * width + c;
                logits[TASKS.offset(t) + c] = values[bias];
                for (int d = 0; d < pooled.length; d++) {
                    logits[TASKS.offset(t) + c] += pooled[d] * values[position + (member * pooled.length + d) * width + c];
                }
            }
            position += parameters.get(2 * t).size() + parameters.get(2 * t + 1).size();
        }
        return logits;
    }

    /** A target that is small but for one in ten rows: Huber's loss alone predicts too little of what can be known. */
    @Test
    void anEnsemblePredictsRareLargeTargetsBetterAndKnowsHowWell() {
        double[] without = errors(false);
        double[] with = errors(true);
        assertTrue(with[0] < 0.95 * without[0], "mean squared error " + with[0] + " with, " + without[0] + " without");
        assertEquals(Math.sqrt(without[0]), without[1], 0.1);
        assertEquals(Math.sqrt(with[0]), with[1], 0.1);
    }

    /** The mean squared error on fresh rows, and what the training says of the root of it. */
    private static double[] errors(boolean calibrated) {
        TaskLayout tasks = new TaskLayout(List.of(new RealTask("y", 0, 1, 1)));
        FeatureLayout layout = new FeatureLayout(List.of(new FeatureColumn("f", FeatureColumn.Kind.NUMERIC, 0, 1)));
        PackedExamples rows = rare(600, 5);
        Recipe recipe = Recipe.builder().pretrainEpochs(10).epochs(1).workers(1)
                .losses(Losses.builder().calibrated(calibrated).build()).build();
        TrainedNetwork network = new Learner(new HeadsOnly(), recipe).train(FeatureEnsemble.builder().members(4).width(16)
                .depth(1).hidden(16).build().create(layout, tasks, rows, 1), false, tasks, rows, 1, TrainingListener.NONE);
        PackedExamples tested = rare(2000, 6);
        FloatBuffer inputs = FloatBuffer.allocate(tested.size());
        for (int row = 0; row < tested.size(); row++) {
            tested.inputs(row, inputs);
        }
        double sum = 0;
        try (DensePredictor predictor = new DensePredictor(network.model().toByteString(), 1)) {
            float[] predicted = predictor.predict(inputs.array(), tested.size());
            for (int row = 0; row < predicted.length; row++) {
                sum += Math.pow(predicted[row] - tested.label(row, 0), 2);
            }
        }
        return new double[] {sum / tested.size(), network.heldOutErrors()[0]};
    }

    /** Where the feature is above 1, half of the targets are large. */
    private static PackedExamples rare(int size, long seed) {
        Random random = new Random(seed);
        return PackedExamples.pack(size, 1, 1, (row, inputs, labels) -> {
            inputs[0] = (float) random.nextGaussian();
            labels[0] = inputs[0] > 1 && random.nextBoolean() ? 4 : -0.3f;
        });
    }
}

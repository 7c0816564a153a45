package io.emtal.onnx.train;

import io.emtal.onnx.adapt.HeadsOnly;
import io.emtal.onnx.backbone.BackboneSource;
import io.emtal.onnx.backbone.FeatureEnsemble;
import io.emtal.onnx.backbone.FeatureTransformer;
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
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.ToDoubleBiFunction;
import java.util.stream.IntStream;

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
    private static LogitMap found(int rows, long seed, ToDoubleBiFunction<float[], Random> r,
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
    void aTaskIsScaled() {
        LogitMap map = found(400, 1, (z, random) -> 2 * z[R] - 1 + noise(random, 0.1),
                (z, random) -> z[S] / 2 + noise(random, 0.2));
        assertEquals(Set.of(1, 3), map.lines().keySet());
        assertLine(new int[] {1}, new double[] {2}, map.lines().get(1), 0.05);
        assertLine(new int[] {3}, new double[] {0.5}, map.lines().get(3), 0.05);
    }

    @Test
    void aTaskTakesFromAnotherWhatPredictsItClearlyBetter() {
        LogitMap map = found(400, 2, (z, random) -> z[R] + noise(random, 0.5),
                (z, random) -> z[S] + 0.5 * z[R] + noise(random, 0.5));
        assertTrue(!map.lines().containsKey(1) || map.lines().get(1).of().length == 1);
        assertLine(new int[] {1, 3}, new double[] {0.5, 1}, map.lines().get(3), 0.1);
    }

    @Test
    void whatIsRightAlreadyStaysNearlyAsItIs() {
        for (long seed = 0; seed < 20; seed++) {
            LogitMap map = found(200, seed, (z, random) -> z[R] + noise(random, 1),
                    (z, random) -> z[S] + noise(random, 1));
            for (Map.Entry<Integer, LogitMap.Line> line : map.lines().entrySet()) {
                double[] same = IntStream.of(line.getValue().of()).mapToDouble(t -> t == line.getKey() ? 1 : 0).toArray();
                assertArrayEquals(same, line.getValue().slopes(), 0.25, "seed " + seed);
            }
        }
    }

    @Test
    void rowsWithoutLabelSayNothingAndFewRowsChangeNothing() {
        LogitMap map = found(100, 3, (z, random) -> random.nextInt(2) == 0 ? Float.NaN : 2 * z[R],
                (z, random) -> random.nextInt(10) == 0 ? 2 * z[S] : Float.NaN);
        assertEquals(Set.of(1), map.lines().keySet());
        assertLine(new int[] {1}, new double[] {2}, map.lines().get(1), 0.05);
    }

    private static void assertLine(int[] of, double[] slopes, LogitMap.Line line, double tolerance) {
        assertArrayEquals(of, line.of());
        assertArrayEquals(slopes, line.slopes(), tolerance);
        assertEquals(0, line.intercept());
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
        LogitMap map = new LogitMap(TASKS, Map.of(1, new LogitMap.Line(new int[] {1, 3}, new double[] {2, 0.5}, 0.25),
                3, new LogitMap.Line(new int[] {3, 1}, new double[] {3, -1}, -4)));
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
    void anEnsemblePredictsRareLargeTargetsBetter() {
        Trained without = Trained.of(ENSEMBLE, false, false);
        Trained with = Trained.of(ENSEMBLE, true, false);
        assertTrue(with.error < 0.97 * without.error, with.error + " with, " + without.error + " without");
        // The same network but for its head: farther apart, not only shifted.
        double scale = (with.predicted[0] - with.predicted[1]) / (without.predicted[0] - without.predicted[1]);
        assertTrue(scale > 1.02, "scale " + scale);
    }

    @Test
    void errorsOnHeldOutRowsAreThoseOfTheCalibratedNetworkOnFreshRows() {
        for (BackboneSource source : List.of(ENSEMBLE, FeatureTransformer.builder().width(16).depth(1).hidden(16).build())) {
            for (boolean calibrated : new boolean[] {false, true}) {
                Trained trained = Trained.of(source, calibrated, true);
                assertEquals(trained.error, trained.heldOutError, 0.06, source + ", calibrated " + calibrated);
            }
        }
    }

    private static final BackboneSource ENSEMBLE = FeatureEnsemble.builder().members(4).width(16).depth(1).hidden(16).build();

    /** What a network predicts for fresh rows, its error there, and what the training says of that. */
    private record Trained(float[] predicted, double error, double heldOutError) {

        static Trained of(BackboneSource source, boolean calibrated, boolean apart) {
            TaskLayout tasks = new TaskLayout(List.of(new RealTask("y", 0, 1, 1)));
            FeatureLayout layout = new FeatureLayout(List.of(new FeatureColumn("f", FeatureColumn.Kind.NUMERIC, 0, 1)));
            PackedExamples rows = rare(1600, 5);
            Recipe recipe = Recipe.builder().pretrainEpochs(6).epochs(1).workers(1)
                    .validationFraction(apart ? 0.2 : 0.4).testFraction(apart ? 0.4 : 0)
                    .losses(Losses.builder().calibrated(calibrated).build()).build();
            TrainedNetwork network = new Learner(new HeadsOnly(), recipe).train(source.create(layout, tasks, rows, 1), false,
                    tasks, rows, 1, TrainingListener.NONE);
            PackedExamples tested = rare(4000, 6);
            FloatBuffer inputs = FloatBuffer.allocate(tested.size());
            for (int row = 0; row < tested.size(); row++) {
                tested.inputs(row, inputs);
            }
            try (DensePredictor predictor = new DensePredictor(network.model().toByteString(), 1)) {
                float[] predicted = predictor.predict(inputs.array(), tested.size());
                double sum = 0;
                for (int row = 0; row < predicted.length; row++) {
                    sum += Math.pow(predicted[row] - tested.label(row, 0), 2);
                }
                return new Trained(predicted, Math.sqrt(sum / predicted.length), network.heldOutErrors()[0]);
            }
        }
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

package io.emtal.tribuo.evaluation;

import io.emtal.onnx.EmtalException;
import org.junit.jupiter.api.Test;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.classification.evaluation.LabelEvaluation;
import org.tribuo.classification.evaluation.LabelEvaluationUtil;
import org.tribuo.classification.evaluation.LabelEvaluator;
import org.tribuo.classification.sgd.linear.LinearSGDTrainer;
import org.tribuo.classification.sgd.objectives.LogMulticlass;
import org.tribuo.impl.ArrayExample;
import org.tribuo.math.optimisers.AdaGrad;
import org.tribuo.provenance.SimpleDataSourceProvenance;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SplittableRandom;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ClassificationMetricsTest {

    private static final double[][] SCORES = {{0.7, 0.2, 0.1}, {0.5, 0.4, 0.1}, {0.1, 0.8, 0.1}, {0.3, 0.4, 0.3}};

    @Test
    void metricsAreThoseComputedByHand() {
        // Truth 0 1 1 2, predicted 0 0 1 1.
        ClassificationMetrics metrics = ClassificationMetrics.of(new int[] {0, 1, 1, 2}, new int[] {0, 0, 1, 1}, SCORES,
                true);
        assertEquals(4, metrics.rows());
        assertEquals(0.5, metrics.accuracy().orElseThrow(), 1e-12);
        assertEquals((1 + 0.5 + 0) / 3, metrics.balancedAccuracy().orElseThrow(), 1e-12);
        // 0: 1 hit, 1 false alarm; 1: 1 hit, 1 false alarm, 1 miss; 2: 1 miss.
        assertEquals((2 / 3.0 + 2 / 4.0 + 0) / 3, metrics.macroF1().orElseThrow(), 1e-12);
        assertEquals(-(Math.log(0.7) + Math.log(0.4) + Math.log(0.8) + Math.log(0.3)) / 4,
                metrics.logLoss().orElseThrow(), 1e-12);
        // 0: 0.7 above 0.5, 0.1, 0.3: 1. 1: 0.4 and 0.8 against 0.2 and 0.4: 3.5 of 4. 2: 0.3 above all: 1.
        assertEquals((1 + 3.5 / 4 + 1) / 3, metrics.auc().orElseThrow(), 1e-12);
        // Confidences 0.7, 0.5, 0.8, 0.4 are in different ones of 15 bins.
        assertEquals((0.3 + 0.5 + 0.2 + 0.4) / 4, metrics.calibrationError().orElseThrow(), 1e-12);
    }

    @Test
    void rowsOfOneBinCalibrateEachOther() {
        double[][] scores = {{0.75, 0.25}, {0.74, 0.26}, {0.25, 0.75}, {0.26, 0.74}, {1, 0}};
        ClassificationMetrics metrics = ClassificationMetrics.of(new int[] {0, 0, 1, 0, 0}, new int[] {0, 0, 1, 1, 0},
                scores, true);
        // Three of four right at a mean confidence of 0.745; one of one at 1.
        assertEquals(4 / 5.0 * (0.75 - 0.745), metrics.calibrationError().orElseThrow(), 1e-12);
    }

    @Test
    void whatIsNotDefinedIsEmpty() {
        ClassificationMetrics none = ClassificationMetrics.of(new int[0], new int[0], new double[0][], true);
        assertEquals(new ClassificationMetrics(0, OptionalDouble.empty(), OptionalDouble.empty(),
                OptionalDouble.empty(), OptionalDouble.empty(), OptionalDouble.empty(), OptionalDouble.empty()), none);
        ClassificationMetrics single = ClassificationMetrics.of(new int[] {0, 0}, new int[] {0, 1},
                new double[][] {{0.9, 0.1}, {0.4, 0.6}}, true);
        assertTrue(single.auc().isEmpty(), "one class has no area");
        assertEquals(0.5, single.accuracy().orElseThrow());
        assertEquals(0.5, single.balancedAccuracy().orElseThrow(), "the class that does not occur has no recall");
        assertEquals((2 / 3.0 + 0) / 2, single.macroF1().orElseThrow(), 1e-12);
        ClassificationMetrics scored = ClassificationMetrics.of(new int[] {0, 1}, new int[] {0, 1},
                new double[][] {{3, -1}, {0, 7}}, false);
        assertTrue(scored.logLoss().isEmpty() && scored.calibrationError().isEmpty(), "scores are no probabilities");
        assertEquals(1, scored.auc().orElseThrow());
    }

    @Test
    void aSureAndWrongModelHasAFiniteLoss() {
        ClassificationMetrics metrics = ClassificationMetrics.of(new int[] {0}, new int[] {1}, new double[][] {{0, 1}},
                true);
        assertEquals(-Math.log(ClassificationMetrics.LEAST_PROBABILITY), metrics.logLoss().orElseThrow(), 1e-12);
    }

    @Test
    void probabilitiesThatAreNearlyEqualAreNoTies() {
        double[][] scores = {{1 - 3e-13, 3e-13}, {1 - 2e-13, 2e-13}, {1 - 1e-13, 1e-13}};
        int[] truths = {1, 0, 0};
        ClassificationMetrics metrics = ClassificationMetrics.of(truths, new int[] {0, 0, 0}, scores, true);
        assertEquals(1, metrics.auc().orElseThrow());
        assertEquals(0.5, LabelEvaluationUtil.binaryAUCROC(new boolean[] {true, false, false},
                new double[] {3e-13, 2e-13, 1e-13}), "the reason for an area of our own");
    }

    @Test
    void theAreaIsTribuosWhereScoresAreFarApart() {
        long seed = 7340011L;
        SplittableRandom random = new SplittableRandom(seed);
        for (int trial = 0; trial < 50; trial++) {
            int rows = 2 + random.nextInt(40);
            boolean[] positive = new boolean[rows];
            double[] scores = new double[rows];
            for (int row = 0; row < rows; row++) {
                positive[row] = row == 0 || row > 1 && random.nextBoolean();
                scores[row] = random.nextInt(8) / 8.0;
            }
            assertEquals(LabelEvaluationUtil.binaryAUCROC(positive, scores),
                    RocArea.of(positive, scores).orElseThrow(), 1e-12, "seed " + seed + ", trial " + trial);
        }
    }

    @Test
    void theOrderOfRowsDoesNotMatter() {
        int[] order = {2, 0, 3, 1};
        int[] truths = {0, 1, 1, 2};
        int[] predicted = {0, 0, 1, 1};
        ClassificationMetrics inOrder = ClassificationMetrics.of(truths, predicted, SCORES, true);
        ClassificationMetrics permuted = ClassificationMetrics.of(
                Arrays.stream(order).map(i -> truths[i]).toArray(),
                Arrays.stream(order).map(i -> predicted[i]).toArray(),
                Arrays.stream(order).mapToObj(i -> SCORES[i]).toArray(double[][]::new), true);
        assertEquals(inOrder.accuracy(), permuted.accuracy());
        assertEquals(inOrder.balancedAccuracy(), permuted.balancedAccuracy());
        assertEquals(inOrder.macroF1(), permuted.macroF1());
        assertEquals(inOrder.auc(), permuted.auc());
        assertEquals(inOrder.logLoss().orElseThrow(), permuted.logLoss().orElseThrow(), 1e-15);
        assertEquals(inOrder.calibrationError().orElseThrow(), permuted.calibrationError().orElseThrow(), 1e-15);
    }

    @Test
    void sharedMetricsAreThoseOfTribuosEvaluator() {
        long seed = 90210L;
        SplittableRandom random = new SplittableRandom(seed);
        LabelFactory factory = new LabelFactory();
        MutableDataset<Label> data = new MutableDataset<>(new SimpleDataSourceProvenance("random", factory), factory);
        List<String> classes = List.of("high", "low", "mid");
        for (int i = 0; i < 90; i++) {
            double x = random.nextDouble(-1, 1);
            double noisy = x + random.nextDouble(-0.5, 0.5);
            data.add(new ArrayExample<>(new Label(noisy < -0.3 ? "low" : noisy < 0.3 ? "mid" : "high"),
                    new String[] {"x", "x2"}, new double[] {x, x * x}));
        }
        Model<Label> model = new LinearSGDTrainer(new LogMulticlass(), new AdaGrad(0.5), 30, -1, 1, seed).train(data);
        List<Prediction<Label>> predictions = model.predict(data);
        ClassificationMetrics metrics = ClassificationMetrics.of(
                predictions.stream().mapToInt(p -> classes.indexOf(p.getExample().getOutput().getLabel())).toArray(),
                predictions.stream().mapToInt(p -> classes.indexOf(p.getOutput().getLabel())).toArray(),
                predictions.stream().map(p -> classes.stream()
                        .mapToDouble(c -> p.getOutputScores().get(c).getScore()).toArray()).toArray(double[][]::new),
                true);
        LabelEvaluation tribuo = new LabelEvaluator().evaluate(model, data);
        String message = "seed " + seed;
        assertEquals(tribuo.accuracy(), metrics.accuracy().orElseThrow(), 1e-12, message);
        assertEquals(1 - tribuo.balancedErrorRate(), metrics.balancedAccuracy().orElseThrow(), 1e-12, message);
        assertEquals(tribuo.macroAveragedF1(), metrics.macroF1().orElseThrow(), 1e-12, message);
        assertEquals(tribuo.averageAUCROC(false), metrics.auc().orElseThrow(), 1e-12, message);
    }

    @Test
    void wrongArraysAreRefused() {
        refused(new int[2], new int[1], new double[2][2]);
        refused(new int[] {2}, new int[1], new double[1][2]);
        refused(new int[1], new int[1], new double[][] {{Double.NaN, 1}});
        refused(new int[2], new int[2], new double[][] {{0, 1}, {1}});
        refused(new int[1], new int[1], new double[][] {{-1, 2}});
        refused(new int[1], new int[1], new double[][] {{1.1, 0}});
    }

    private static void refused(int[] truths, int[] predicted, double[][] scores) {
        assertThrows(EmtalException.class, () -> ClassificationMetrics.of(truths, predicted, scores, true));
    }
}

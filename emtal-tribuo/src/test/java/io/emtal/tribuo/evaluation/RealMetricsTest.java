package io.emtal.tribuo.evaluation;

import io.emtal.onnx.EmtalException;
import org.junit.jupiter.api.Test;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Prediction;
import org.tribuo.impl.ArrayExample;
import org.tribuo.math.optimisers.AdaGrad;
import org.tribuo.provenance.SimpleDataSourceProvenance;
import org.tribuo.regression.RegressionFactory;
import org.tribuo.regression.Regressor;
import org.tribuo.regression.evaluation.RegressionEvaluation;
import org.tribuo.regression.evaluation.RegressionEvaluator;
import org.tribuo.regression.sgd.linear.LinearSGDTrainer;
import org.tribuo.regression.sgd.objectives.SquaredLoss;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.SplittableRandom;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class RealMetricsTest {

    @Test
    void metricsAreThoseComputedByHand() {
        // Errors 1, 0, -2; own mean 3, training mean 2.
        RealMetrics metrics = RealMetrics.of(new double[] {1, 2, 6}, new double[] {2, 2, 4}, new double[] {2, 2, 2});
        assertEquals(3, metrics.rows());
        assertEquals(Math.sqrt(5 / 3.0), metrics.rmse().orElseThrow(), 1e-12);
        assertEquals(1, metrics.mae().orElseThrow(), 1e-12);
        assertEquals(1 - 5 / 14.0, metrics.r2().orElseThrow(), 1e-12);
        assertEquals(Math.sqrt(5 / 17.0), metrics.rrmse().orElseThrow(), 1e-12);
    }

    @Test
    void eachRowHasTheTrainingMeanOfItsFold() {
        RealMetrics metrics = RealMetrics.of(new double[] {1, 2}, new double[] {1, 4}, new double[] {2, 4});
        assertEquals(Math.sqrt(4 / 5.0), metrics.rrmse().orElseThrow(), 1e-12);
    }

    @Test
    void whatIsNotDefinedIsEmpty() {
        assertEquals(new RealMetrics(0, OptionalDouble.empty(), OptionalDouble.empty(), OptionalDouble.empty(),
                OptionalDouble.empty()), RealMetrics.of(new double[0], new double[0], new double[0]));
        // 0.1 three times has the mean 0.10000000000000002.
        double rounded = (0.1 + 0.1 + 0.1) / 3;
        assertTrue(rounded != 0.1);
        RealMetrics constant = RealMetrics.of(new double[] {0.1, 0.1, 0.1}, new double[] {0.1, 0.1, 0.4},
                new double[] {rounded, rounded, rounded});
        assertTrue(constant.r2().isEmpty() && constant.rrmse().isEmpty(), constant.toString());
        assertEquals(0.1, constant.mae().orElseThrow(), 1e-12);
        RealMetrics shifted = RealMetrics.of(new double[] {5, 5}, new double[] {6, 6}, new double[] {7, 7});
        assertTrue(shifted.r2().isEmpty());
        assertEquals(0.5, shifted.rrmse().orElseThrow(), 1e-12, "constant here, but not what training knew");
        assertTrue(RealMetrics.of(new double[] {1, 2}, new double[] {1, 2}, new double[] {Double.NaN, Double.NaN})
                .rrmse().isEmpty());
        // The mean of numbers that cancel each other, but for rounding.
        assertTrue(RealMetrics.of(new double[] {0, 0}, new double[] {0.1, 0}, new double[] {1.5e-17, 1.5e-17}).rrmse()
                .isEmpty());
        RealMetrics zeros = RealMetrics.of(new double[] {0, 0}, new double[] {0, 0}, new double[] {0, 0});
        assertTrue(zeros.r2().isEmpty() && zeros.rrmse().isEmpty());
        for (double unit : new double[] {1e200, 1e-170}) {
            double[] truths = {unit, 3 * unit};
            assertTrue(RealMetrics.of(truths, new double[] {unit, unit}, new double[2]).r2().isEmpty(),
                    "squares of " + unit);
        }
    }

    @Test
    void sharedMetricsAreThoseOfTribuosEvaluatorInAnyOrder() {
        long seed = 5577L;
        SplittableRandom random = new SplittableRandom(seed);
        RegressionFactory factory = new RegressionFactory();
        MutableDataset<Regressor> data = new MutableDataset<>(new SimpleDataSourceProvenance("random", factory),
                factory);
        for (int i = 0; i < 40; i++) {
            double x = random.nextDouble(-1, 1);
            data.add(new ArrayExample<>(new Regressor("t", 3 * x + random.nextDouble()), new String[] {"x"},
                    new double[] {x}));
        }
        Model<Regressor> model = new LinearSGDTrainer(new SquaredLoss(), new AdaGrad(0.1), 5, seed).train(data);
        List<Prediction<Regressor>> predictions = model.predict(data);
        double[] truths = predictions.stream().mapToDouble(p -> p.getExample().getOutput().getValues()[0]).toArray();
        double[] predicted = predictions.stream().mapToDouble(p -> p.getOutput().getValues()[0]).toArray();
        double[] means = new double[truths.length];
        Arrays.fill(means, Arrays.stream(truths).average().orElseThrow());
        RegressionEvaluation tribuo = new RegressionEvaluator().evaluate(model, data);
        for (RealMetrics metrics : List.of(RealMetrics.of(truths, predicted, means),
                RealMetrics.of(reversed(truths), reversed(predicted), means))) {
            String message = "seed " + seed;
            assertEquals(tribuo.averageRMSE(), metrics.rmse().orElseThrow(), 1e-12, message);
            assertEquals(tribuo.averageMAE(), metrics.mae().orElseThrow(), 1e-12, message);
            assertEquals(tribuo.averageR2(), metrics.r2().orElseThrow(), 1e-12, message);
            assertEquals(Math.sqrt(1 - tribuo.averageR2()), metrics.rrmse().orElseThrow(), 1e-12, message);
        }
    }

    private static double[] reversed(double[] values) {
        double[] reversed = new double[values.length];
        Arrays.setAll(reversed, i -> values[values.length - 1 - i]);
        return reversed;
    }

    @Test
    void wrongArraysAreRefused() {
        assertThrows(EmtalException.class, () -> RealMetrics.of(new double[2], new double[1], new double[2]));
        EmtalException notFinite = assertThrows(EmtalException.class,
                () -> RealMetrics.of(new double[2], new double[] {0, Double.NaN}, new double[2]));
        assertTrue(notFinite.getMessage().startsWith("row 1: "), notFinite.getMessage());
    }
}

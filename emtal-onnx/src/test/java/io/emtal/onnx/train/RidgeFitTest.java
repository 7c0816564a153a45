package io.emtal.onnx.train;

import io.emtal.onnx.LeaveOneOut;
import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class RidgeFitTest {

    private static final double[] PENALTIES = {10, 1, 0.1, 0.01, 0.001};

    @Test
    void errorsAreThoseOfFitsToTheOtherRowsAndThePenaltyIsTheBestOfThem() {
        for (long seed = 0; seed < 30; seed++) {
            Random random = new Random(seed);
            int rows = 3 + random.nextInt(20);
            int width = 1 + random.nextInt(4);
            double noise = random.nextDouble() * 2;
            double[][] inputs = new double[rows][width];
            double[] targets = new double[rows];
            for (int i = 0; i < rows; i++) {
                for (int j = 0; j < width; j++) {
                    inputs[i][j] = j + random.nextGaussian();
                }
                targets[i] = 3 - inputs[i][0] + noise * random.nextGaussian();
            }
            double[] least = null;
            for (double penalty : PENALTIES) {
                double[] errors = LeaveOneOut.errors(inputs, targets, penalty * rows);
                if (least == null || Arrays.stream(errors).sum() < Arrays.stream(least).sum()) {
                    least = errors;
                }
            }
            RidgeFit best = RidgeFit.best(inputs, targets);
            assertArrayEquals(least, best.leftOut(), 1e-8, "seed " + seed);
            assertEquals(Arrays.stream(least).sum(), best.loss(), 1e-8, "seed " + seed);
        }
    }

    @Test
    void aLineIsFound() {
        double[][] inputs = IntStream.range(0, 40).mapToObj(i -> new double[] {i / 10.0 - 2}).toArray(double[][]::new);
        double[] targets = Arrays.stream(inputs).mapToDouble(row -> 0.5 + 2 * row[0]).toArray();
        RidgeFit fit = RidgeFit.best(inputs, targets);
        assertEquals(2, fit.slopes()[0], 0.01);
        assertEquals(0.5, fit.intercept(), 0.01);
        assertTrue(fit.clearlyBetterThan(RidgeFit.constant(targets, 1)));
        assertFalse(RidgeFit.constant(targets, 1).clearlyBetterThan(fit));
        assertFalse(fit.clearlyBetterThan(fit));
    }

    @Test
    void aConstantPredictsEachRowByTheMeanOfTheOthers() {
        RidgeFit fit = RidgeFit.constant(new double[] {0, 3, 6}, 2);
        assertEquals(3, fit.intercept());
        assertArrayEquals(new double[2], fit.slopes());
        assertArrayEquals(new double[] {4.5 * 4.5, 0, 4.5 * 4.5}, fit.leftOut(), 1e-12);
    }

    @Test
    void inputsThatNeverChangeHaveNoSlope() {
        RidgeFit fit = RidgeFit.best(new double[][] {{7, 1}, {7, 2}, {7, 3}, {7, 5}}, new double[] {1, 2, 3, 5});
        assertEquals(0, fit.slopes()[0]);
        assertEquals(1, fit.slopes()[1], 0.01);
    }
}

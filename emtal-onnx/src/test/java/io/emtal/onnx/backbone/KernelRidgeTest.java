package io.emtal.onnx.backbone;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.emtal.onnx.LeaveOneOut;
import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;

class KernelRidgeTest {

    private static final double[] PENALTIES = {1, 0.1, 0.01, 0.001};

    private static float[] flat(double[][] inputs) {
        float[] flat = new float[inputs.length * inputs[0].length];
        for (int i = 0; i < flat.length; i++) {
            flat[i] = (float) inputs[i / inputs[0].length][i % inputs[0].length];
        }
        return flat;
    }

    /** The mean squared distance of the rows to their mean: that of the diagonal of their products. */
    private static double scale(double[][] inputs) {
        double sum = 0;
        for (int j = 0; j < inputs[0].length; j++) {
            int column = j;
            double mean = Arrays.stream(inputs).mapToDouble(row -> row[column]).average().orElseThrow();
            sum += Arrays.stream(inputs).mapToDouble(row -> Math.pow(row[column] - mean, 2)).average().orElseThrow();
        }
        return sum;
    }

    @Test
    void errorsAreThoseOfFitsToTheOtherRows() {
        for (long seed = 0; seed < 30; seed++) {
            Random random = new Random(seed);
            int rows = 3 + random.nextInt(20);
            // More columns than rows, too: there the dual form is the smaller one.
            int width = 1 + random.nextInt(25);
            double[][] inputs = new double[rows][width];
            double[][] targets = new double[2][rows];
            for (int i = 0; i < rows; i++) {
                for (int j = 0; j < width; j++) {
                    inputs[i][j] = (float) (j + random.nextGaussian());
                }
                targets[0][i] = 3 - inputs[i][0] + random.nextGaussian();
                targets[1][i] = i > 1 && random.nextInt(4) == 0 ? Double.NaN : random.nextGaussian();
            }
            double[] expected = Arrays.stream(targets).mapToDouble(target -> {
                double[] known = Arrays.stream(target).filter(value -> !Double.isNaN(value)).toArray();
                double mean = Arrays.stream(known).average().orElseThrow();
                double variance = Arrays.stream(known).map(value -> (value - mean) * (value - mean)).sum();
                double[] filled = Arrays.stream(target).map(value -> Double.isNaN(value) ? mean : value).toArray();
                return Arrays.stream(PENALTIES).map(penalty -> {
                    double[] errors = LeaveOneOut.errors(inputs, filled, penalty * scale(inputs));
                    return IntStream.range(0, rows).filter(i -> !Double.isNaN(target[i])).mapToDouble(i -> errors[i]).sum();
                }).map(squares -> Math.sqrt(squares / variance)).min().orElseThrow();
            }).toArray();
            assertArrayEquals(expected, new KernelRidge(flat(inputs), rows).leftOut(targets), 1e-6, "seed " + seed);
        }
    }

    @Test
    void whatNeverChangesTellsNothing() {
        double[][] constant = {{7, 1}, {7, 1}, {7, 1}, {7, 1}};
        double[] errors = new KernelRidge(flat(constant), 4).leftOut(new double[][] {{0, 1, 2, 3}, {5, 5, 5, 5}});
        assertEquals(4 / 3.0, errors[0], 1e-12);
        assertEquals(Double.NaN, errors[1]);
    }
}

package io.emtal.onnx.backbone;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.emtal.onnx.Cholesky;
import io.emtal.onnx.LeaveOneOut;
import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

class KernelRidgeTest {

    /** The last one leaves nothing but the mean. */
    private static final double[] PENALTIES = {10, 1, 0.1, 0.01, 0.001, 1e12};

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
                    inputs[i][j] = j + random.nextGaussian();
                }
                targets[0][i] = 3 - inputs[i][0] + random.nextGaussian();
                targets[1][i] = random.nextGaussian();
            }
            assertArrayEquals(expected(inputs, targets), KernelRidge.linear(inputs).leftOut(targets), 1e-6, "seed " + seed);
        }
    }

    /** The inner products of a matrix's root are the matrix: to a linear map, its rows are inputs with that kernel. */
    @Test
    void ofTheSmoothKernelTheyAreThoseOfItsRoot() {
        for (long seed = 0; seed < 30; seed++) {
            Random random = new Random(seed);
            int rows = 3 + random.nextInt(15);
            int width = 1 + random.nextInt(5);
            double[][] inputs = IntStream.range(0, rows).mapToObj(row -> random.doubles(width, -1, 1).toArray())
                    .toArray(double[][]::new);
            double[][] targets = {random.doubles(rows).toArray(), Arrays.stream(inputs).mapToDouble(x -> x[0]).toArray()};
            double square = 0;
            for (double[] x : inputs) {
                for (double[] y : inputs) {
                    square += distance(x, y) / rows / rows;
                }
            }
            double[] mean = IntStream.range(0, inputs[0].length).mapToDouble(column ->
                    Arrays.stream(inputs).mapToDouble(x -> x[column]).average().orElseThrow()).toArray();
            double[][] kernel = new double[rows][rows];
            for (int i = 0; i < rows; i++) {
                for (int j = 0; j < rows; j++) {
                    double product = 0;
                    for (int c = 0; c < mean.length; c++) {
                        product += (inputs[i][c] - mean[c]) * (inputs[j][c] - mean[c]);
                    }
                    kernel[i][j] = Math.exp(-distance(inputs[i], inputs[j]) / 2 / square) + 2 * product / square;
                }
            }
            assertArrayEquals(expected(Cholesky.of(kernel, 1e-9).root(), targets), KernelRidge.smooth(inputs).leftOut(targets),
                    1e-5, "seed " + seed);
        }
    }

    private static double distance(double[] x, double[] y) {
        return IntStream.range(0, x.length).mapToDouble(i -> Math.pow(x[i] - y[i], 2)).sum();
    }

    private static double[] expected(double[][] inputs, double[][] targets) {
        return Arrays.stream(targets).mapToDouble(target -> {
            double mean = Arrays.stream(target).average().orElseThrow();
            double variance = Arrays.stream(target).map(value -> (value - mean) * (value - mean)).sum();
            return Arrays.stream(PENALTIES)
                    .map(penalty -> Arrays.stream(LeaveOneOut.errors(inputs, target, penalty * scale(inputs))).sum())
                    .map(squares -> Math.sqrt(squares / variance)).min().orElseThrow();
        }).toArray();
    }

    @Test
    void whatNeverChangesTellsNothing() {
        double[][] constant = {{7, 0.1}, {7, 0.1}, {7, 0.1}};
        for (KernelRidge ridge : List.of(KernelRidge.linear(constant), KernelRidge.smooth(constant))) {
            double[] errors = ridge.leftOut(new double[][] {{0, 1, 2}, {5, 5, 5}});
            assertEquals(1.5, errors[0], 1e-12);
            assertEquals(Double.NaN, errors[1]);
        }
    }
}

package io.emtal.onnx.backbone;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.emtal.onnx.Cholesky;
import io.emtal.onnx.LeaveOneOut;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;

class KernelRidgeTest {

    /** The first one leaves nothing but the mean. */
    private static final double[] PENALTIES = {1e12, 10, 1, 0.1, 0.01, 0.001};

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
    void errorsAreThoseOfFitsToTheTrainingRows() {
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
            assertSquares(inputs, targets, KernelRidge.linear(byColumns(inputs)), seed);
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
            assertSquares(Cholesky.of(kernel, 1e-9).root(), targets, KernelRidge.smooth(byColumns(inputs)), seed);
        }
    }

    private static double[][] byColumns(double[][] rows) {
        return IntStream.range(0, rows[0].length)
                .mapToObj(j -> Arrays.stream(rows).mapToDouble(row -> row[j]).toArray()).toArray(double[][]::new);
    }

    private static double distance(double[] x, double[] y) {
        return IntStream.range(0, x.length).mapToDouble(i -> Math.pow(x[i] - y[i], 2)).sum();
    }

    /** Some rows are trained on, some predicted, and some neither. */
    private static void assertSquares(double[][] inputs, double[][] targets, KernelRidge ridge, long seed) {
        List<Integer> order = new ArrayList<>(IntStream.range(0, inputs.length).boxed().toList());
        Collections.shuffle(order, new Random(seed));
        int first = Math.max(2, inputs.length / 2);
        int[] training = order.subList(0, first).stream().mapToInt(i -> i).toArray();
        int[] held = order.subList(first, inputs.length - inputs.length / 5).stream().mapToInt(i -> i).toArray();
        double scale = scale(Arrays.stream(training).mapToObj(i -> inputs[i]).toArray(double[][]::new));
        double[][] squares = ridge.squares(training, of(targets, training), held, of(targets, held));
        for (int t = 0; t < targets.length; t++) {
            double[] target = targets[t];
            assertArrayEquals(Arrays.stream(PENALTIES).map(penalty -> Arrays.stream(held).mapToDouble(out ->
                    LeaveOneOut.squared(inputs, target, training, out, penalty * scale)).sum()).toArray(), squares[t], 1e-4,
                    "seed " + seed);
        }
    }

    private static double[][] of(double[][] targets, int[] rows) {
        return Arrays.stream(targets).map(target -> Arrays.stream(rows).mapToDouble(row -> target[row]).toArray())
                .toArray(double[][]::new);
    }

    @Test
    void whatNeverChangesTellsNothing() {
        double[][] constant = {{7, 7, 7}, {0.1, 0.1, 0.1}};
        for (KernelRidge ridge : List.of(KernelRidge.linear(constant), KernelRidge.smooth(constant))) {
            double[][] squares = ridge.squares(new int[] {0, 1}, new double[][] {{0, 1}, {5, 5}}, new int[] {2},
                    new double[][] {{2}, {5}});
            for (int fit = 0; fit < KernelRidge.FITS; fit++) {
                assertEquals(1.5 * 1.5, squares[0][fit], 1e-12);
                assertEquals(0, squares[1][fit], 1e-12);
            }
        }
    }
}

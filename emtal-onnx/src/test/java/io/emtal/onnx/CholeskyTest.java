package io.emtal.onnx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.util.Random;

class CholeskyTest {

    /** Products of random rows, of which there are enough or not; above the diagonal there is nothing to be read. */
    private static double[][] products(Random random, int size) {
        double[][] rows = new double[size][1 + random.nextInt(2 * size)];
        for (double[] row : rows) {
            for (int j = 0; j < row.length; j++) {
                row[j] = random.nextGaussian();
            }
        }
        double[][] products = new double[size][size];
        for (int i = 0; i < size; i++) {
            for (int j = 0; j < size; j++) {
                for (int k = 0; k < rows[i].length; k++) {
                    products[i][j] += j > i ? Double.NaN : rows[i][k] * rows[j][k];
                }
            }
        }
        return products;
    }

    private static double[] times(double[][] matrix, double[] vector, boolean transposed) {
        double[] product = new double[vector.length];
        for (int i = 0; i < product.length; i++) {
            for (int j = 0; j < product.length; j++) {
                product[i] += (transposed ? matrix[j][i] : matrix[i][j]) * vector[j];
            }
        }
        return product;
    }

    @Test
    void theRootTimesItselfIsTheMatrixAndSolvesWithIt() {
        for (long seed = 0; seed < 50; seed++) {
            Random random = new Random(seed);
            int size = 1 + random.nextInt(12);
            double diagonal = 0.1 + random.nextDouble();
            double[][] matrix = products(random, size);
            Cholesky factor = Cholesky.of(matrix, diagonal);
            for (int i = 0; i < size; i++) {
                double[] unit = new double[size];
                unit[i] = 1;
                double[] column = times(factor.root(), times(factor.root(), unit, true), false);
                for (int j = i; j < size; j++) {
                    assertEquals(matrix[j][i] + (i == j ? diagonal : 0), column[j], 1e-10, "seed " + seed);
                }
                double[] below = factor.solvedBelow(unit);
                double[] solved = factor.solvedAbove(below);
                assertArrayEquals(unit, times(factor.root(), below, false), 1e-9, "seed " + seed);
                assertArrayEquals(below, times(factor.root(), solved, true), 1e-9, "seed " + seed);
            }
        }
    }
}

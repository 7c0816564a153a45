package io.emtal.onnx;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

import java.util.Random;
import java.util.stream.IntStream;

class ProductsTest {

    private static double[][] random(Random random, int arrays, int length) {
        return IntStream.range(0, arrays).mapToObj(k -> random.doubles(length, -1, 1).toArray())
                .toArray(double[][]::new);
    }

    /** Of numbers of columns that are multiples of four or not, and more than are added at once. */
    @Test
    void ofRowsAreTheSumsOverTheColumns() {
        for (long seed = 0; seed < 40; seed++) {
            Random random = new Random(seed);
            double[][] columns = random(random, 1 + random.nextInt(200), 1 + random.nextInt(40));
            double[][] products = Products.ofRows(columns);
            assertEquals(columns[0].length, products.length);
            for (int i = 0; i < products.length; i++) {
                for (int j = 0; j < products.length; j++) {
                    double product = 0;
                    double size = 0;
                    for (double[] column : columns) {
                        product += column[i] * column[j];
                        size += Math.abs(column[i] * column[j]);
                    }
                    assertEquals(product, products[i][j], 1e-12 * size, "seed " + seed);
                }
            }
        }
    }

    @Test
    void squaresAreThoseOfTheMatrix() {
        for (long seed = 0; seed < 40; seed++) {
            Random random = new Random(seed);
            int rows = 1 + random.nextInt(40);
            double[][] matrix = Products.ofRows(random(random, 10, rows));
            double[][] vectors = random(random, 5, rows);
            double[] squares = Products.squares(matrix, vectors);
            for (int v = 0; v < vectors.length; v++) {
                double square = 0;
                double size = 0;
                for (int i = 0; i < rows; i++) {
                    for (int j = 0; j < rows; j++) {
                        square += vectors[v][i] * matrix[i][j] * vectors[v][j];
                        size += Math.abs(vectors[v][i] * matrix[i][j] * vectors[v][j]);
                    }
                }
                assertEquals(square, squares[v], 1e-12 * size, "seed " + seed);
            }
        }
    }
}

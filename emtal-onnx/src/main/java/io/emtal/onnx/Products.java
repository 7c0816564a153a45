package io.emtal.onnx;

import java.util.Arrays;

/** Inner products as sums of multiples of arrays, of which a processor computes several elements at once. */
public final class Products {

    /** How many arrays are added to all sums before the next ones are: as many as a processor's nearest cache holds. */
    private static final int BLOCK = 16;

    private Products() {
    }

    /**
     * The inner products of all rows.
     *
     * @param columns for each column, of which there is one or more, one number a row
     * @return the symmetric matrix of the products
     */
    public static double[][] ofRows(double[][] columns) {
        int rows = columns[0].length;
        double[][] terms = inFours(columns);
        double[][] products = new double[rows][rows];
        for (int first = 0; first < terms.length; first += BLOCK) {
            int end = Math.min(first + BLOCK, terms.length);
            for (int i = 0; i < rows; i++) {
                for (int k = first; k < end; k += 4) {
                    add(terms, k, terms[k][i], terms[k + 1][i], terms[k + 2][i], terms[k + 3][i],
                            products[i], 0, i + 1);
                }
            }
        }
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < i; j++) {
                products[j][i] = products[i][j];
            }
        }
        return products;
    }

    /**
     * What a symmetric matrix A makes of vectors.
     *
     * @param matrix A
     * @param vectors each with an element for each of A's rows
     * @return for each vector v the number vᵀ·A·v
     */
    public static double[] squares(double[][] matrix, double[][] vectors) {
        double[][] terms = inFours(matrix);
        double[] squares = new double[vectors.length];
        for (int v = 0; v < vectors.length; v++) {
            double[] factors = Arrays.copyOf(vectors[v], terms.length);
            double[] sum = new double[matrix.length];
            for (int k = 0; k < terms.length; k += 4) {
                add(terms, k, factors[k], factors[k + 1], factors[k + 2], factors[k + 3], sum, 0, sum.length);
            }
            for (int i = 0; i < sum.length; i++) {
                squares[v] += sum[i] * factors[i];
            }
        }
        return squares;
    }

    /** With arrays of zeros at the end, so that there are four, or eight, and so on. */
    private static double[][] inFours(double[][] arrays) {
        double[][] terms = Arrays.copyOf(arrays, (arrays.length + 3) / 4 * 4);
        Arrays.fill(terms, arrays.length, terms.length, new double[arrays[0].length]);
        return terms;
    }

    /** Adds multiples of four arrays, from the k-th on and one after the other, to some elements of sums. */
    static void add(double[][] terms, int k, double a, double b, double c, double d,
                    double[] sums, int start, int end) {
        double[] first = terms[k];
        double[] second = terms[k + 1];
        double[] third = terms[k + 2];
        double[] fourth = terms[k + 3];
        for (int i = start; i < end; i++) {
            sums[i] = sums[i] + a * first[i] + b * second[i] + c * third[i] + d * fourth[i];
        }
    }
}

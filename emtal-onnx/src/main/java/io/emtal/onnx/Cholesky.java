package io.emtal.onnx;

/**
 * The factor R of a symmetric positive definite matrix R·Rᵀ (Cholesky).
 *
 * @param root R, row after row; what is above the diagonal is 0
 */
public record Cholesky(double[][] root) {

    /**
     * Factorises a matrix with something added to its diagonal.
     *
     * @param matrix square; what is on and below the diagonal is read
     * @param diagonal is added to each element of the diagonal
     * @return the factor of the sum, which must be positive definite
     */
    public static Cholesky of(double[][] matrix, double diagonal) {
        int size = matrix.length;
        double[][] root = new double[size][size];
        for (int i = 0; i < size; i++) {
            System.arraycopy(matrix[i], 0, root[i], 0, i + 1);
            root[i][i] += diagonal;
        }
        double[] column = new double[size];
        for (int k = 0; k < size; k++) {
            root[k][k] = Math.sqrt(root[k][k]);
            for (int i = k + 1; i < size; i++) {
                double[] row = root[i];
                row[k] /= root[k][k];
                column[i] = row[k];
                subtract(row[k], column, row, k + 1, i + 1);
            }
        }
        return new Cholesky(root);
    }

    /** Subtracts a multiple of elements from others. */
    private static void subtract(double factor, double[] elements, double[] from, int start, int end) {
        for (int i = start; i < end; i++) {
            from[i] -= factor * elements[i];
        }
    }

    /**
     * Solves R·x = b.
     *
     * @param b one element a row
     * @return x
     */
    public double[] solvedBelow(double[] b) {
        double[] x = new double[b.length];
        for (int i = 0; i < x.length; i++) {
            double rest = b[i];
            for (int j = 0; j < i; j++) {
                rest -= root[i][j] * x[j];
            }
            x[i] = rest / root[i][i];
        }
        return x;
    }

    /**
     * Solves Rᵀ·x = b.
     *
     * @param b one element a row
     * @return x
     */
    public double[] solvedAbove(double[] b) {
        double[] x = b.clone();
        for (int i = x.length - 1; i >= 0; i--) {
            x[i] /= root[i][i];
            subtract(x[i], root[i], x, 0, i);
        }
        return x;
    }
}

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
        // Row after row of Rᵀ; those that are not known yet are 0.
        double[][] transposed = new double[(size + 3) / 4 * 4][size];
        double[][] root = new double[size][size];
        for (int k = 0; k < size; k++) {
            double[] row = new double[size];
            for (int i = k; i < size; i++) {
                row[i] = matrix[i][k];
            }
            row[k] += diagonal;
            for (int j = 0; j < k; j += 4) {
                Products.add(transposed, j, -transposed[j][k], -transposed[j + 1][k], -transposed[j + 2][k],
                        -transposed[j + 3][k], row, k, size);
            }
            row[k] = Math.sqrt(row[k]);
            root[k][k] = row[k];
            for (int i = k + 1; i < size; i++) {
                row[i] /= row[k];
                root[i][k] = row[i];
            }
            transposed[k] = row;
        }
        return new Cholesky(root);
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
            for (int j = 0; j < i; j++) {
                x[j] -= x[i] * root[i][j];
            }
        }
        return x;
    }
}

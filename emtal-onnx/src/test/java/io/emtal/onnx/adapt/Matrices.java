package io.emtal.onnx.adapt;

import java.util.Arrays;
import java.util.SplittableRandom;

/** Double-precision matrices as arrays of rows, for references. */
final class Matrices {

    private Matrices() {
    }

    static double[][] of(float[] elements, int rows, int columns) {
        double[][] matrix = new double[rows][columns];
        for (int i = 0; i < rows * columns; i++) {
            matrix[i / columns][i % columns] = elements[i];
        }
        return matrix;
    }

    static double[][] random(int rows, int columns, SplittableRandom random) {
        double[][] matrix = new double[rows][columns];
        for (double[] row : matrix) {
            Arrays.setAll(row, i -> random.nextGaussian());
        }
        return matrix;
    }

    static double[][] times(double[][] a, double[][] b) {
        double[][] product = new double[a.length][b[0].length];
        for (int i = 0; i < a.length; i++) {
            for (int k = 0; k < b.length; k++) {
                for (int j = 0; j < b[0].length; j++) {
                    product[i][j] += a[i][k] * b[k][j];
                }
            }
        }
        return product;
    }

    static double[][] plus(double[][] a, double[][] b) {
        double[][] sum = new double[a.length][];
        for (int i = 0; i < a.length; i++) {
            double[] left = a[i];
            double[] right = b[i];
            sum[i] = new double[left.length];
            Arrays.setAll(sum[i], j -> left[j] + right[j]);
        }
        return sum;
    }

    static double[][] plusRow(double[][] a, double[] row) {
        double[][] rows = new double[a.length][];
        Arrays.fill(rows, row);
        return plus(a, rows);
    }

    static double[][] scaled(double[][] a, double factor) {
        return Arrays.stream(a).map(r -> Arrays.stream(r).map(v -> factor * v).toArray()).toArray(double[][]::new);
    }

    static double[][] columns(double[][] a, int from, int to) {
        return Arrays.stream(a).map(r -> Arrays.copyOfRange(r, from, to)).toArray(double[][]::new);
    }

    static double[][] rows(double[][] a, int from, int to) {
        return Arrays.copyOfRange(a, from, to);
    }

    static double difference(double[][] a, double[][] b) {
        double most = 0;
        for (int i = 0; i < a.length; i++) {
            for (int j = 0; j < a[i].length; j++) {
                most = Math.max(most, Math.abs(a[i][j] - b[i][j]));
            }
        }
        return most;
    }

    static double[] softmax(double[] logits) {
        double most = Arrays.stream(logits).max().orElseThrow();
        double[] exponentials = Arrays.stream(logits).map(z -> Math.exp(z - most)).toArray();
        double sum = Arrays.stream(exponentials).sum();
        return Arrays.stream(exponentials).map(e -> e / sum).toArray();
    }

    static double[][] gelu(double[][] a) {
        return Arrays.stream(a).map(r -> Arrays.stream(r).map(v -> v / 2 * (1 + erf(v / Math.sqrt(2)))).toArray())
                .toArray(double[][]::new);
    }

    /** erf x = 2/√π · e^(−x²) · Σ 2ⁿ x^(2n+1) / (2n+1)!!, a series without cancellation. */
    private static double erf(double x) {
        if (Math.abs(x) > 6) {
            return Math.signum(x);
        }
        double term = x;
        double sum = x;
        for (int n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
            term *= 2 * x * x / (2 * n + 1);
            sum += term;
        }
        return 2 / Math.sqrt(Math.PI) * Math.exp(-x * x) * sum;
    }

    /** The rank: Gaussian elimination with complete pivoting, pivots below a fraction of the first are none. */
    static int rank(double[][] matrix, double tolerance) {
        double[][] a = Arrays.stream(matrix).map(double[]::clone).toArray(double[][]::new);
        double first = 0;
        for (int k = 0; k < Math.min(a.length, a[0].length); k++) {
            int row = k;
            int column = k;
            for (int i = k; i < a.length; i++) {
                for (int j = k; j < a[0].length; j++) {
                    if (Math.abs(a[i][j]) > Math.abs(a[row][column])) {
                        row = i;
                        column = j;
                    }
                }
            }
            double pivot = a[row][column];
            first = k == 0 ? Math.abs(pivot) : first;
            if (Math.abs(pivot) <= tolerance * first || pivot == 0) {
                return k;
            }
            double[] swapped = a[k];
            a[k] = a[row];
            a[row] = swapped;
            for (double[] r : a) {
                double element = r[k];
                r[k] = r[column];
                r[column] = element;
            }
            for (int i = k + 1; i < a.length; i++) {
                double factor = a[i][k] / a[k][k];
                for (int j = k; j < a[0].length; j++) {
                    a[i][j] -= factor * a[k][j];
                }
            }
        }
        return Math.min(a.length, a[0].length);
    }
}

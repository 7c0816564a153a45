package io.emtal.onnx.backbone;

import io.emtal.onnx.Cholesky;

import java.util.Arrays;

/**
 * Ridge regression (Hoerl and Kennard 1970) on few rows of many columns, in its dual form (Saunders, Gammerman and Vovk
 * 1998): with the rows' inner products K and a penalty λ, the residuals of targets y are λ (K + λI)⁻¹ y. Inputs and
 * targets are centred, so that a constant is learnt besides.
 */
final class KernelRidge {

    /** λ, in the mean of K's diagonal. */
    private static final double[] PENALTIES = {10, 1, 0.1, 0.01, 0.001};

    private final double[][] products;
    private final double scale;

    private KernelRidge(double[][] products) {
        this.products = products;
        scale = trace(products) / products.length;
    }

    /**
     * A linear map.
     *
     * @param inputs row after row, two or more
     * @return its regression
     */
    static KernelRidge linear(double[][] inputs) {
        return new KernelRidge(products(inputs));
    }

    /**
     * A linear map and a smooth function, of which the same is expected: with s² the mean squared distance of two rows,
     * the sum of the kernels 2 x·y / s² and exp(−|x − y|² / 2s²), both 1 in the mean for x = y.
     *
     * @param inputs row after row, two or more
     * @return its regression
     */
    static KernelRidge smooth(double[][] inputs) {
        double[][] products = products(inputs);
        int rows = inputs.length;
        double square = Math.max(Double.MIN_NORMAL, 2 * trace(products) / rows);
        double[][] kernel = new double[rows][rows];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j <= i; j++) {
                double distance = products[i][i] + products[j][j] - 2 * products[i][j];
                kernel[i][j] = Math.exp(-distance / (2 * square)) + 2 * products[i][j] / square;
                kernel[j][i] = kernel[i][j];
            }
        }
        double[] means = Arrays.stream(kernel).mapToDouble(row -> Arrays.stream(row).sum() / rows).toArray();
        double mean = Arrays.stream(means).sum() / rows;
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < rows; j++) {
                kernel[i][j] += mean - means[i] - means[j];
            }
        }
        return new KernelRidge(kernel);
    }

    /** On and below the diagonal. */
    private static double[][] products(double[][] inputs) {
        double[][] centred = centred(inputs);
        double[][] products = new double[inputs.length][inputs.length];
        for (int i = 0; i < inputs.length; i++) {
            for (int j = 0; j <= i; j++) {
                products[i][j] = dot(centred[i], centred[j]);
            }
        }
        return products;
    }

    private static double trace(double[][] matrix) {
        double sum = 0;
        for (int i = 0; i < matrix.length; i++) {
            sum += matrix[i][i];
        }
        return sum;
    }

    private static double[][] centred(double[][] inputs) {
        double[] sums = new double[inputs[0].length];
        for (double[] row : inputs) {
            for (int j = 0; j < sums.length; j++) {
                sums[j] += row[j];
            }
        }
        double[][] centred = new double[inputs.length][sums.length];
        for (int i = 0; i < inputs.length; i++) {
            for (int j = 0; j < sums.length; j++) {
                centred[i][j] = inputs[i][j] - sums[j] / inputs.length;
            }
        }
        return centred;
    }

    /**
     * How well each row is predicted from all others, by the mean or with the penalty that does it best. With its
     * leverage h, a row's residual e becomes e / (1 − h) once it is left out (Allen 1974); the mean takes a leverage of
     * 1/rows.
     *
     * @param targets for each target one number a row
     * @return for each target the root of the mean squared error, in its standard deviation; not-a-number for a constant
     *     one
     */
    double[] leftOut(double[][] targets) {
        int rows = products.length;
        double[][] deviations = Arrays.stream(targets).map(KernelRidge::deviations).toArray(double[][]::new);
        double[] variances = Arrays.stream(deviations).mapToDouble(target -> dot(target, target)).toArray();
        double[] least = Arrays.stream(variances).map(v -> v == 0 ? Double.NaN : rows / (rows - 1.0)).toArray();
        for (double penalty : Arrays.stream(PENALTIES).map(p -> p * scale).filter(p -> p > 0).toArray()) {
            Cholesky factor = Cholesky.of(products, penalty);
            double[] inverse = factor.inverseDiagonal();
            for (int t = 0; t < least.length; t++) {
                if (variances[t] > 0) {
                    double squares = squares(factor.solvedAbove(factor.solvedBelow(deviations[t])), inverse, penalty);
                    least[t] = Math.min(least[t], Math.sqrt(squares / variances[t]));
                }
            }
        }
        return least;
    }

    private static double squares(double[] dual, double[] inverse, double penalty) {
        double squares = 0;
        for (int i = 0; i < dual.length; i++) {
            double error = penalty * dual[i] / (penalty * inverse[i] - 1.0 / dual.length);
            squares += error * error;
        }
        return squares;
    }

    private static double[] deviations(double[] target) {
        double mean = Arrays.stream(target).average().orElseThrow();
        return Arrays.stream(target).map(value -> value - mean).toArray();
    }

    static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}

package io.emtal.onnx.backbone;

import io.emtal.onnx.Cholesky;

import java.util.Arrays;

/**
 * Ridge regression (Hoerl and Kennard 1970) on few rows of many columns, in its dual form (Saunders, Gammerman and Vovk
 * 1998): with the rows' inner products K and a penalty λ, the residuals of targets y are λ (K + λI)⁻¹ y. Inputs and
 * targets are centred.
 */
final class KernelRidge {

    /** λ, in the mean of K's diagonal. */
    private static final double[] PENALTIES = {1, 0.1, 0.01, 0.001};

    private final double[][] products;
    private final double scale;

    /**
     * Reads the rows.
     *
     * @param inputs row after row
     * @param rows how many, two or more
     */
    KernelRidge(float[] inputs, int rows) {
        double[][] centred = centred(inputs, rows);
        products = new double[rows][rows];
        double sum = 0;
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j <= i; j++) {
                products[i][j] = dot(centred[i], centred[j]);
            }
            sum += products[i][i];
        }
        scale = sum / rows;
    }

    private static double[][] centred(float[] inputs, int rows) {
        int width = inputs.length / rows;
        double[] means = new double[width];
        for (int i = 0; i < inputs.length; i++) {
            means[i % width] += inputs[i] / (double) rows;
        }
        double[][] centred = new double[rows][width];
        for (int i = 0; i < inputs.length; i++) {
            centred[i / width][i % width] = inputs[i] - means[i % width];
        }
        return centred;
    }

    /**
     * How well each row is predicted from all others, with the penalty that does it best. With its leverage h, a row's
     * residual e becomes e / (1 − h) once it is left out (Allen 1974); the mean takes a leverage of 1/rows.
     *
     * @param targets for each target one number a row, not-a-number where it is missing; those count as the mean
     * @return for each target the root of the mean squared error over its rows, in its standard deviation; not-a-number
     *     for a constant one
     */
    double[] leftOut(double[][] targets) {
        double[][] deviations = Arrays.stream(targets).map(KernelRidge::deviations).toArray(double[][]::new);
        double[] least = new double[targets.length];
        Arrays.fill(least, Double.POSITIVE_INFINITY);
        for (double penalty : scale == 0 ? new double[] {1} : PENALTIES) {
            double ridge = scale == 0 ? 1 : penalty * scale;
            Cholesky factor = Cholesky.of(products, ridge);
            double[] inverse = factor.inverseDiagonal();
            for (int t = 0; t < least.length; t++) {
                double[] dual = factor.solvedAbove(factor.solvedBelow(deviations[t]));
                double squares = 0;
                for (int i = 0; i < dual.length; i++) {
                    double error = ridge * dual[i] / (ridge * inverse[i] - 1.0 / dual.length);
                    squares += Double.isNaN(targets[t][i]) ? 0 : error * error;
                }
                least[t] = Math.min(least[t], Math.sqrt(squares / dot(deviations[t], deviations[t])));
            }
        }
        return least;
    }

    /** A target without its mean; 0 where it is missing. */
    private static double[] deviations(double[] target) {
        double mean = Arrays.stream(target).filter(value -> !Double.isNaN(value)).average().orElse(0);
        return Arrays.stream(target).map(value -> Double.isNaN(value) ? 0 : value - mean).toArray();
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }
}

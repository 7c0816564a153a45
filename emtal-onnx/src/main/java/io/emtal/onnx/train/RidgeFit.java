package io.emtal.onnx.train;

import io.emtal.onnx.Cholesky;

/**
 * A linear function that predicts a number: least squares with a penalty λ on the squared slopes (Hoerl and Kennard 1970),
 * λ being that whose leave-one-out errors are least. Those follow from one fit: e_i / (1 − h_i), with the leverages h_i
 * (Allen 1974).
 *
 * @param intercept what is predicted where all inputs are 0
 * @param slopes one an input
 * @param leftOut the squared error of each row, predicted by the fit to the others
 */
record RidgeFit(double intercept, double[] slopes, double[] leftOut) {

    /** λ by rows: inputs and targets have a variance near 1. */
    private static final double[] PENALTIES = {10, 1, 0.1, 0.01, 0.001};

    /**
     * The mean of the targets.
     *
     * @param targets two or more
     * @param inputs the number of inputs, which have slopes of 0
     */
    static RidgeFit constant(double[] targets, int inputs) {
        double mean = mean(targets);
        double[] leftOut = new double[targets.length];
        for (int i = 0; i < leftOut.length; i++) {
            leftOut[i] = square((targets[i] - mean) / (1 - 1.0 / targets.length));
        }
        return new RidgeFit(mean, new double[inputs], leftOut);
    }

    /**
     * The best of several penalties.
     *
     * @param inputs row after row, two or more
     * @param targets one a row
     */
    static RidgeFit best(double[][] inputs, double[] targets) {
        int rows = targets.length;
        int width = inputs[0].length;
        double[] means = new double[width];
        for (double[] row : inputs) {
            for (int j = 0; j < width; j++) {
                means[j] += row[j] / rows;
            }
        }
        double mean = mean(targets);
        double[][] centred = new double[rows][width];
        double[][] products = new double[width][width];
        double[] moments = new double[width];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < width; j++) {
                centred[i][j] = inputs[i][j] - means[j];
                moments[j] += centred[i][j] * (targets[i] - mean);
                for (int l = 0; l <= j; l++) {
                    products[j][l] += centred[i][j] * centred[i][l];
                }
            }
        }
        RidgeFit best = null;
        for (double penalty : PENALTIES) {
            RidgeFit fit = fit(centred, means, targets, mean, moments, Cholesky.of(products, penalty * rows));
            best = best == null || fit.loss() < best.loss() ? fit : best;
        }
        return best;
    }

    /** The fit with the root of the inputs' products and λ on their diagonal. */
    private static RidgeFit fit(double[][] centred, double[] means, double[] targets, double mean, double[] moments,
                                Cholesky root) {
        double[] half = root.solvedBelow(moments);
        double[] leftOut = new double[targets.length];
        for (int i = 0; i < leftOut.length; i++) {
            double[] row = root.solvedBelow(centred[i]);
            double error = targets[i] - mean - dot(row, half);
            leftOut[i] = square(error / (1 - 1.0 / leftOut.length - dot(row, row)));
        }
        double[] slopes = root.solvedAbove(half);
        return new RidgeFit(mean - dot(slopes, means), slopes, leftOut);
    }

    /** The sum of the squared errors of rows that were left out. */
    double loss() {
        double sum = 0;
        for (double error : leftOut) {
            sum += error;
        }
        return sum;
    }

    /** Whether this predicts rows that were left out better than another, by more than a standard error of the difference. */
    boolean clearlyBetterThan(RidgeFit other) {
        int rows = leftOut.length;
        double gain = (other.loss() - loss()) / rows;
        double variance = 0;
        for (int i = 0; i < rows; i++) {
            variance += square(other.leftOut[i] - leftOut[i] - gain) / (rows - 1);
        }
        return gain > Math.sqrt(variance / rows);
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += a[i] * b[i];
        }
        return sum;
    }

    private static double mean(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum / values.length;
    }

    private static double square(double x) {
        return x * x;
    }
}

package io.emtal.onnx.backbone;

import io.emtal.onnx.Cholesky;
import io.emtal.onnx.Products;

import java.util.Arrays;

/**
 * Ridge regression (Hoerl and Kennard 1970) on few rows of many columns, in its dual form (Saunders, Gammerman and Vovk
 * 1998): with the rows' inner products K and a penalty λ, the weights of the training rows are (K + λI)⁻¹ y. Inputs and
 * targets are centred, so that a constant is learnt besides.
 */
final class KernelRidge {

    /** λ, in the mean of K's diagonal. */
    private static final double[] PENALTIES = {10, 1, 0.1, 0.01, 0.001};

    /** In how many ways rows are predicted: by the mean, and with each penalty. */
    static final int FITS = 1 + PENALTIES.length;

    private final double[][] kernel;

    private KernelRidge(double[][] kernel) {
        this.kernel = kernel;
    }

    /**
     * A linear map.
     *
     * @param inputs for each input one number a row, of which there are two or more
     * @return its regression
     */
    static KernelRidge linear(double[][] inputs) {
        return new KernelRidge(products(inputs));
    }

    /**
     * A linear map and a smooth function, of which the same is expected: with s² the mean squared distance of two rows,
     * the sum of the kernels 2 x·y / s² and exp(−|x − y|² / 2s²), both 1 in the mean for x = y.
     *
     * @param inputs for each input one number a row, of which there are two or more
     * @return its regression
     */
    static KernelRidge smooth(double[][] inputs) {
        double[][] products = products(inputs);
        int rows = products.length;
        double trace = 0;
        for (int i = 0; i < rows; i++) {
            trace += products[i][i];
        }
        double square = Math.max(Double.MIN_NORMAL, 2 * trace / rows);
        double[][] kernel = new double[rows][rows];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j <= i; j++) {
                double distance = products[i][i] + products[j][j] - 2 * products[i][j];
                kernel[i][j] = Math.exp(-distance / (2 * square)) + 2 * products[i][j] / square;
                kernel[j][i] = kernel[i][j];
            }
        }
        return new KernelRidge(kernel);
    }

    /** Of the rows' deviations from their mean. */
    private static double[][] products(double[][] inputs) {
        return Products.ofRows(Arrays.stream(inputs).map(KernelRidge::centred).toArray(double[][]::new));
    }

    /** Deviations from the mean. */
    static double[] centred(double[] values) {
        double mean = mean(values);
        double[] centred = new double[values.length];
        for (int i = 0; i < values.length; i++) {
            centred[i] = values[i] - mean;
        }
        return centred;
    }

    private static double mean(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return values.length == 0 ? 0 : sum / values.length;
    }

    /**
     * How well some rows are predicted from others.
     *
     * @param training the rows that are learnt from
     * @param known for each target one number a training row
     * @param held the rows that are predicted
     * @param wanted for each target one number a held row
     * @return for each target the sum of its squared errors in each of {@link #FITS} ways
     */
    double[][] squares(int[] training, double[][] known, int[] held, double[][] wanted) {
        double[][] among = part(training, training);
        double[][] across = part(held, training);
        double[] means = means(among);
        double mean = mean(means);
        centre(among, means, means, mean);
        centre(across, means(across), means, mean);
        double scale = 0;
        for (int i = 0; i < training.length; i++) {
            scale += among[i][i] / training.length;
        }
        double[] levels = means(known);
        double[][] squares = new double[known.length][FITS];
        for (int t = 0; t < known.length; t++) {
            Arrays.fill(squares[t], squares(wanted[t], levels[t], across, new double[training.length]));
        }
        for (int p = 0; p < PENALTIES.length && scale > Double.MIN_NORMAL; p++) {
            Cholesky factor = Cholesky.of(among, PENALTIES[p] * scale);
            for (int t = 0; t < known.length; t++) {
                double level = levels[t];
                double[] deviations = Arrays.stream(known[t]).map(value -> value - level).toArray();
                squares[t][1 + p] = squares(wanted[t], level, across,
                        factor.solvedAbove(factor.solvedBelow(deviations)));
            }
        }
        return squares;
    }

    private double[][] part(int[] rows, int[] columns) {
        double[][] part = new double[rows.length][columns.length];
        for (int i = 0; i < rows.length; i++) {
            for (int j = 0; j < columns.length; j++) {
                part[i][j] = kernel[rows[i]][columns[j]];
            }
        }
        return part;
    }

    private static double[] means(double[][] rows) {
        return Arrays.stream(rows).mapToDouble(KernelRidge::mean).toArray();
    }

    private static void centre(double[][] part, double[] ofRows, double[] ofColumns, double mean) {
        for (int i = 0; i < part.length; i++) {
            for (int j = 0; j < ofColumns.length; j++) {
                part[i][j] += mean - ofRows[i] - ofColumns[j];
            }
        }
    }

    private static double squares(double[] wanted, double level, double[][] across, double[] weights) {
        double squares = 0;
        for (int i = 0; i < wanted.length; i++) {
            double error = wanted[i] - level - dot(across[i], weights);
            squares += error * error;
        }
        return squares;
    }

    /** In four sums, which a processor adds at once. */
    static double dot(double[] a, double[] b) {
        double first = 0;
        double second = 0;
        double third = 0;
        double fourth = 0;
        int i = 0;
        for (; i + 3 < a.length; i += 4) {
            first += a[i] * b[i];
            second += a[i + 1] * b[i + 1];
            third += a[i + 2] * b[i + 2];
            fourth += a[i + 3] * b[i + 3];
        }
        for (; i < a.length; i++) {
            first += a[i] * b[i];
        }
        return first + second + (third + fourth);
    }
}

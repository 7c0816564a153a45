package io.emtal.onnx;

import java.util.Arrays;
import java.util.stream.IntStream;

/** Ridge regression fitted anew without each row, for tests of what other ways give. */
public final class LeaveOneOut {

    private LeaveOneOut() {
    }

    /**
     * The squared error of each row, predicted by the fit to the others.
     *
     * @param inputs row after row
     * @param targets one a row
     * @param penalty on the squared slopes, not on the intercept
     */
    public static double[] errors(double[][] inputs, double[] targets, double penalty) {
        return IntStream.range(0, targets.length).mapToDouble(out -> {
            int[] others = IntStream.range(0, targets.length).filter(i -> i != out).toArray();
            return squared(inputs, targets, others, out, penalty);
        }).toArray();
    }

    /**
     * The squared error of a row, predicted by the fit to some others.
     *
     * @param inputs row after row
     * @param targets one a row
     * @param training the rows that are fitted
     * @param out the row that is predicted
     * @param penalty on the squared slopes, not on the intercept
     */
    public static double squared(double[][] inputs, double[] targets, int[] training, int out, double penalty) {
        double[] fit = fit(inputs, targets, training, penalty);
        double error = targets[out] - fit[inputs[out].length];
        for (int j = 0; j < inputs[out].length; j++) {
            error -= fit[j] * inputs[out][j];
        }
        return error * error;
    }

    /** Slopes and intercept, by elimination on the normal equations. */
    private static double[] fit(double[][] inputs, double[] targets, int[] training, double penalty) {
        int width = inputs[0].length;
        double[][] equations = new double[width + 1][width + 2];
        for (int i : training) {
            double[] row = Arrays.copyOf(inputs[i], width + 1);
            row[width] = 1;
            for (int j = 0; j <= width; j++) {
                for (int l = 0; l <= width; l++) {
                    equations[j][l] += row[j] * row[l];
                }
                equations[j][width + 1] += row[j] * targets[i];
            }
        }
        for (int j = 0; j < width; j++) {
            equations[j][j] += penalty;
        }
        for (int j = 0; j <= width; j++) {
            for (int other = 0; other <= width; other++) {
                double factor = other == j ? 0 : equations[other][j] / equations[j][j];
                for (int l = 0; l <= width + 1; l++) {
                    equations[other][l] -= factor * equations[j][l];
                }
            }
        }
        return IntStream.rangeClosed(0, width).mapToDouble(j -> equations[j][width + 1] / equations[j][j]).toArray();
    }
}

package io.emtal.tribuo.evaluation;

import io.emtal.onnx.EmtalException;

import java.util.Arrays;
import java.util.OptionalDouble;

/**
 * How well one number was predicted. All are empty without a row.
 *
 * @param rows how many labelled rows there are
 * @param rmse the root of the mean squared error, in the target's unit
 * @param mae the mean absolute error, in the target's unit
 * @param r2 1 − squared error / squared error of the rows' own mean; empty where the target is constant
 * @param rrmse the root of squared error / squared error of the training mean, 1 for a constant that was learnt; empty
 *     where the training mean is without error, or there is none
 */
public record RealMetrics(int rows, OptionalDouble rmse, OptionalDouble mae, OptionalDouble r2, OptionalDouble rrmse) {

    /**
     * Within this, relative to the truth or to the errors of the predictions, a training mean is the truth: sums are
     * rounded, also where they come to 0.
     */
    private static final double ROUNDING = 1e-12;

    /**
     * Computes the metrics.
     *
     * @param truths [rows] the numbers
     * @param predicted [rows] the predicted numbers
     * @param trainingMeans [rows] the target's mean over the labelled rows that the row's model was trained on: one
     *     number for all rows, or one a fold; not-a-number where there is none
     * @return the metrics
     * @throws EmtalException if the arrays differ in length, or a truth or prediction is not finite
     */
    public static RealMetrics of(double[] truths, double[] predicted, double[] trainingMeans) {
        int rows = truths.length;
        EmtalException.check(predicted.length == rows && trainingMeans.length == rows,
                "found %d truths, %d predictions and %d training means; allowed is the same number", rows,
                predicted.length, trainingMeans.length);
        if (rows == 0) {
            return new RealMetrics(0, OptionalDouble.empty(), OptionalDouble.empty(), OptionalDouble.empty(),
                    OptionalDouble.empty());
        }
        double mean = Arrays.stream(truths).average().orElseThrow();
        boolean constant = Arrays.stream(truths).allMatch(truth -> truth == truths[0]);
        double squared = 0;
        double absolute = 0;
        double ownMeanSquared = 0;
        double trainingMeanSquared = 0;
        for (int row = 0; row < rows; row++) {
            EmtalException.check(Double.isFinite(truths[row]) && Double.isFinite(predicted[row]),
                    "row %d: found the truth %s and the prediction %s, allowed are finite numbers", row, truths[row],
                    predicted[row]);
            double error = predicted[row] - truths[row];
            squared += error * error;
            absolute += Math.abs(error);
            ownMeanSquared += (mean - truths[row]) * (mean - truths[row]);
            double off = trainingMeans[row] - truths[row];
            trainingMeanSquared += Math.abs(off) <= ROUNDING * Math.abs(truths[row]) ? 0 : off * off;
        }
        double explained = 1 - squared / ownMeanSquared;
        double ratio = Math.sqrt(squared / trainingMeanSquared);
        return new RealMetrics(rows, OptionalDouble.of(Math.sqrt(squared / rows)), OptionalDouble.of(absolute / rows),
                constant || !Double.isFinite(explained) ? OptionalDouble.empty() : OptionalDouble.of(explained),
                ratio < 1 / ROUNDING ? OptionalDouble.of(ratio) : OptionalDouble.empty());
    }
}

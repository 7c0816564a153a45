package io.emtal.tribuo.evaluation;

import io.emtal.onnx.EmtalException;
import org.tribuo.classification.evaluation.ConfusionMetrics;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;

/**
 * How well the classes of one task were predicted. All are empty without a row.
 *
 * @param rows how many labelled rows there are
 * @param accuracy the share of rows whose class was predicted
 * @param balancedAccuracy the mean recall of the classes that occur
 * @param macroF1 the mean F1 of the classes that occur or are predicted
 * @param logLoss the mean of −ln p of the true class in nats, p being at least {@value #LEAST_PROBABILITY}; empty
 *     unless the scores are probabilities
 * @param auc the area under the ROC curve, ties counting half: of two classes that of the second, of more the mean of
 *     each class against the rest, over the classes that both occur and are absent; empty if there is none
 * @param calibrationError the expected calibration error: the mean over rows of |accuracy − mean probability of the
 *     predicted class| in the row's bin, of {@value #CALIBRATION_BINS} bins of equal width (Guo et al. 2017); empty
 *     unless the scores are probabilities
 */
public record ClassificationMetrics(int rows, OptionalDouble accuracy, OptionalDouble balancedAccuracy,
                                    OptionalDouble macroF1, OptionalDouble logLoss, OptionalDouble auc,
                                    OptionalDouble calibrationError) {

    /** What keeps the logarithm finite where a model is sure and wrong. */
    public static final double LEAST_PROBABILITY = 1e-7;

    /** What single precision may make of a probability of 1. */
    public static final double MOST_PROBABILITY = 1 + 1e-5;

    /** The bins of the calibration error. */
    public static final int CALIBRATION_BINS = 15;

    /**
     * Computes the metrics.
     *
     * @param truths [rows] the classes, from 0
     * @param predicted [rows] the predicted classes
     * @param scores [rows, classes] of all classes; the true and predicted ones are among them
     * @param probabilities whether the scores are probabilities
     * @return the metrics
     * @throws EmtalException if the arrays don't fit each other, a score is not-a-number, or one of probabilities is none
     */
    public static ClassificationMetrics of(int[] truths, int[] predicted, double[][] scores, boolean probabilities) {
        int rows = truths.length;
        EmtalException.check(predicted.length == rows && scores.length == rows,
                "found %d truths, %d predicted classes and %d rows of scores; allowed is the same number", rows,
                predicted.length, scores.length);
        if (rows == 0) {
            return new ClassificationMetrics(0, OptionalDouble.empty(), OptionalDouble.empty(), OptionalDouble.empty(),
                    OptionalDouble.empty(), OptionalDouble.empty(), OptionalDouble.empty());
        }
        int classes = scores[0].length;
        long[] occurring = new long[classes];
        long[] said = new long[classes];
        long[] right = new long[classes];
        long allRight = 0;
        double loss = 0;
        for (int row = 0; row < rows; row++) {
            checkScores(row, scores[row], classes, probabilities);
            checkClass(row, truths[row], classes);
            checkClass(row, predicted[row], classes);
            occurring[truths[row]]++;
            said[predicted[row]]++;
            if (truths[row] == predicted[row]) {
                right[truths[row]]++;
                allRight++;
            }
            loss -= Math.log(Math.max(LEAST_PROBABILITY, scores[row][truths[row]])) / rows;
        }
        return new ClassificationMetrics(rows, OptionalDouble.of((double) allRight / rows),
                balancedAccuracy(occurring, right), macroF1(rows, occurring, said, right),
                probabilities ? OptionalDouble.of(loss) : OptionalDouble.empty(), auc(truths, scores),
                probabilities ? OptionalDouble.of(calibrationError(truths, predicted, scores))
                        : OptionalDouble.empty());
    }

    private static void checkScores(int row, double[] scores, int classes, boolean probabilities) {
        boolean allowed = scores.length == classes && Arrays.stream(scores).noneMatch(Double::isNaN)
                && (!probabilities || Arrays.stream(scores).allMatch(p -> p >= 0 && p <= MOST_PROBABILITY));
        if (!allowed) {
            throw new EmtalException(String.format("row %d: found the scores %s, allowed are %d %s", row,
                    Arrays.toString(scores), classes, probabilities ? "probabilities" : "numbers"));
        }
    }

    private static void checkClass(int row, int found, int classes) {
        EmtalException.check(found >= 0 && found < classes, "row %d: found the class %d, allowed are 0 to %d", row,
                found, classes - 1);
    }

    private static OptionalDouble balancedAccuracy(long[] occurring, long[] right) {
        List<Double> recalls = new ArrayList<>();
        for (int c = 0; c < occurring.length; c++) {
            if (occurring[c] > 0) {
                recalls.add((double) right[c] / occurring[c]);
            }
        }
        return mean(recalls);
    }

    private static OptionalDouble macroF1(int rows, long[] occurring, long[] said, long[] right) {
        List<Double> scores = new ArrayList<>();
        for (int c = 0; c < occurring.length; c++) {
            if (occurring[c] + said[c] > 0) {
                long union = occurring[c] + said[c] - right[c];
                scores.add(ConfusionMetrics.f1(right[c], said[c] - right[c], rows - union, occurring[c] - right[c]));
            }
        }
        return mean(scores);
    }

    private static OptionalDouble auc(int[] truths, double[][] scores) {
        int classes = scores[0].length;
        List<Double> areas = new ArrayList<>();
        for (int c = classes == 2 ? 1 : 0; c < classes; c++) {
            boolean[] positive = new boolean[truths.length];
            double[] column = new double[truths.length];
            for (int row = 0; row < truths.length; row++) {
                positive[row] = truths[row] == c;
                column[row] = scores[row][c];
            }
            RocArea.of(positive, column).ifPresent(areas::add);
        }
        return mean(areas);
    }

    private static double calibrationError(int[] truths, int[] predicted, double[][] scores) {
        // In a bin, rows · |accuracy − mean confidence| = |right − sum of confidences|.
        double[] excess = new double[CALIBRATION_BINS];
        for (int row = 0; row < truths.length; row++) {
            double confidence = scores[row][predicted[row]];
            int bin = Math.min(CALIBRATION_BINS - 1, (int) (confidence * CALIBRATION_BINS));
            excess[bin] += (truths[row] == predicted[row] ? 1 : 0) - confidence;
        }
        double sum = 0;
        for (double e : excess) {
            sum += Math.abs(e);
        }
        return sum / truths.length;
    }

    private static OptionalDouble mean(List<Double> values) {
        return values.stream().mapToDouble(Double::doubleValue).average();
    }
}

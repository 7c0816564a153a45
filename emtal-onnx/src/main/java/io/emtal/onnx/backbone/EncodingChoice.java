package io.emtal.onnx.backbone;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.task.TaskLayout;

import java.util.Map;
import java.util.Optional;

/**
 * How a table's columns enter a network: numbers by their values, by bins or by both, and how much each column counts.
 *
 * <p>Bins let a network see what is not linear in a number. Where columns are many, rows few, and targets grow with their
 * columns as counts do, they are but more columns to be wrong about. Where numbers have outliers, their values are, which
 * mean little but that there are outliers: a linear map of the encoded columns tells which it is. A network that has
 * few rows learns first what its widest inputs say, so that it matters whether these say much of the labels, or the same
 * many times: kernel ridge regression, which takes the metric of its inputs as a network's start does (Jacot et al. 2018,
 * arXiv 1806.07572), tells which weights of {@link ColumnWeights} help. Both predict each row from all others, in a
 * moment.
 *
 * @param numbers how numbers enter
 * @param weights of the encoded numbers; empty where all columns count the same
 * @param errors by the names of the tasks that were asked, the error of that linear map relative to their deviation,
 *     rounded to thousandths: what differs between machines is less
 */
record EncodingChoice(NumberEncoding numbers, Optional<float[]> weights, Map<String, Double> errors) {

    /** Numbers enter by their values, and columns count alike, unless the error falls by so much of it; less may be chance. */
    private static final double LEAST_GAIN = 0.01;

    /** The most rows that tell about weights: there are several candidates. */
    private static final int ROWS_FOR_WEIGHTS = 500;

    /**
     * Chooses.
     *
     * @param layout the columns
     * @param tasks the tasks
     * @param rows the training rows
     * @param bins the most bins of a number
     * @return values and these bins, values alone where labels are predicted better without bins, or bins alone where they
     *     are without values, and weights where these help; of tables that are too large to be asked values and bins, no
     *     weights and no errors
     */
    static EncodingChoice of(FeatureLayout layout, TaskLayout tasks, Examples rows, int bins) {
        return RidgeTrial.of(layout, tasks, rows).map(trial -> of(trial, bins))
                .orElse(new EncodingChoice(NumberEncoding.ofValue(bins), Optional.empty(), Map.of()));
    }

    private static EncodingChoice of(RidgeTrial trial, int bins) {
        NumberEncoding chosen = NumberEncoding.ofValue(0);
        Map<String, Double> errors = errors(trial, chosen);
        if (bins > 0) {
            NumberEncoding both = NumberEncoding.ofValue(bins);
            Map<String, Double> ofBoth = errors(trial, both);
            if (!(mean(errors) < mean(ofBoth))) {
                errors = ofBoth;
                chosen = both;
            }
            NumberEncoding binned = new NumberEncoding(false, bins);
            Map<String, Double> ofBins = errors(trial, binned);
            if (mean(ofBins) < (1 - LEAST_GAIN) * mean(errors)) {
                errors = ofBins;
                chosen = binned;
            }
        }
        return new EncodingChoice(chosen, weights(trial.thinned(ROWS_FOR_WEIGHTS), chosen), errors);
    }

    private static Map<String, Double> errors(RidgeTrial trial, NumberEncoding numbers) {
        return trial.errors(trial.encoded(numbers), KernelRidge::linear);
    }

    private static Optional<float[]> weights(RidgeTrial trial, NumberEncoding numbers) {
        EncodedRows encoded = trial.encoded(numbers);
        double least = (1 - LEAST_GAIN) * mean(trial.errors(encoded, KernelRidge::smooth));
        float[] best = null;
        for (float[] weights : ColumnWeights.candidates(encoded, trial.groups())) {
            double error = mean(trial.errors(encoded.weighted(weights), KernelRidge::smooth));
            if (error < least) {
                least = error;
                best = weights;
            }
        }
        return Optional.ofNullable(best);
    }

    private static double mean(Map<String, Double> errors) {
        return errors.values().stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
    }
}

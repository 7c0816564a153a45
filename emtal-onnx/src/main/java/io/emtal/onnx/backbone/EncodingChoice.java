package io.emtal.onnx.backbone;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.task.TaskLayout;

import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * How a table's columns enter a network: numbers by their values, by bins or by both, and how much each column counts.
 *
 * <p>Bins let a network see what is not linear in a number. Where columns are many, rows few, and targets grow with their
 * columns as counts do, they are but more columns to be wrong about. Where numbers have outliers, their values are, which
 * mean little but that there are outliers: a linear map of the encoded columns tells which it is. A network that has
 * few rows learns first what its widest inputs say, so that it matters whether these say much of the labels, or the same
 * many times: kernel ridge regression, which takes the metric of its inputs as a network's start does (Jacot et al. 2018,
 * arXiv 1806.07572), tells which weights of {@link ColumnWeights} help. Both predict a part of the rows from the
 * others, which decide where bins end and what columns weigh there, in some seconds at most.
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

    /** The most multiplications that the inner products of all rows may take; of wider tables fewer rows tell. */
    private static final double MOST_PRODUCTS = 1e9;

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
        int most = (int) Math.sqrt(MOST_PRODUCTS / (layout.width() * (bins + 2.0)));
        return RidgeTrial.of(layout, tasks, rows).map(trial -> of(trial.thinned(most), bins))
                .orElse(new EncodingChoice(NumberEncoding.ofValue(bins), Optional.empty(), Map.of()));
    }

    private static EncodingChoice of(RidgeTrial trial, int bins) {
        List<NumberEncoding> encodings = bins == 0 ? List.of(NumberEncoding.ofValue(0))
                : List.of(NumberEncoding.ofValue(0), NumberEncoding.ofValue(bins), new NumberEncoding(false, bins));
        List<EncodedRows> parts = trial.encodedForParts(NumberEncoding.ofValue(bins));
        List<Map<String, Double>> errors = trial.errors(parts, (encoded, known) ->
                encodings.stream().map(numbers -> trial.as(encoded, numbers)), KernelRidge::linear);
        int chosen = 0;
        if (bins > 0) {
            chosen = mean(errors.get(0)) < mean(errors.get(1)) ? 0 : 1;
            chosen = mean(errors.get(2)) < (1 - LEAST_GAIN) * mean(errors.get(chosen)) ? 2 : chosen;
        }
        NumberEncoding numbers = encodings.get(chosen);
        RidgeTrial some = trial.thinned(ROWS_FOR_WEIGHTS);
        List<EncodedRows> ofSome = some == trial ? parts.stream().map(encoded -> trial.as(encoded, numbers)).toList()
                : some.encodedForParts(numbers);
        return new EncodingChoice(numbers, weights(some, ofSome, numbers), errors.get(chosen));
    }

    private static Optional<float[]> weights(RidgeTrial trial, List<EncodedRows> parts, NumberEncoding numbers) {
        List<Map<String, Double>> errors = trial.errors(parts, (encoded, known) -> Stream.concat(Stream.of(encoded),
                ColumnWeights.candidates(encoded, known).stream().map(encoded::weighted)), KernelRidge::smooth);
        int best = 0;
        for (int i = 1; i < errors.size(); i++) {
            boolean helps = mean(errors.get(i)) < (1 - LEAST_GAIN) * mean(errors.get(0));
            best = helps && mean(errors.get(i)) < mean(errors.get(best)) ? i : best;
        }
        return best == 0 ? Optional.empty()
                : Optional.of(ColumnWeights.candidates(trial.encoded(numbers), trial.groups()).get(best - 1));
    }

    private static double mean(Map<String, Double> errors) {
        return errors.values().stream().mapToDouble(Double::doubleValue).average().orElse(Double.NaN);
    }
}

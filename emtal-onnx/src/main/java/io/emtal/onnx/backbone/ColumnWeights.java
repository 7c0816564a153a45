package io.emtal.onnx.backbone;

import io.emtal.onnx.Products;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Weights of a table's columns that may help to learn from few rows. A column may count by its relevance, which is how
 * much of the labels it explains by itself: the largest squared correlation of its encoded numbers with a target, in the
 * mean over the tasks, each by how many labels it has, and what chance would give. And it may count by one over its
 * redundancy, which is how many encoded numbers say the same: the sum of its squared correlations with all of them. Of k
 * equal columns with weights of one over √k the inner product is that of one.
 */
final class ColumnWeights {

    private static final double[] POWERS_OF_RELEVANCE = {0, 0.5, 1};
    private static final double[] POWERS_OF_REDUNDANCY = {0, -0.5};

    /** The squares of deviations of a number that never changes but for rounding. */
    private static final double NO_DEVIATION = 1e-9;

    private ColumnWeights() {
    }

    /**
     * The weights that may help.
     *
     * @param encoded the rows
     * @param groups the tasks and their labels
     * @return for each candidate a weight for each encoded number, the same for all of a column, with a mean square of 1,
     *     rounded to thousandths; the one that weights nothing is not among them
     */
    static List<float[]> candidates(EncodedRows encoded, List<RidgeTrial.Group> groups) {
        double[] relevance = relevance(encoded, groups);
        double[] redundancy = redundancy(encoded);
        List<float[]> candidates = new ArrayList<>();
        for (double ofRelevance : POWERS_OF_RELEVANCE) {
            for (double ofRedundancy : POWERS_OF_REDUNDANCY) {
                if (ofRelevance != 0 || ofRedundancy != 0) {
                    double[] weights = new double[relevance.length];
                    for (int c = 0; c < weights.length; c++) {
                        weights[c] = Math.pow(relevance[c], ofRelevance) * Math.pow(redundancy[c], ofRedundancy);
                    }
                    candidates.add(spread(weights, encoded));
                }
            }
        }
        return candidates;
    }

    /** From columns to their encoded numbers. */
    private static float[] spread(double[] weights, EncodedRows encoded) {
        int width = encoded.numbers().length;
        double squares = 0;
        for (int c = 0; c < weights.length; c++) {
            squares += encoded.columns().get(c).length * weights[c] * weights[c];
        }
        double unit = Math.sqrt(squares / width);
        float[] spread = new float[width];
        for (int c = 0; c < weights.length; c++) {
            for (int position : encoded.columns().get(c)) {
                spread[position] = Math.max(1, Math.round(1000 * weights[c] / unit)) / 1000f;
            }
        }
        return spread;
    }

    private static double[] relevance(EncodedRows encoded, List<RidgeTrial.Group> groups) {
        double[] relevance = new double[encoded.columns().size()];
        Arrays.fill(relevance, 1.0 / encoded.numbers()[0].length);
        double labels = groups.stream().mapToDouble(group -> group.targets().size() * group.labelled().length).sum();
        for (RidgeTrial.Group group : groups) {
            double[][] units = units(encoded.numbers(), group.labelled());
            for (double[][] targets : group.targets().values()) {
                for (double[] target : targets) {
                    double[] unit = unit(target);
                    for (int c = 0; c < relevance.length; c++) {
                        double most = Arrays.stream(encoded.columns().get(c))
                                .mapToDouble(position -> Math.pow(KernelRidge.dot(units[position], unit), 2)).max()
                                .orElseThrow();
                        relevance[c] += most / targets.length * group.labelled().length / labels;
                    }
                }
            }
        }
        return relevance;
    }

    /** With X the encoded numbers of unit length, that of number j is |Xᵀ xⱼ|², a column's the mean of its numbers'. */
    private static double[] redundancy(EncodedRows encoded) {
        double[][] units = units(encoded.numbers(), IntStream.range(0, encoded.numbers()[0].length).toArray());
        double[] redundancy = Products.squares(Products.ofRows(units), units);
        return encoded.columns().stream().mapToDouble(positions -> Arrays.stream(positions)
                .mapToDouble(p -> redundancy[p]).filter(sum -> sum > 0).average().orElse(1)).toArray();
    }

    /** Some rows of each column, centred and of length 1, of a column that never changes 0. */
    private static double[][] units(double[][] columns, int[] rows) {
        return Arrays.stream(columns).map(column -> unit(RidgeTrial.Group.pick(column, rows))).toArray(double[][]::new);
    }

    private static double[] unit(double[] values) {
        double[] unit = KernelRidge.centred(values);
        double squares = KernelRidge.dot(unit, unit);
        double scale = squares > NO_DEVIATION ? 1 / Math.sqrt(squares) : 0;
        for (int i = 0; i < unit.length; i++) {
            unit[i] *= scale;
        }
        return unit;
    }
}

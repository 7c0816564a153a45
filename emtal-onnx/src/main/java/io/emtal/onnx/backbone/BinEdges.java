package io.emtal.onnx.backbone;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.task.TaskLayout;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** Where the bins of one number end: strictly increasing edges from its least value to its greatest. */
final class BinEdges {

    /** A column's rows are counted in so many cells, between which it may be cut, as in gradient boosting. */
    private static final int CELLS = 256;

    /** The least part of the rows that a bin has which labels ask for, and their least number. */
    private static final double LEAST_PART = 0.05;
    private static final int LEAST_ROWS = 3;

    /** A difference in the labels that is none but for rounding. */
    private static final double NO_GAIN = 1e-12;

    private BinEdges() {
    }

    /** The values themselves, where they are at most so many. */
    static Optional<float[]> distinct(float[] sorted, int most) {
        float[] values = new float[Math.min(most, sorted.length)];
        int kinds = 0;
        for (int i = 0; i < sorted.length; i++) {
            if (i == 0 || sorted[i] != sorted[i - 1]) {
                if (kinds == values.length) {
                    return Optional.empty();
                }
                values[kinds++] = sorted[i];
            }
        }
        return Optional.of(Arrays.copyOf(values, kinds));
    }

    /** Edges with as many rows between each two as ties allow. */
    static float[] quantiles(float[] sorted, int bins) {
        float[] edges = new float[bins + 1];
        int used = 0;
        for (int i = 0; i <= bins; i++) {
            float quantile = sorted[(int) Math.round((double) i * (sorted.length - 1) / bins)];
            if (used == 0 || quantile > edges[used - 1]) {
                edges[used++] = quantile;
            }
        }
        return Arrays.copyOf(edges, used);
    }

    /**
     * Edges where the labels change: the cuts of a regression tree on this column alone, best first, as target-aware
     * bins are made (Gorishniy et al. 2022, arXiv 2203.05556, section 3.2). Where labels ask for no more cuts, the bin
     * with the most rows is halved.
     *
     * @param sorted the column's values, sorted; two different ones at least
     * @param column the column, a value a row, not-a-number where it is missing
     * @param rows have the labels
     * @param tasks whose labels they are
     * @param bins how many bins there are at most
     */
    static float[] ofLabels(float[] sorted, float[] column, Examples rows, TaskLayout tasks, int bins) {
        float[] borders = borders(sorted);
        int[] cell = new int[column.length];
        for (int row = 0; row < column.length; row++) {
            int found = Arrays.binarySearch(borders, column[row]);
            cell[row] = Float.isNaN(column[row]) ? -1 : found >= 0 ? found + 1 : -found - 1;
        }
        LabelCounts counts = LabelCounts.of(cell, borders.length + 1, rows, tasks);
        int least = Math.max(LEAST_ROWS, (int) (LEAST_PART * sorted.length));
        List<Bin> tree = new ArrayList<>(List.of(Bin.of(counts, 0, borders.length + 1, least)));
        while (tree.size() < bins) {
            Optional<Bin> next = tree.stream().filter(bin -> bin.cut > 0).max(Bin.ORDER);
            if (next.isEmpty()) {
                break;
            }
            Bin parent = next.get();
            tree.remove(parent);
            tree.add(Bin.of(counts, parent.from, parent.cut, least));
            tree.add(Bin.of(counts, parent.cut, parent.to, least));
        }
        float[] edges = new float[tree.size() + 1];
        edges[0] = sorted[0];
        int used = 1;
        for (int from : tree.stream().mapToInt(Bin::from).filter(from -> from > 0).sorted().toArray()) {
            edges[used++] = borders[from - 1];
        }
        edges[used] = sorted[sorted.length - 1];
        return edges;
    }

    /** Between which values a column may be cut: halfway between neighbours, or at quantiles where values are many. */
    private static float[] borders(float[] sorted) {
        Optional<float[]> few = distinct(sorted, CELLS);
        float[] values = few.orElseGet(() -> quantiles(sorted, CELLS));
        float[] borders = new float[values.length - 1];
        int used = 0;
        for (int i = 0; i < borders.length; i++) {
            float border = few.isPresent() ? (float) (((double) values[i] + values[i + 1]) / 2) : values[i + 1];
            // Single precision may have no number between neighbours.
            if (border > (used == 0 ? sorted[0] : borders[used - 1]) && border < sorted[sorted.length - 1]) {
                borders[used++] = border;
            }
        }
        return Arrays.copyOf(borders, used);
    }

    /**
     * Some cells that lie together.
     *
     * @param from the first cell
     * @param to the cell behind the last
     * @param cut where the next cut would be; 0 where none can be
     * @param gain what that cut explains of the labels; 0 for one that merely halves the rows
     * @param rows how many there are
     */
    private record Bin(int from, int to, int cut, double gain, int rows) {

        /** What labels ask for comes first, then the bins with the most rows. */
        private static final Comparator<Bin> ORDER = Comparator.comparingDouble(Bin::gain).thenComparingInt(Bin::rows);

        static Bin of(LabelCounts counts, int from, int to, int least) {
            int best = 0;
            double most = NO_GAIN;
            int middle = 0;
            int distance = Integer.MAX_VALUE;
            for (int cut = from + 1; cut < to; cut++) {
                int below = counts.rows(from, cut);
                int above = counts.rows(cut, to);
                if (Math.min(below, above) >= least) {
                    double gain = counts.gain(from, cut, to);
                    if (gain > most) {
                        most = gain;
                        best = cut;
                    }
                }
                if (Math.abs(below - above) < distance) {
                    distance = Math.abs(below - above);
                    middle = cut;
                }
            }
            return best > 0 ? new Bin(from, to, best, most, counts.rows(from, to))
                    : new Bin(from, to, middle, 0, counts.rows(from, to));
        }
    }
}

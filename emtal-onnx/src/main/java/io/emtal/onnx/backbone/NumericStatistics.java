package io.emtal.onnx.backbone;

import io.emtal.onnx.data.Examples;

import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * What training rows say of one numeric column, over the rows that have it.
 *
 * @param mean the mean; 0 if no row has the column
 * @param deviation the standard deviation; 1 for a constant column
 * @param edges strictly increasing edges of the bins for a piecewise-linear encoding: quantiles, or the distinct values
 *     where these are few; at most one edge for a constant column
 */
record NumericStatistics(float mean, float deviation, float[] edges) {

    /** The most numbers that are read before they are evaluated, 128 MiB; more take several passes over the rows. */
    private static final int READ_AT_ONCE = 1 << 25;

    /**
     * Reads several columns, as many in one pass over the rows as memory allows.
     *
     * @param rows the training rows
     * @param positions the columns' positions in a row
     * @param bins how many bins a column gets at most
     * @return one entry a position
     */
    static NumericStatistics[] of(Examples rows, int[] positions, int bins) {
        return of(rows, positions, bins, READ_AT_ONCE);
    }

    static NumericStatistics[] of(Examples rows, int[] positions, int bins, int atOnce) {
        int columnsAtOnce = Math.max(1, atOnce / Math.max(1, rows.size()));
        NumericStatistics[] statistics = new NumericStatistics[positions.length];
        FloatBuffer buffer = FloatBuffer.allocate(rows.width());
        for (int first = 0; first < positions.length; first += columnsAtOnce) {
            float[][] columns = new float[Math.min(columnsAtOnce, positions.length - first)][rows.size()];
            for (int row = 0; row < rows.size(); row++) {
                rows.inputs(row, buffer.clear());
                for (int i = 0; i < columns.length; i++) {
                    columns[i][row] = buffer.get(positions[first + i]);
                }
            }
            for (int i = 0; i < columns.length; i++) {
                statistics[first + i] = of(columns[i], bins);
            }
        }
        return statistics;
    }

    /** Sorts the column. */
    private static NumericStatistics of(float[] sorted, int bins) {
        Arrays.sort(sorted);
        int count = sorted.length;
        while (count > 0 && Float.isNaN(sorted[count - 1])) {
            count--;
        }
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < count; i++) {
            sum += sorted[i];
        }
        double mean = count == 0 ? 0 : sum / count;
        for (int i = 0; i < count; i++) {
            squares += (sorted[i] - mean) * (sorted[i] - mean);
        }
        double deviation = count == 0 ? 0 : Math.sqrt(squares / count);
        boolean constant = deviation <= 1e-7 * Math.max(1, Math.abs(mean));
        return new NumericStatistics((float) mean, constant ? 1 : (float) deviation, edges(sorted, count, bins));
    }

    private static float[] edges(float[] sorted, int count, int bins) {
        float[] distinct = new float[count];
        int kinds = 0;
        for (int i = 0; i < count; i++) {
            if (i == 0 || sorted[i] != sorted[i - 1]) {
                distinct[kinds++] = sorted[i];
            }
        }
        if (kinds <= bins + 1) {
            return Arrays.copyOf(distinct, kinds);
        }
        float[] edges = new float[bins + 1];
        int used = 0;
        for (int i = 0; i <= bins; i++) {
            float quantile = sorted[(int) Math.round((double) i * (count - 1) / bins)];
            if (used == 0 || quantile > edges[used - 1]) {
                edges[used++] = quantile;
            }
        }
        return Arrays.copyOf(edges, used);
    }
}

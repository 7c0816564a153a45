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

    /**
     * Reads several columns in one pass over the rows.
     *
     * @param rows the training rows
     * @param positions the columns' positions in a row
     * @param bins how many bins a column gets at most
     * @return one entry a position
     */
    static NumericStatistics[] of(Examples rows, int[] positions, int bins) {
        float[][] columns = new float[positions.length][rows.size()];
        FloatBuffer buffer = FloatBuffer.allocate(rows.width());
        for (int row = 0; row < rows.size(); row++) {
            rows.inputs(row, buffer.clear());
            for (int i = 0; i < positions.length; i++) {
                columns[i][row] = buffer.get(positions[i]);
            }
        }
        return Arrays.stream(columns).map(c -> of(c, bins)).toArray(NumericStatistics[]::new);
    }

    private static NumericStatistics of(float[] column, int bins) {
        float[] sorted = column.clone();
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

package io.emtal.onnx.backbone;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.task.TaskLayout;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Optional;

/**
 * What training rows say of one numeric column, over the rows that have it.
 *
 * @param mean the mean, rounded to single precision; 0 if no row has the column
 * @param deviation the standard deviation, Float.MIN_NORMAL at least; 1 for a constant column, or if no row has it.
 *     1 / deviation is finite
 * @param gaps whether some row lacks the column
 * @param edges strictly increasing edges of the bins for a piecewise-linear encoding, the distinct values where these
 *     are few; at most one edge for a constant column. 1 / distance of neighbours is finite
 */
record NumericStatistics(float mean, float deviation, boolean gaps, float[] edges) {

    /** The most numbers that are read before they are evaluated, 128 MiB; more take several passes over the rows. */
    private static final int READ_AT_ONCE = 1 << 25;

    /**
     * Reads several columns, as many in one pass over the rows as memory allows.
     *
     * @param rows the training rows
     * @param positions the columns' positions in a row
     * @param tasks whose labels decide where bins end; empty for quantiles
     * @param bins how many bins a column gets at most
     * @return one entry a position
     */
    static NumericStatistics[] of(Examples rows, int[] positions, Optional<TaskLayout> tasks, int bins) {
        return of(rows, positions, tasks, bins, READ_AT_ONCE);
    }

    static NumericStatistics[] of(Examples rows, int[] positions, Optional<TaskLayout> tasks, int bins, int atOnce) {
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
                statistics[first + i] = of(columns[i], rows, tasks, bins);
            }
        }
        return statistics;
    }

    private static NumericStatistics of(float[] column, Examples rows, Optional<TaskLayout> tasks, int bins) {
        float[] sorted = new float[column.length];
        int count = 0;
        double sum = 0;
        for (float value : column) {
            if (!Float.isNaN(value)) {
                sorted[count++] = value;
            }
        }
        sorted = Arrays.copyOf(sorted, count);
        Arrays.sort(sorted);
        for (float value : sorted) {
            sum += value;
        }
        double mean = count == 0 ? 0 : sum / count;
        double squares = 0;
        for (float value : sorted) {
            squares += (value - mean) * (value - mean);
        }
        // No value lies between the two numbers of single precision around the mean, so that the variance is the product
        // of its distances to them at least: rounding the mean moves what is standardised by one deviation at most.
        boolean constant = count == 0 || sorted[0] == sorted[count - 1];
        double deviation = constant ? 1 : Math.max(Math.sqrt(squares / count), Float.MIN_NORMAL);
        return new NumericStatistics((float) mean, (float) deviation, count < column.length,
                apart(edges(sorted, column, rows, tasks, bins)));
    }

    private static float[] edges(float[] sorted, float[] column, Examples rows, Optional<TaskLayout> tasks, int bins) {
        return BinEdges.distinct(sorted, bins + 1).orElseGet(() -> bins == 0 ? new float[0] : tasks
                .map(labelled -> BinEdges.ofLabels(sorted, column, rows, labelled, bins))
                .orElseGet(() -> BinEdges.quantiles(sorted, bins)));
    }

    /** Leaves out edges so close to the one before that 1 / distance is infinite in single precision. */
    private static float[] apart(float[] edges) {
        int used = 0;
        for (float edge : edges) {
            if (used == 0 || Float.isFinite(1 / (edge - edges[used - 1]))) {
                edges[used++] = edge;
            }
        }
        return Arrays.copyOf(edges, used);
    }
}

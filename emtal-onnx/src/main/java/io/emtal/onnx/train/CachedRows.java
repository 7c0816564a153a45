package io.emtal.onnx.train;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.PackedRows;

import java.nio.FloatBuffer;
import java.util.stream.IntStream;

/**
 * Rows whose inputs were computed once, with the labels of those that they were computed from: in memory, or in a
 * temporary file, see {@link PackedRows}.
 */
final class CachedRows implements Examples {

    private final Examples labels;
    private final int width;
    private final PackedRows rows;

    private CachedRows(Examples labels, int width, PackedRows rows) {
        this.labels = labels;
        this.width = width;
        this.rows = rows;
    }

    /**
     * Computes rows.
     *
     * @param rows the rows that are computed from, and their labels
     * @param evaluator computes them
     * @param memory how many bytes may lie in memory, and how many a piece of a file has at most
     * @throws io.emtal.onnx.EmtalException if one row takes more, or the file cannot be written
     */
    static CachedRows of(Examples rows, Evaluator evaluator, int memory) {
        int width = evaluator.columns();
        int[] order = IntStream.range(0, rows.size()).toArray();
        try (PackedRows.Writer writer = PackedRows.writer("frozen prefix", order.length,
                Math.multiplyExact(width, Float.BYTES), memory)) {
            evaluator.forEachBatch(order, batch -> {
                for (int at = 0; at < batch.remaining(); at += width) {
                    writer.next().asFloatBuffer().put(batch.slice(at, width));
                }
            });
            return new CachedRows(rows, width, writer.finish());
        }
    }

    @Override
    public int size() {
        return labels.size();
    }

    @Override
    public int width() {
        return width;
    }

    @Override
    public void inputs(int row, FloatBuffer target) {
        rows.floats(row, 0, width, target);
    }

    @Override
    public float label(int row, int task) {
        return labels.label(row, task);
    }

    /** Deletes the file, if there is one. The rows that they were computed from stay open. */
    @Override
    public void close() {
        rows.close();
    }
}

package io.emtal.onnx.data;

import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * Rows packed outside the heap: in memory, or beyond 256 MiB in a temporary file, see {@link PackedRows}, which goes when
 * they are closed.
 */
public final class PackedExamples implements Examples {

    /** How many bytes lie in memory; beyond it a mapped file is as fast while there is memory to spare. */
    static final int MEMORY = 1 << 28;

    private final PackedRows rows;
    private final int width;

    private PackedExamples(PackedRows rows, int width) {
        this.rows = rows;
        this.width = width;
    }

    /** Receives a row's inputs and labels. */
    @FunctionalInterface
    public interface Reader {

        /**
         * Fills one row.
         *
         * @param row the row's position
         * @param inputs to be filled; starts as not-a-number throughout
         * @param labels to be filled; starts as not-a-number throughout
         */
        void read(int row, float[] inputs, float[] labels);
    }

    /**
     * Packs rows.
     *
     * @param size the number of rows
     * @param width the number of input elements of a row
     * @param tasks the number of tasks
     * @param reader called once for every row, in order
     * @return the packed rows
     * @throws io.emtal.onnx.EmtalException if a single row takes more than 256 MiB, or the file cannot be written
     */
    public static PackedExamples pack(int size, int width, int tasks, Reader reader) {
        return pack(size, width, tasks, MEMORY, reader);
    }

    static PackedExamples pack(int size, int width, int tasks, int memory, Reader reader) {
        float[] inputs = new float[width];
        float[] labels = new float[tasks];
        int rowBytes = Math.multiplyExact(Math.addExact(width, tasks), Float.BYTES);
        try (PackedRows.Writer writer = PackedRows.writer("examples", size, rowBytes, memory)) {
            for (int row = 0; row < size; row++) {
                Arrays.fill(inputs, Float.NaN);
                Arrays.fill(labels, Float.NaN);
                reader.read(row, inputs, labels);
                ByteBuffer target = writer.next();
                target.asFloatBuffer().put(inputs).put(labels);
            }
            return new PackedExamples(writer.finish(), width);
        }
    }

    @Override
    public int size() {
        return rows.size();
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
        return rows.getFloat(row, (width + task) * Float.BYTES);
    }

    @Override
    public void close() {
        rows.close();
    }
}

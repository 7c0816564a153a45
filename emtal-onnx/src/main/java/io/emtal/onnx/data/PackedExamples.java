package io.emtal.onnx.data;

import io.emtal.onnx.EmtalException;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;

/** Rows packed into memory outside the heap. */
public final class PackedExamples implements Examples {

    private final FloatBuffer inputs;
    private final float[] labels;
    private final int size;
    private final int width;
    private final int tasks;

    private PackedExamples(FloatBuffer inputs, float[] labels, int size, int width, int tasks) {
        this.inputs = inputs;
        this.labels = labels;
        this.size = size;
        this.width = width;
        this.tasks = tasks;
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
     * @throws EmtalException if they do not fit a buffer of 2 GiB
     */
    public static PackedExamples pack(int size, int width, int tasks, Reader reader) {
        long bytes = (long) size * width * Float.BYTES;
        EmtalException.check(bytes <= Integer.MAX_VALUE, "examples: %d rows of %d inputs need %d bytes, allowed are %d",
                size, width, bytes, Integer.MAX_VALUE);
        FloatBuffer inputs = ByteBuffer.allocateDirect((int) bytes).order(ByteOrder.nativeOrder()).asFloatBuffer();
        float[] labels = new float[size * tasks];
        float[] rowInputs = new float[width];
        float[] rowLabels = new float[tasks];
        for (int row = 0; row < size; row++) {
            Arrays.fill(rowInputs, Float.NaN);
            Arrays.fill(rowLabels, Float.NaN);
            reader.read(row, rowInputs, rowLabels);
            inputs.put(rowInputs);
            System.arraycopy(rowLabels, 0, labels, row * tasks, tasks);
        }
        return new PackedExamples(inputs.rewind(), labels, size, width, tasks);
    }

    @Override
    public int size() {
        return size;
    }

    @Override
    public int width() {
        return width;
    }

    @Override
    public void inputs(int row, FloatBuffer target) {
        target.put(inputs.slice(row * width, width));
    }

    @Override
    public float label(int row, int task) {
        return labels[row * tasks + task];
    }
}

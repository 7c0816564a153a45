package io.emtal.tribuo;

import io.emtal.onnx.data.Examples;

import java.nio.FloatBuffer;

/**
 * The rows of a view of a data set, in which an example may occur several times, as in a bootstrap.
 *
 * @param rows the rows
 * @param examples which example of the data set each of them is
 */
record ViewRows(Examples rows, int[] examples) implements Examples {

    @Override
    public int original(int row) {
        return examples[row];
    }

    @Override
    public int size() {
        return rows.size();
    }

    @Override
    public int width() {
        return rows.width();
    }

    @Override
    public void inputs(int row, FloatBuffer target) {
        rows.inputs(row, target);
    }

    @Override
    public float label(int row, int task) {
        return rows.label(row, task);
    }

    @Override
    public boolean augments() {
        return rows.augments();
    }

    @Override
    public Examples augmented(long seed) {
        return rows.augmented(seed);
    }

    @Override
    public Examples inOrder(int[] order) {
        return rows.inOrder(order);
    }

    @Override
    public void close() {
        rows.close();
    }
}

package io.emtal.onnx.data;

import java.nio.FloatBuffer;
import java.util.Arrays;

/**
 * Some of other rows. They stay open when these are closed.
 *
 * @param rows the rows
 * @param chosen which of them
 */
public record RowSubset(Examples rows, int[] chosen) implements Examples {

    @Override
    public int size() {
        return chosen.length;
    }

    @Override
    public int width() {
        return rows.width();
    }

    @Override
    public void inputs(int row, FloatBuffer target) {
        rows.inputs(chosen[row], target);
    }

    @Override
    public float label(int row, int task) {
        return rows.label(chosen[row], task);
    }

    @Override
    public int original(int row) {
        return rows.original(chosen[row]);
    }

    @Override
    public boolean augments() {
        return rows.augments();
    }

    @Override
    public Examples augmented(long seed) {
        return new RowSubset(rows.augmented(seed), chosen);
    }

    @Override
    public Examples inOrder(int[] order) {
        return new RowSubset(rows.inOrder(Arrays.stream(order).map(row -> chosen[row]).toArray()), chosen);
    }
}

package io.emtal.onnx.data;

import io.emtal.onnx.EmtalException;

import java.nio.FloatBuffer;
import java.util.random.RandomGenerator;

/**
 * Rows of a table whose values go missing at random while they are trained on, so that a network does not rely on any
 * one of them.
 *
 * @param rows the rows
 * @param rate the probability that a value goes missing, 0 up to, not including, 1
 */
public record FeatureDropout(Examples rows, double rate) implements Examples {

    /** Checks the rate. */
    public FeatureDropout {
        EmtalException.check(rate >= 0 && rate < 1, "feature dropout: found rate %s, allowed is 0 up to, not including, 1", rate);
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
    public void augmented(int row, FloatBuffer target, RandomGenerator random) {
        int start = target.position();
        rows.augmented(row, target, random);
        for (int i = start; i < target.position(); i++) {
            if (random.nextDouble() < rate) {
                target.put(i, Float.NaN);
            }
        }
    }

    @Override
    public float label(int row, int task) {
        return rows.label(row, task);
    }
}

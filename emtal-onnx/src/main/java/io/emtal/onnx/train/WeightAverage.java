package io.emtal.onnx.train;

import java.io.IOException;

/** An exponential moving average of a flat vector of weights, corrected for its start at zero. */
final class WeightAverage {

    private final double decay;
    private final float[] sum;
    private double weight;

    /**
     * Starts without any weights.
     *
     * @param decay per step, 0 up to, not including, 1; 0 keeps no average
     * @param size the number of weights
     */
    WeightAverage(double decay, int size) {
        this.decay = decay;
        this.sum = new float[decay == 0 ? 0 : size];
    }

    void add(float[] values) {
        if (decay == 0) {
            return;
        }
        float keep = (float) decay;
        float take = (float) (1 - decay);
        for (int i = 0; i < sum.length; i++) {
            sum[i] = keep * sum[i] + take * values[i];
        }
        weight = decay * weight + 1 - decay;
    }

    /** The average, or the given weights where none is kept. */
    float[] valuesOr(float[] values) {
        if (weight == 0) {
            return values;
        }
        float[] average = new float[sum.length];
        float scale = (float) (1 / weight);
        for (int i = 0; i < average.length; i++) {
            average[i] = scale * sum[i];
        }
        return average;
    }

    /** Writes the average. */
    void write(StateOutput output) throws IOException {
        output.write(weight);
        output.write(sum);
    }

    /** Takes over what was written. */
    void read(StateInput input) throws IOException {
        weight = input.readDouble();
        input.readInto("weight average", sum);
    }
}

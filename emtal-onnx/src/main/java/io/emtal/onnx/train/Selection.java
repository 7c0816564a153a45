package io.emtal.onnx.train;

import java.io.IOException;

/** The best weights of a phase so far; among equals the latest. */
final class Selection {

    private final float[] values;
    private double score = Double.POSITIVE_INFINITY;
    private int epoch;

    /**
     * Starts with what the phase starts from, as epoch 0.
     *
     * @param start the weights, copied
     */
    Selection(float[] start) {
        values = start.clone();
    }

    /**
     * Offers weights.
     *
     * @param epoch the epoch that they are from
     * @param score the smaller the better
     * @param candidate the weights, copied if they are as good as the best so far
     */
    void offer(int epoch, double score, float[] candidate) {
        if (score <= this.score) {
            this.score = score;
            this.epoch = epoch;
            System.arraycopy(candidate, 0, values, 0, values.length);
        }
    }

    /** Judges the best weights anew. */
    void judge(double score) {
        this.score = score;
    }

    /** The best weights. */
    float[] values() {
        return values;
    }

    /** The epoch that they are from. */
    int epoch() {
        return epoch;
    }

    /** Writes the best weights with their score. */
    void write(StateOutput output) throws IOException {
        output.write(epoch);
        output.write(score);
        output.write(values);
    }

    /** Takes over what was written. */
    void read(StateInput input) throws IOException {
        epoch = input.readInt();
        score = input.readDouble();
        input.readInto("best weights", values);
    }
}

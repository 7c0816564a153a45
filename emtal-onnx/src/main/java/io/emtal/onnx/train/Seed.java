package io.emtal.onnx.train;

import java.util.SplittableRandom;

/**
 * A node of a tree of seeds. What a training draws at random in a phase, an epoch or a step is decided by the node of
 * that place, whatever was drawn before: a training that goes on from a checkpoint draws what it would have drawn.
 *
 * @param value the seed
 */
record Seed(long value) {

    /**
     * The node below this one at a position.
     *
     * @param position any number
     */
    Seed at(long position) {
        // Mixed before and after: seeds beside each other must not meet at positions beside each other.
        return new Seed(new SplittableRandom(random().nextLong() + position).nextLong());
    }

    /** The random numbers of this node, from the first. */
    SplittableRandom random() {
        return new SplittableRandom(value);
    }
}

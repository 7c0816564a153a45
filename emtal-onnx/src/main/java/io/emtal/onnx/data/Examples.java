package io.emtal.onnx.data;

import java.nio.FloatBuffer;

/** Rows to learn from: inputs of a fixed width and one label a task, any of which may be missing. Thread-safe. */
public interface Examples extends AutoCloseable {

    /**
     * The number of rows.
     *
     * @return 0 or more
     */
    int size();

    /**
     * The number of input elements of a row.
     *
     * @return the width
     */
    int width();

    /**
     * Copies a row's inputs. An interrupt of the thread does not break that off.
     *
     * @param row from 0
     * @param target gets {@link #width()} elements at its position, which moves on; not-a-number where missing
     */
    void inputs(int row, FloatBuffer target);

    /**
     * A row's label for a task.
     *
     * @param row from 0
     * @param task the task's position
     * @return the class's index, 0 or 1, or the standardised number; not-a-number where missing
     */
    float label(int row, int task);

    /**
     * What a row is a copy of. Copies are held out of a training together, or not at all.
     *
     * @param row from 0
     * @return a number from 0 that all copies of the same share; the row itself unless an implementation says otherwise
     */
    default int original(int row) {
        return row;
    }

    /**
     * Whether training reads other inputs than these: what {@link #augmented} gives.
     *
     * @return false unless an implementation says otherwise
     */
    default boolean augments() {
        return false;
    }

    /**
     * These rows as one epoch of training reads them. Rows that are held out or compared are read without.
     *
     * @param seed decides what every row looks like, whatever the order in which they are read
     * @return rows with other inputs; these rows unless an implementation says otherwise
     */
    default Examples augmented(long seed) {
        return this;
    }

    /**
     * These rows, some of which are about to be read in a known order, so that an implementation may prepare them in
     * advance. Rows may still be read in any order, and more than once.
     *
     * @param order rows of these
     * @return the same rows; these unless an implementation says otherwise
     */
    default Examples inOrder(int[] order) {
        return this;
    }

    /** Frees what prepares rows in advance, if anything does. Those that other methods gave need no closing. */
    @Override
    default void close() {
    }
}

package io.emtal.samples.table;

import io.emtal.onnx.EmtalException;

/**
 * Which rows of a table train and which test.
 *
 * @param name the split's name in progress lines and messages
 * @param train the training rows
 * @param test the test rows
 */
public record Split(String name, int[] train, int[] test) {
    /**
     * Checks that both parts have rows.
     *
     * @throws EmtalException if one is empty
     */
    public Split {
        EmtalException.check(train.length > 0 && test.length > 0,
                "Split %s has %d training rows and %d test rows; each needs at least one", name, train.length,
                test.length);
        train = train.clone();
        test = test.clone();
    }

    @Override
    public int[] train() {
        return train.clone();
    }

    @Override
    public int[] test() {
        return test.clone();
    }
}

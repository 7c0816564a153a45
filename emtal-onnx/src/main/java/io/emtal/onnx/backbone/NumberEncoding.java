package io.emtal.onnx.backbone;

import io.emtal.onnx.EmtalException;

/**
 * How a number enters a network: by its value, by bins, or by both.
 *
 * @param value whether it enters standardised: outliers count by their distance, and what is linear goes on beyond the
 *     training rows
 * @param bins the most bins of its piecewise-linear encoding, which ends with the training rows; 0 for none
 */
record NumberEncoding(boolean value, int bins) {

    /** Checks that it enters at all. */
    NumberEncoding {
        EmtalException.check(bins >= 0 && (value || bins > 0), "number: found %d bins %s its value, allowed are 0 and more"
                + " with it and 1 and more without", bins, value ? "with" : "without");
    }

    /**
     * By its value, and by bins if there are any.
     *
     * @param bins the most bins, 0 for none
     */
    static NumberEncoding ofValue(int bins) {
        return new NumberEncoding(true, bins);
    }
}

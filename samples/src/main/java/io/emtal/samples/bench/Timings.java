package io.emtal.samples.bench;

import java.util.Arrays;

/**
 * Times of repeated runs, in nanoseconds.
 *
 * @param nanos one a run, ascending
 */
record Timings(long[] nanos) {
    Timings {
        nanos = nanos.clone();
        Arrays.sort(nanos);
    }

    double medianMillis() {
        int middle = nanos.length / 2;
        return (nanos.length % 2 == 1 ? nanos[middle] : (nanos[middle - 1] + nanos[middle]) / 2.0) * 1e-6;
    }

    double minMillis() {
        return nanos[0] * 1e-6;
    }

    /** The smallest time that 95 of 100 runs do not exceed. */
    double percentile95Millis() {
        return nanos[(int) Math.ceil(0.95 * nanos.length) - 1] * 1e-6;
    }
}

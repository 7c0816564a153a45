package io.emtal.samples.quickstart;

/** Measures wall-clock time from one look to the next. */
final class Stopwatch {
    private long begun = System.nanoTime();

    /** Seconds since the last look, or since it was made. */
    double seconds() {
        long now = System.nanoTime();
        double seconds = (now - begun) * 1e-9;
        begun = now;
        return seconds;
    }
}

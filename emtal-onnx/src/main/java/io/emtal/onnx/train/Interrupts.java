package io.emtal.onnx.train;

/**
 * Interrupts of the thread that trains: they are taken note of between steps, so that what a stopped training still has
 * to do is not broken off, and given back to the thread at the end.
 */
final class Interrupts implements AutoCloseable {

    private boolean arrived;

    /** Whether there was an interrupt so far. */
    boolean arrived() {
        arrived |= Thread.interrupted();
        return arrived;
    }

    @Override
    public void close() {
        if (arrived) {
            Thread.currentThread().interrupt();
        }
    }
}

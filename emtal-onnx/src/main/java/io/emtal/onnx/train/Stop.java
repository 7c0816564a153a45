package io.emtal.onnx.train;

import io.emtal.onnx.EmtalException;

import java.util.Objects;

/**
 * Where a training was stopped by an interrupt of its thread.
 *
 * @param phase the phase
 * @param step the steps of the phase that were done
 * @param steps the steps that it would have had
 */
public record Stop(Phase phase, int step, int steps) {

    /** Checks the step. */
    public Stop {
        Objects.requireNonNull(phase, "phase");
        EmtalException.check(step >= 0 && step <= steps, "stop: found step %d of %d, allowed are 0 to the last", step, steps);
    }

    @Override
    public String toString() {
        return phase + ", after step " + step + " of " + steps;
    }
}

package io.emtal.onnx.train;

import java.io.IOException;

/**
 * What an epoch came to.
 *
 * @param phase the phase of the training
 * @param epoch the epoch within the phase, from 1; 0 for what the phase started from, which is there if rows are held out
 * @param step the steps done in the phase
 * @param learningRate the learning rate of its last step
 * @param fade the fade a of its last step
 * @param trainLosses mean unsmoothed loss a task over the epoch's rows; not-a-number for a task without labels
 * @param validationLosses mean unsmoothed loss a task over the validation rows at a = 1; empty if they were not
 *     evaluated, not-a-number for a task without labels there
 * @param routerEntropy the mean entropy of the router's gates divided by ln K, 1 when all experts share alike;
 *     not-a-number without a router
 * @param seconds wall-clock time of the epoch
 * @param inputSeconds how long of that a worker took, on average, to read the inputs of steps: to copy rows, or
 *     to wait for images that were not decoded yet
 */
public record EpochRecord(Phase phase, int epoch, int step, double learningRate, double fade, double[] trainLosses,
                          double[] validationLosses, double routerEntropy, double seconds, double inputSeconds) {

    /** Writes the record, without its phase. */
    void write(StateOutput output) throws IOException {
        output.write(epoch);
        output.write(step);
        output.write(learningRate);
        output.write(fade);
        output.write(trainLosses);
        output.write(validationLosses);
        output.write(routerEntropy);
        output.write(seconds);
        output.write(inputSeconds);
    }

    /** Reads what was written in a phase. */
    static EpochRecord read(Phase phase, StateInput input) throws IOException {
        return new EpochRecord(phase, input.readInt(), input.readInt(), input.readDouble(),
                input.readDouble(), input.readDoubles(), input.readDoubles(), input.readDouble(), input.readDouble(),
                input.readDouble());
    }
}

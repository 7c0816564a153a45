package io.emtal.onnx.train;

import java.io.IOException;
import java.util.List;

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
 * @param retainingWeights the weight of each task's terms of Quality Retaining after the epoch's last step, before
 *     the division by the rows of a batch: one over the task's running loss, bounded and 0 before its first label, or
 *     the constant; in dense training where tasks are {@linkplain Recipe#retained() retained} 1 for those that are past
 *     their best after the epoch, and 0 for the others; empty without Quality Retaining and in records of versions that
 *     did not write it, not-a-number for a task that takes no part
 * @param frozenHeads the tasks, by position, whose heads are not updated in later epochs of the phase, because their loss on
 *     the validation rows has not improved for long
 */
public record EpochRecord(Phase phase, int epoch, int step, double learningRate, double fade, double[] trainLosses,
                          double[] validationLosses, double routerEntropy, double seconds, double inputSeconds,
                          double[] retainingWeights, List<Integer> frozenHeads) {

    /** Makes the list immutable. */
    public EpochRecord {
        frozenHeads = List.copyOf(frozenHeads);
    }

    /**
     * An epoch without Quality Retaining, after which all heads go on learning.
     *
     * @param phase the phase of the training
     * @param epoch the epoch within the phase
     * @param step the steps done in the phase
     * @param learningRate the learning rate of its last step
     * @param fade the fade a of its last step
     * @param trainLosses mean loss a task over the epoch's rows
     * @param validationLosses mean loss a task over the validation rows
     * @param routerEntropy the mean entropy of the router's gates
     * @param seconds wall-clock time of the epoch
     * @param inputSeconds how long of that it took to read the inputs
     */
    public EpochRecord(Phase phase, int epoch, int step, double learningRate, double fade, double[] trainLosses,
                       double[] validationLosses, double routerEntropy, double seconds, double inputSeconds) {
        this(phase, epoch, step, learningRate, fade, trainLosses, validationLosses, routerEntropy, seconds, inputSeconds,
                new double[0], List.of());
    }

    /** The same with weights of Quality Retaining. */
    EpochRecord withRetainingWeights(double[] weights) {
        return new EpochRecord(phase, epoch, step, learningRate, fade, trainLosses, validationLosses, routerEntropy,
                seconds, inputSeconds, weights, frozenHeads);
    }

    /** The same with frozen heads. */
    EpochRecord withFrozenHeads(List<Integer> frozen) {
        return new EpochRecord(phase, epoch, step, learningRate, fade, trainLosses, validationLosses, routerEntropy, seconds,
                inputSeconds, retainingWeights, frozen);
    }

    /** Writes the record, without its phase and its frozen heads, which follow from all records' losses. */
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
        output.write(retainingWeights);
    }

    /** Reads what was written in a phase. */
    static EpochRecord read(Phase phase, StateInput input) throws IOException {
        EpochRecord record = new EpochRecord(phase, input.readInt(), input.readInt(), input.readDouble(),
                input.readDouble(), input.readDoubles(), input.readDoubles(), input.readDouble(), input.readDouble(),
                input.readDouble());
        return input.version() >= 2 ? record.withRetainingWeights(input.readDoubles()) : record;
    }
}

package io.emtal.onnx.task;

import io.emtal.onnx.EmtalException;
import java.util.stream.DoubleStream;

/**
 * A real number: one column, trained on {@code (target - mean) / deviation}. The exported predictor undoes that.
 *
 * @param name the name, see {@link Task}
 * @param mean the mean of the training targets, in the target's unit
 * @param deviation the standard deviation of the training targets, in the target's unit; above 0
 * @param kurtosis how heavy the tails of the training targets are: the mean fourth power of the standardised ones, at
 *     least 1, 3 for a normal distribution
 * @param weight the factor of this task's loss
 */
public record RealTask(String name, double mean, double deviation, double kurtosis, double weight) implements Task {

    private static final double NORMAL_KURTOSIS = 3;

    /** Numbers that differ by few steps of their precision differ by rounding. */
    private static final int ROUNDINGS = 16;

    /** Checks name, weight and that both constants survive single precision, which the graph computes in. */
    public RealTask {
        Task.check(name, weight);
        EmtalException.check(Float.isFinite((float) mean),
                "task '%s': found mean %s, allowed is a finite single-precision number", name, mean);
        EmtalException.check(Float.isFinite((float) deviation) && (float) deviation > 0,
                "task '%s': found deviation %s, allowed is a finite single-precision number above 0", name, deviation);
        EmtalException.check(Double.isFinite(kurtosis) && kurtosis >= 1,
                "task '%s': found kurtosis %s, allowed is a finite number, at least 1", name, kurtosis);
    }

    /**
     * A task whose targets have the tails of a normal distribution.
     *
     * @param name the name
     * @param mean the mean of the training targets
     * @param deviation their standard deviation
     * @param weight the factor of this task's loss
     */
    public RealTask(String name, double mean, double deviation, double weight) {
        this(name, mean, deviation, NORMAL_KURTOSIS, weight);
    }

    /**
     * A task with the statistics of its training targets: mean, population standard deviation and kurtosis. The
     * deviation of a constant target is set to what rounding to single precision makes there, so that whatever the
     * network answers is nearly the constant, and its tails are normal; other deviations are not below what rounding to
     * double precision makes at the mean. Predictions are rounded as single precision is there.
     *
     * @param name the name
     * @param targets the targets of the training examples; NaN where one is missing
     * @param weight the factor of this task's loss
     * @return the task
     * @throws EmtalException if no target is known or one is infinite
     */
    public static RealTask of(String name, double[] targets, double weight) {
        double[] known = DoubleStream.of(targets).filter(v -> !Double.isNaN(v)).toArray();
        EmtalException.check(known.length > 0, "task '%s': found no target among %d training examples, at least one"
                + " is needed", name, targets.length);
        // The mean of equal numbers may be rounded to another one.
        boolean constant = DoubleStream.of(known).allMatch(v -> v == known[0]);
        double mean = constant ? known[0] : DoubleStream.of(known).average().orElseThrow();
        double variance = DoubleStream.of(known).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
        double step = constant ? Math.ulp((float) mean) : Math.ulp(mean);
        double deviation = Math.max(Math.sqrt(variance), Math.max(ROUNDINGS * step, Float.MIN_NORMAL));
        if (constant) {
            return new RealTask(name, mean, deviation, weight);
        }
        double kurtosis = DoubleStream.of(known).map(v -> Math.pow((v - mean) / deviation, 4)).average().orElseThrow();
        return new RealTask(name, mean, deviation, Math.max(kurtosis, 1), weight);
    }

    /** The same with its weight multiplied. */
    RealTask weighted(double factor) {
        return new RealTask(name, mean, deviation, kurtosis, weight * factor);
    }

    @Override
    public int width() {
        return 1;
    }

    /**
     * The label of a target.
     *
     * @param target a target in its own unit; NaN for a missing one
     * @return the standardised target
     */
    public float standardise(double target) {
        return (float) ((target - mean) / deviation);
    }

    /**
     * The prediction in the target's unit.
     *
     * @param logit the network's output
     * @return {@code mean + deviation * logit}
     */
    public double restore(double logit) {
        return mean + deviation * logit;
    }

    @Override
    public boolean accepts(float label) {
        return !Float.isInfinite(label);
    }

    @Override
    public String allowedLabels() {
        return "a finite number, or NaN for a missing label";
    }
}

package io.emtal.onnx.train;

import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.Task;

import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * The mean over tasks of their errors. Cross-entropies have one unit, errors and losses of standardised numbers
 * another, and the one kind is often several times as large as the other: so the arithmetic means of both are averaged
 * geometrically, by the numbers of tasks, and what counts is by which part each of them changes.
 */
public final class TaskMean {

    /** Is added to the means of both kinds, so that one that is as good as solved does not outweigh the other. */
    private static final double SOLVED = 1e-4;

    private TaskMean() {
    }

    /**
     * The mean. Of tasks of one kind it is the arithmetic one. Tasks of weight 0, which nothing learns, are left out if
     * there is an error of another.
     *
     * @param tasks the tasks
     * @param errors one a task, 0 or more; not-a-number for a task without
     * @return the mean of those that there are; none without any
     */
    public static OptionalDouble of(List<Task> tasks, double[] errors) {
        double[] learnt = IntStream.range(0, errors.length)
                .mapToDouble(t -> tasks.get(t).weight() > 0 ? errors[t] : Double.NaN).toArray();
        return ofAll(tasks, Arrays.stream(learnt).allMatch(Double::isNaN) ? errors : learnt);
    }

    private static OptionalDouble ofAll(List<Task> tasks, double[] errors) {
        double[] reals = ofKind(true, tasks, errors);
        double[] others = ofKind(false, tasks, errors);
        if (reals.length == 0 || others.length == 0) {
            return Arrays.stream(reals.length == 0 ? others : reals).average();
        }
        double logarithms = reals.length * logMean(reals) + others.length * logMean(others);
        return OptionalDouble.of(Math.exp(logarithms / (reals.length + others.length)) - SOLVED);
    }

    private static double[] ofKind(boolean real, List<Task> tasks, double[] errors) {
        return IntStream.range(0, errors.length).filter(t -> tasks.get(t) instanceof RealTask == real)
                .mapToDouble(t -> errors[t]).filter(error -> !Double.isNaN(error)).toArray();
    }

    private static double logMean(double[] errors) {
        return Math.log(Arrays.stream(errors).average().orElseThrow() + SOLVED);
    }
}

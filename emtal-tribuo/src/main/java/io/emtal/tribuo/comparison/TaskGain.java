package io.emtal.tribuo.comparison;

import io.emtal.tribuo.multitask.MultiTaskMetrics;
import io.emtal.tribuo.multitask.TaskKind;

import java.util.List;
import java.util.OptionalDouble;
import java.util.stream.DoubleStream;

/**
 * What one task gained from being learnt with the others.
 *
 * @param task the task's name
 * @param kind its kind
 * @param metric what it is judged by
 * @param rows how many test rows are labelled for it
 * @param scores the metric of both models, by seed
 */
public record TaskGain(String task, TaskKind kind, MultiTaskMetrics metric, int rows, List<Score> scores) {

    /** Makes the gain immutable. */
    public TaskGain {
        scores = List.copyOf(scores);
    }

    /**
     * What both scored with a seed.
     *
     * @param seed the seed
     * @param joint the metric of the model of all tasks; nothing where it is not defined on the test rows
     * @param separate the metric of the task's own model
     */
    public record Score(long seed, OptionalDouble joint, OptionalDouble separate) {
    }

    /**
     * The gain with each seed: 100 · s · (M − S) / |S|, where M is the metric of the joint model, S that of the task's
     * own, and s is −1 for a metric of which less is better and 1 for others. More is better.
     *
     * @return percent, one a seed; nothing where a metric is not defined or S is 0
     */
    public List<OptionalDouble> gains() {
        return scores.stream().map(this::gain).toList();
    }

    private OptionalDouble gain(Score score) {
        if (score.joint().isEmpty() || score.separate().isEmpty() || score.separate().getAsDouble() == 0) {
            return OptionalDouble.empty();
        }
        double separate = score.separate().getAsDouble();
        double difference = score.joint().getAsDouble() - separate;
        return OptionalDouble.of(100 * (metric.lowerIsBetter() ? -difference : difference) / Math.abs(separate));
    }

    /**
     * The metric of the joint model over the seeds.
     *
     * @return mean and spread
     */
    public Spread joint() {
        return Spread.of(values(scores.stream().map(Score::joint).toList()));
    }

    /**
     * The metric of the task's own model over the seeds.
     *
     * @return mean and spread
     */
    public Spread separate() {
        return Spread.of(values(scores.stream().map(Score::separate).toList()));
    }

    /**
     * The gain over the seeds.
     *
     * @return mean and spread, in percent
     */
    public Spread gain() {
        return Spread.of(values(gains()));
    }

    private static DoubleStream values(List<OptionalDouble> values) {
        return values.stream().flatMapToDouble(OptionalDouble::stream);
    }
}

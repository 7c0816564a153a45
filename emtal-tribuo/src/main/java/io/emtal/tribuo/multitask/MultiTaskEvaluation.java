package io.emtal.tribuo.multitask;

import org.tribuo.Prediction;
import org.tribuo.evaluation.Evaluation;
import org.tribuo.evaluation.metrics.MetricID;
import org.tribuo.provenance.EvaluationProvenance;

import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * How well a model predicts the tasks of a data set, each over the rows that are labelled for it. A metric that is not
 * defined on these rows is no entry of {@link #asMap()} and takes no part in averages; none is not-a-number.
 */
public final class MultiTaskEvaluation implements Evaluation<MultiTask> {

    private final Map<MetricID<MultiTask>, Double> results;
    private final MultiTaskMetric.Context context;
    private final EvaluationProvenance provenance;

    MultiTaskEvaluation(Map<MetricID<MultiTask>, Double> results, MultiTaskMetric.Context context,
                        EvaluationProvenance provenance) {
        this.results = Map.copyOf(results);
        this.context = context;
        this.provenance = provenance;
    }

    /**
     * {@inheritDoc} The targets are those of {@link MultiTaskMetrics#forTask}, the macro average over tasks, and the
     * micro average for what looks at all binary tasks together.
     */
    @Override
    public Map<MetricID<MultiTask>, Double> asMap() {
        return results;
    }

    @Override
    public List<Prediction<MultiTask>> getPredictions() {
        return context.getPredictions();
    }

    @Override
    public EvaluationProvenance getProvenance() {
        return provenance;
    }

    /**
     * All scores.
     *
     * @return by kind and task
     */
    public MultiTaskScores scores() {
        return context.scores();
    }

    /**
     * A metric of a task.
     *
     * @param metric the metric
     * @param task the task's name
     * @return its value; nothing where it is not defined on these rows, and for a task of another kind
     */
    public OptionalDouble value(MultiTaskMetrics metric, String task) {
        return scores().value(metric, task);
    }

    /**
     * The mean of a metric over the tasks on which it is defined.
     *
     * @param metric the metric
     * @return the mean; nothing if there is no such task
     */
    public OptionalDouble average(MultiTaskMetrics metric) {
        return scores().average(metric);
    }

    /** The tables of the scores. */
    @Override
    public String toString() {
        return scores().toString();
    }

    /**
     * The tables of the scores.
     *
     * @return HTML, names escaped
     */
    public String toHTML() {
        return scores().toHTML();
    }
}

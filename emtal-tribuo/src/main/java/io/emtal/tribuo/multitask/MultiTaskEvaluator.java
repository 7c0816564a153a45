package io.emtal.tribuo.multitask;

import io.emtal.tribuo.evaluation.LabelSetMetrics;
import org.tribuo.Model;
import org.tribuo.Prediction;
import org.tribuo.evaluation.AbstractEvaluator;
import org.tribuo.evaluation.metrics.EvaluationMetric;
import org.tribuo.evaluation.metrics.MetricID;
import org.tribuo.evaluation.metrics.MetricTarget;
import org.tribuo.provenance.EvaluationProvenance;

import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.Function;

/**
 * Evaluates models of {@link MultiTask} outputs: each task by the metrics of its kind, over the rows that are labelled
 * for it, and the means over tasks. A class that the model does not know is a row on which it is wrong; a task that it
 * does not know is an error.
 */
public final class MultiTaskEvaluator
        extends AbstractEvaluator<MultiTask, MultiTaskMetric.Context, MultiTaskEvaluation, MultiTaskMetric> {

    private final LabelSpace labelSpace;

    /** An evaluator in each task's own label space. */
    public MultiTaskEvaluator() {
        this(LabelSpace.TASK);
    }

    /**
     * An evaluator.
     *
     * @param labelSpace among which classes the accuracy of categorical tasks looks; other metrics look at the task's
     *     own
     */
    public MultiTaskEvaluator(LabelSpace labelSpace) {
        this.labelSpace = Objects.requireNonNull(labelSpace, "labelSpace");
    }

    @Override
    protected Set<MultiTaskMetric> createMetrics(Model<MultiTask> model) {
        Set<MultiTaskMetric> metrics = new LinkedHashSet<>();
        for (MultiTaskMetrics metric : MultiTaskMetrics.values()) {
            MultiTaskScorer.domain(model).kinds().forEach((task, kind) -> {
                if (MultiTaskMetrics.of(kind).contains(metric)) {
                    metrics.add(metric.forTask(task));
                }
            });
            metrics.add(metric.average());
        }
        metrics.add(ofSets("HAMMING", LabelSetMetrics::hamming));
        metrics.add(ofSets("SUBSET_ACCURACY", LabelSetMetrics::subsetAccuracy));
        metrics.add(ofSets("F1", LabelSetMetrics::microF1));
        metrics.add(ofSets("EXAMPLE_F1", LabelSetMetrics::exampleF1));
        metrics.add(ofSets("RANKING_LOSS", LabelSetMetrics::rankingLoss));
        metrics.add(ofSets("AUC", LabelSetMetrics::microAuc));
        return metrics;
    }

    private static MultiTaskMetric ofSets(String name, Function<LabelSetMetrics, OptionalDouble> metric) {
        return new MultiTaskMetric(MetricTarget.microAverageTarget(), name,
                scores -> metric.apply(scores.binaryTasks()));
    }

    @Override
    protected MultiTaskMetric.Context createContext(Model<MultiTask> model, List<Prediction<MultiTask>> predictions) {
        return new MultiTaskMetric.Context(model, predictions, labelSpace);
    }

    /** Leaves out what is not defined. */
    @Override
    protected Map<MetricID<MultiTask>, Double> computeResults(MultiTaskMetric.Context context,
            Set<? extends EvaluationMetric<MultiTask, MultiTaskMetric.Context>> metrics) {
        Map<MetricID<MultiTask>, Double> results = new HashMap<>(super.computeResults(context, metrics));
        results.values().removeIf(value -> value.isNaN());
        return results;
    }

    @Override
    protected MultiTaskEvaluation createEvaluation(MultiTaskMetric.Context context,
            Map<MetricID<MultiTask>, Double> results, EvaluationProvenance provenance) {
        return new MultiTaskEvaluation(results, context, provenance);
    }

    @Override
    public String toString() {
        return "MultiTaskEvaluator(labelSpace=" + labelSpace + ")";
    }
}

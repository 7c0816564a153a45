package io.emtal.tribuo.multitask;

import org.tribuo.Model;
import org.tribuo.Prediction;
import org.tribuo.evaluation.metrics.EvaluationMetric;
import org.tribuo.evaluation.metrics.MetricContext;
import org.tribuo.evaluation.metrics.MetricTarget;

import java.util.List;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.function.Function;

/** A metric of a task, or of all together. */
public final class MultiTaskMetric implements EvaluationMetric<MultiTask, MultiTaskMetric.Context> {

    private final MetricTarget<MultiTask> target;
    private final String name;
    private final Function<MultiTaskScores, OptionalDouble> value;

    MultiTaskMetric(MetricTarget<MultiTask> target, String name, Function<MultiTaskScores, OptionalDouble> value) {
        this.target = target;
        this.name = name;
        this.value = value;
    }

    /**
     * {@inheritDoc}
     *
     * @return the value, not-a-number where it is not defined; an evaluation leaves it out then
     */
    @Override
    public double compute(Context context) {
        return value.apply(context.scores).orElse(Double.NaN);
    }

    @Override
    public MetricTarget<MultiTask> getTarget() {
        return target;
    }

    @Override
    public String getName() {
        return name;
    }

    @Override
    public Context createContext(Model<MultiTask> model, List<Prediction<MultiTask>> predictions) {
        return new Context(model, predictions, LabelSpace.TASK);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MultiTaskMetric that && target.equals(that.target) && name.equals(that.name);
    }

    @Override
    public int hashCode() {
        return Objects.hash(target, name);
    }

    /** A model's predictions and how they scored. */
    public static final class Context extends MetricContext<MultiTask> {

        private final MultiTaskScores scores;

        Context(Model<MultiTask> model, List<Prediction<MultiTask>> predictions, LabelSpace labelSpace) {
            super(model, predictions);
            scores = new MultiTaskScorer(labelSpace).add(model, predictions).scores();
        }

        MultiTaskScores scores() {
            return scores;
        }
    }
}

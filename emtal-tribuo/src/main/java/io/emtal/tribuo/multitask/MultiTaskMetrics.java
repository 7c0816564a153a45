package io.emtal.tribuo.multitask;

import io.emtal.tribuo.evaluation.ClassificationMetrics;
import io.emtal.tribuo.evaluation.RealMetrics;
import org.tribuo.evaluation.metrics.MetricTarget;

import java.util.EnumSet;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;

/** The metrics of one task, as {@link ClassificationMetrics} and {@link RealMetrics} define them. */
public enum MultiTaskMetrics {

    /** The share of rows whose class was predicted. */
    ACCURACY("accuracy", false, ofClasses(ClassificationMetrics::accuracy)),
    /** The mean recall of the classes. */
    BALANCED_ACCURACY("balanced", false, ofClasses(ClassificationMetrics::balancedAccuracy)),
    /** The mean F1 of the classes. */
    MACRO_F1("macro F1", false, ofClasses(ClassificationMetrics::macroF1)),
    /** The mean negative logarithm of the true class's probability, in nats. */
    LOG_LOSS("log-loss", true, ofClasses(ClassificationMetrics::logLoss)),
    /** The area under the ROC curve, of several classes each against the rest. */
    AUC("AUC", false, ofClasses(ClassificationMetrics::auc)),
    /** The expected calibration error. */
    CALIBRATION_ERROR("calibration", true, ofClasses(ClassificationMetrics::calibrationError)),
    /** The root of the mean squared error, in the task's unit. */
    RMSE("RMSE", true, ofNumbers(RealMetrics::rmse)),
    /** The mean absolute error, in the task's unit. */
    MAE("MAE", true, ofNumbers(RealMetrics::mae)),
    /** The coefficient of determination. */
    R2("R2", false, ofNumbers(RealMetrics::r2)),
    /**
     * The error relative to that of the training mean, which is the mean in the model's domain. Of a model that was
     * trained on a view, as in Tribuo's cross-validation, that is the mean of what it is a view of.
     */
    RRMSE("RRMSE", true, ofNumbers(RealMetrics::rrmse));

    private final String title;
    private final boolean lowerIsBetter;
    private final BiFunction<MultiTaskScores, String, OptionalDouble> value;

    MultiTaskMetrics(String title, boolean lowerIsBetter, BiFunction<MultiTaskScores, String, OptionalDouble> value) {
        this.title = title;
        this.lowerIsBetter = lowerIsBetter;
        this.value = value;
    }

    private static BiFunction<MultiTaskScores, String, OptionalDouble> ofClasses(
            Function<ClassificationMetrics, OptionalDouble> metric) {
        return (scores, task) -> Optional.ofNullable(scores.classes().get(task)).map(metric)
                .orElse(OptionalDouble.empty());
    }

    private static BiFunction<MultiTaskScores, String, OptionalDouble> ofNumbers(
            Function<RealMetrics, OptionalDouble> metric) {
        return (scores, task) -> Optional.ofNullable(scores.numbers().get(task)).map(metric)
                .orElse(OptionalDouble.empty());
    }

    /**
     * The metrics that a kind of tasks has.
     *
     * @param kind the kind
     * @return the metrics, in their order
     */
    public static Set<MultiTaskMetrics> of(TaskKind kind) {
        return kind == TaskKind.REAL ? EnumSet.range(RMSE, RRMSE) : EnumSet.range(ACCURACY, CALIBRATION_ERROR);
    }

    /**
     * The name in tables.
     *
     * @return a word or two
     */
    public String title() {
        return title;
    }

    /**
     * Whether less is better.
     *
     * @return true for losses and errors
     */
    public boolean lowerIsBetter() {
        return lowerIsBetter;
    }

    OptionalDouble of(MultiTaskScores scores, String task) {
        return value.apply(scores, task);
    }

    /**
     * The metric of a task. Its target in {@link org.tribuo.evaluation.Evaluation#asMap()} is the output that names the
     * task and no class of it, such as {@code colour=""}.
     *
     * @param task the task's name
     * @return the metric
     */
    public MultiTaskMetric forTask(String task) {
        return new MultiTaskMetric(new MetricTarget<>(MultiTask.builder().categorical(task, "").build()), name(),
                scores -> of(scores, task));
    }

    /**
     * The mean of the metric over the tasks that have it.
     *
     * @return the metric, a macro average
     */
    public MultiTaskMetric average() {
        return new MultiTaskMetric(MetricTarget.macroAverageTarget(), name(), scores -> scores.average(this));
    }
}

package io.emtal.samples.compare;

import io.emtal.samples.table.RegressorTargets;
import io.emtal.samples.table.Table;
import io.emtal.tribuo.evaluation.RealMetrics;
import io.emtal.tribuo.table.Column;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.ToDoubleFunction;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.tribuo.Output;
import org.tribuo.Prediction;
import org.tribuo.regression.Regressor;

/**
 * The relative root mean squared error of each target, {@code rrmse:<target>} = sqrt(SSE / SSE of the training mean),
 * both sums over the test rows of all folds, each fold against the mean of its own training rows; 1 is what a
 * constant scores. {@code aRRMSE} is the mean over the targets. A target that the training mean predicts without
 * error has no such ratio and is left out.
 */
final class RegressionMetrics implements Metrics<Regressor> {
    @Override
    public String main() {
        return "aRRMSE";
    }

    @Override
    public boolean lowerIsBetter() {
        return true;
    }

    @Override
    public Map<String, Double> evaluate(Table table, List<Outcome<Regressor>> outcomes) {
        List<Column> targets = table.schema().targets();
        Map<String, Double> perTarget = new LinkedHashMap<>();
        for (int target = 0; target < targets.size(); target++) {
            String name = targets.get(target).name();
            relativeError(table, target, outcomes, prediction -> RegressorTargets.value(prediction.getOutput(), name))
                    .ifPresent(ratio -> perTarget.put("rrmse:" + name, ratio));
        }
        Map<String, Double> metrics = new LinkedHashMap<>();
        perTarget.values().stream().mapToDouble(Double::doubleValue).average()
                .ifPresent(mean -> metrics.put(main(), mean));
        metrics.putAll(perTarget);
        return metrics;
    }

    /**
     * The relative root mean squared error of a target over the rows that have it.
     *
     * @param table the table, for the truth
     * @param target the target's place in the schema
     * @param outcomes the predictions for each split
     * @param value the target's predicted value
     * @return the error, infinite if its square is too large for a number, or nothing if the training mean makes none,
     *     or no row has the target
     */
    static <T extends Output<T>> OptionalDouble relativeError(Table table, int target, List<Outcome<T>> outcomes,
            ToDoubleFunction<Prediction<T>> value) {
        DoubleStream.Builder truths = DoubleStream.builder();
        DoubleStream.Builder predicted = DoubleStream.builder();
        DoubleStream.Builder means = DoubleStream.builder();
        for (Outcome<T> outcome : outcomes) {
            double mean = IntStream.of(outcome.split().train()).filter(row -> table.hasTarget(target, row))
                    .mapToDouble(row -> table.target(target, row)).average().orElse(Double.NaN);
            int[] test = outcome.split().test();
            for (int i = 0; i < test.length; i++) {
                if (table.hasTarget(target, test[i])) {
                    truths.add(table.target(target, test[i]));
                    predicted.add(value.applyAsDouble(outcome.predictions().get(i)));
                    means.add(mean);
                }
            }
        }
        RealMetrics metrics = RealMetrics.of(truths.build().toArray(), predicted.build().toArray(),
                means.build().toArray());
        // Beside a sum of squares that overflows, every training mean would count as without error.
        return Double.isInfinite(metrics.rmse().orElse(0)) ? metrics.rmse() : metrics.rrmse();
    }
}

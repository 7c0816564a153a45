package io.emtal.samples.compare;

import io.emtal.samples.table.Column;
import io.emtal.samples.table.RegressorTargets;
import io.emtal.samples.table.Table;
import io.emtal.tribuo.evaluation.RealMetrics;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
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
            rrmse(table, target, name, outcomes).ifPresent(ratio -> perTarget.put("rrmse:" + name, ratio));
        }
        Map<String, Double> metrics = new LinkedHashMap<>();
        perTarget.values().stream().mapToDouble(Double::doubleValue).average()
                .ifPresent(mean -> metrics.put(main(), mean));
        metrics.putAll(perTarget);
        return metrics;
    }

    private static OptionalDouble rrmse(Table table, int target, String name, List<Outcome<Regressor>> outcomes) {
        DoubleStream.Builder truths = DoubleStream.builder();
        DoubleStream.Builder predicted = DoubleStream.builder();
        DoubleStream.Builder means = DoubleStream.builder();
        for (Outcome<Regressor> outcome : outcomes) {
            double mean = IntStream.of(outcome.split().train()).mapToDouble(row -> table.target(target, row)).average()
                    .orElseThrow();
            int[] test = outcome.split().test();
            for (int i = 0; i < test.length; i++) {
                truths.add(table.target(target, test[i]));
                predicted.add(RegressorTargets.value(outcome.predictions().get(i).getOutput(), name));
                means.add(mean);
            }
        }
        return RealMetrics.of(truths.build().toArray(), predicted.build().toArray(), means.build().toArray()).rrmse();
    }
}

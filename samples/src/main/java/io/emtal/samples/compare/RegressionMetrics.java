package io.emtal.samples.compare;

import io.emtal.samples.table.Column;
import io.emtal.samples.table.RegressorTargets;
import io.emtal.samples.table.Table;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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
        List<Double> ratios = new ArrayList<>();
        for (int target = 0; target < targets.size(); target++) {
            String name = targets.get(target).name();
            double error = 0;
            double constantError = 0;
            for (Outcome<Regressor> outcome : outcomes) {
                double mean = 0;
                int[] train = outcome.split().train();
                for (int row : train) {
                    mean += table.target(target, row) / train.length;
                }
                int[] test = outcome.split().test();
                for (int i = 0; i < test.length; i++) {
                    double truth = table.target(target, test[i]);
                    double predicted = RegressorTargets.value(outcome.predictions().get(i).getOutput(), name);
                    error += (predicted - truth) * (predicted - truth);
                    constantError += (mean - truth) * (mean - truth);
                }
            }
            if (constantError > 0) {
                double ratio = Math.sqrt(error / constantError);
                perTarget.put("rrmse:" + name, ratio);
                ratios.add(ratio);
            }
        }
        Map<String, Double> metrics = new LinkedHashMap<>();
        ratios.stream().mapToDouble(Double::doubleValue).average().ifPresent(mean -> metrics.put(main(), mean));
        metrics.putAll(perTarget);
        return metrics;
    }
}

package io.emtal.samples.compare;

import io.emtal.samples.table.MultiLabelTargets;
import io.emtal.samples.table.Table;
import io.emtal.tribuo.evaluation.LabelSetMetrics;
import io.emtal.tribuo.table.Column;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.tribuo.Prediction;
import org.tribuo.multilabel.MultiLabel;

/**
 * The accuracy of each target, {@code accuracy:<target>}, and their mean, {@code mean_accuracy}. The predicted class
 * of a target is the one whose label {@code target=class} has the highest score.
 */
final class CategoricalMetrics implements Metrics<MultiLabel> {
    @Override
    public String main() {
        return "mean_accuracy";
    }

    @Override
    public boolean lowerIsBetter() {
        return false;
    }

    @Override
    public Map<String, Double> evaluate(Table table, List<Outcome<MultiLabel>> outcomes) {
        List<Column> targets = table.schema().targets();
        int[] right = new int[targets.size()];
        int rows = 0;
        for (Outcome<MultiLabel> outcome : outcomes) {
            int[] test = outcome.split().test();
            rows += test.length;
            for (int i = 0; i < test.length; i++) {
                for (int target = 0; target < right.length; target++) {
                    int said = predicted(targets.get(target), outcome.predictions().get(i));
                    right[target] += said == table.target(target, test[i]) ? 1 : 0;
                }
            }
        }
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put(main(), 0.0);
        for (int target = 0; target < right.length; target++) {
            double accuracy = right[target] / (double) rows;
            metrics.put("accuracy:" + targets.get(target).name(), accuracy);
            metrics.merge(main(), accuracy / right.length, Double::sum);
        }
        return metrics;
    }

    private static int predicted(Column target, Prediction<MultiLabel> prediction) {
        int best = 0;
        double highest = Double.NEGATIVE_INFINITY;
        for (int value = 0; value < target.values().size(); value++) {
            String label = MultiLabelTargets.label(target, target.values().get(value));
            double score = LabelSetMetrics.score(prediction, label);
            if (score > highest) {
                highest = score;
                best = value;
            }
        }
        return best;
    }
}

package io.emtal.samples.compare;

import io.emtal.samples.table.Table;
import io.emtal.tribuo.evaluation.LabelSetMetrics;
import io.emtal.tribuo.table.Column;
import java.util.List;
import java.util.Map;
import org.tribuo.Prediction;
import org.tribuo.multilabel.MultiLabel;

/**
 * {@link LabelSetMetrics} by their names there, over all labels of the schema, whether or not a training part has them
 * all.
 */
final class MultiLabelMetrics implements Metrics<MultiLabel> {
    @Override
    public String main() {
        return "hamming";
    }

    @Override
    public boolean lowerIsBetter() {
        return true;
    }

    @Override
    public Map<String, Double> evaluate(Table table, List<Outcome<MultiLabel>> outcomes) {
        List<Column> targets = table.schema().targets();
        int rows = outcomes.stream().mapToInt(outcome -> outcome.predictions().size()).sum();
        boolean[][] truths = new boolean[rows][targets.size()];
        boolean[][] predicted = new boolean[rows][targets.size()];
        double[][] scores = new double[rows][targets.size()];
        int row = 0;
        for (Outcome<MultiLabel> outcome : outcomes) {
            int[] test = outcome.split().test();
            for (int i = 0; i < test.length; i++, row++) {
                Prediction<MultiLabel> prediction = outcome.predictions().get(i);
                for (int label = 0; label < targets.size(); label++) {
                    Column target = targets.get(label);
                    truths[row][label] = target.values().get((int) table.target(label, test[i])).equals("1");
                    predicted[row][label] = prediction.getOutput().contains(target.name());
                    scores[row][label] = LabelSetMetrics.score(prediction, target.name());
                }
            }
        }
        return LabelSetMetrics.of(truths, predicted, scores).asMap();
    }
}

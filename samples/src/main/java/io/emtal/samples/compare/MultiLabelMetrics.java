package io.emtal.samples.compare;

import io.emtal.samples.table.Column;
import io.emtal.samples.table.Table;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.classification.evaluation.ConfusionMetrics;
import org.tribuo.classification.evaluation.LabelEvaluationUtil;
import org.tribuo.multilabel.MultiLabel;

/**
 * Metrics of multi-label predictions over all labels of the schema, whether or not a training part has them all.
 *
 * <ul>
 *   <li>{@code hamming}: the share of wrong cells of the [rows, labels] matrix;
 *   <li>{@code subset_accuracy}: the share of rows without a wrong cell;
 *   <li>{@code micro_f1}: F1 of all cells together; {@code macro_f1}: the mean of the labels' F1, 0 for a label that
 *       neither occurs nor is predicted;
 *   <li>{@code example_f1}: the mean over rows of 2 |Y and P| / (|Y| + |P|), 1 where both sets are empty;
 *   <li>{@code macro_auc}: the mean area under the ROC curve over the labels that both occur and are absent.
 * </ul>
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
        List<String> labels = table.schema().targets().stream().map(Column::name).toList();
        List<boolean[]> truths = new ArrayList<>();
        List<Prediction<MultiLabel>> predictions = new ArrayList<>();
        for (Outcome<MultiLabel> outcome : outcomes) {
            for (int row : outcome.split().test()) {
                truths.add(truth(table, row));
            }
            predictions.addAll(outcome.predictions());
        }
        return evaluate(labels, truths, predictions);
    }

    private static boolean[] truth(Table table, int row) {
        List<Column> targets = table.schema().targets();
        boolean[] truth = new boolean[targets.size()];
        for (int label = 0; label < truth.length; label++) {
            truth[label] = targets.get(label).values().get((int) table.target(label, row)).equals("1");
        }
        return truth;
    }

    static Map<String, Double> evaluate(List<String> labels, List<boolean[]> truths,
            List<Prediction<MultiLabel>> predictions) {
        int rows = truths.size();
        int[] hits = new int[labels.size()];
        int[] falseAlarms = new int[labels.size()];
        int[] misses = new int[labels.size()];
        int exact = 0;
        double exampleF1 = 0;
        for (int row = 0; row < rows; row++) {
            int wrong = 0;
            int both = 0;
            int either = 0;
            for (int label = 0; label < labels.size(); label++) {
                boolean is = truths.get(row)[label];
                boolean said = predictions.get(row).getOutput().contains(labels.get(label));
                hits[label] += is && said ? 1 : 0;
                falseAlarms[label] += !is && said ? 1 : 0;
                misses[label] += is && !said ? 1 : 0;
                wrong += is != said ? 1 : 0;
                both += is && said ? 1 : 0;
                either += (is ? 1 : 0) + (said ? 1 : 0);
            }
            exact += wrong == 0 ? 1 : 0;
            exampleF1 += either == 0 ? 1 : 2.0 * both / either;
        }
        int allHits = 0;
        int allFalseAlarms = 0;
        int allMisses = 0;
        double macroF1 = 0;
        for (int label = 0; label < labels.size(); label++) {
            allHits += hits[label];
            allFalseAlarms += falseAlarms[label];
            allMisses += misses[label];
            macroF1 += f1(rows, hits[label], falseAlarms[label], misses[label]) / labels.size();
        }
        Map<String, Double> metrics = new LinkedHashMap<>();
        metrics.put("hamming", (allFalseAlarms + allMisses) / (double) (rows * labels.size()));
        metrics.put("subset_accuracy", exact / (double) rows);
        metrics.put("micro_f1", f1(rows * labels.size(), allHits, allFalseAlarms, allMisses));
        metrics.put("macro_f1", macroF1);
        metrics.put("example_f1", exampleF1 / rows);
        macroAuc(labels, truths, predictions).ifPresent(auc -> metrics.put("macro_auc", auc));
        return metrics;
    }

    private static double f1(int cells, int hits, int falseAlarms, int misses) {
        return ConfusionMetrics.f1(hits, falseAlarms, cells - hits - falseAlarms - misses, misses);
    }

    private static OptionalDouble macroAuc(List<String> labels, List<boolean[]> truths,
            List<Prediction<MultiLabel>> predictions) {
        List<Double> areas = new ArrayList<>();
        for (int label = 0; label < labels.size(); label++) {
            boolean[] positive = new boolean[truths.size()];
            double[] scores = new double[truths.size()];
            int positives = 0;
            for (int row = 0; row < positive.length; row++) {
                positive[row] = truths.get(row)[label];
                positives += positive[row] ? 1 : 0;
                scores[row] = score(predictions.get(row), labels.get(label));
            }
            if (positives > 0 && positives < positive.length) {
                areas.add(LabelEvaluationUtil.binaryAUCROC(positive, scores));
            }
        }
        return areas.stream().mapToDouble(Double::doubleValue).average();
    }

    /** The score of a label; 1 or 0 where a model predicts no scores. */
    static double score(Prediction<MultiLabel> prediction, String label) {
        MultiLabel scored = prediction.getOutputScores().get(label);
        if (scored != null) {
            return scored.getLabelScore(new Label(label)).orElse(0);
        }
        return prediction.getOutput().contains(label) ? 1 : 0;
    }
}

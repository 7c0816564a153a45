package io.emtal.tribuo.multitask;

import io.emtal.tribuo.evaluation.ClassificationMetrics;

import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.TreeSet;
import java.util.function.Function;

/** The labelled rows of a categorical task, or of a binary one, whose classes are {@code false} and {@code true}. */
final class ClassRows {

    private final TreeSet<String> classes = new TreeSet<>();
    private final List<Row> rows = new ArrayList<>();

    /** One row; whether it is right is for the label space to say. */
    record Row(String truth, String predicted, boolean right, Map<String, Double> scores, boolean probabilities) {
    }

    void know(Collection<String> known) {
        classes.addAll(known);
    }

    void add(Row row) {
        classes.add(row.truth());
        classes.add(row.predicted());
        classes.addAll(row.scores().keySet());
        rows.add(row);
    }

    void add(ClassRows other) {
        classes.addAll(other.classes);
        rows.addAll(other.rows);
    }

    ClassificationMetrics metrics() {
        Map<String, Integer> ids = new HashMap<>();
        classes.forEach(name -> ids.put(name, ids.size()));
        double[][] scores = new double[rows.size()][classes.size()];
        for (int row = 0; row < scores.length; row++) {
            double[] own = scores[row];
            rows.get(row).scores().forEach((name, score) -> own[ids.get(name)] = score);
        }
        ClassificationMetrics metrics = ClassificationMetrics.of(column(ids, Row::truth), column(ids, Row::predicted),
                scores, rows.stream().allMatch(Row::probabilities));
        OptionalDouble accuracy = rows.stream().mapToDouble(row -> row.right() ? 1 : 0).average();
        return new ClassificationMetrics(metrics.rows(), accuracy, metrics.balancedAccuracy(), metrics.macroF1(),
                metrics.logLoss(), metrics.auc(), metrics.calibrationError());
    }

    private int[] column(Map<String, Integer> ids, Function<Row, String> column) {
        return rows.stream().map(column).mapToInt(ids::get).toArray();
    }
}

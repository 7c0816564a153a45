package io.emtal.tribuo.multitask;

import io.emtal.tribuo.evaluation.LabelSetMetrics;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The labelled cells of all binary tasks. */
final class BinaryCells {

    private final List<Map<String, Cell>> rows = new ArrayList<>();

    /** One cell and the score of true. */
    record Cell(boolean truth, boolean predicted, double score) {
    }

    /** Adds a row: its labelled cells by task. */
    void add(Map<String, Cell> cells) {
        rows.add(Map.copyOf(cells));
    }

    void add(BinaryCells other) {
        rows.addAll(other.rows);
    }

    LabelSetMetrics metrics(List<String> tasks) {
        boolean[][] labelled = new boolean[rows.size()][tasks.size()];
        boolean[][] truths = new boolean[rows.size()][tasks.size()];
        boolean[][] predicted = new boolean[rows.size()][tasks.size()];
        double[][] scores = new double[rows.size()][tasks.size()];
        Map<String, Integer> columns = new HashMap<>();
        tasks.forEach(task -> columns.put(task, columns.size()));
        for (int row = 0; row < labelled.length; row++) {
            for (Map.Entry<String, Cell> entry : rows.get(row).entrySet()) {
                int column = columns.get(entry.getKey());
                labelled[row][column] = true;
                truths[row][column] = entry.getValue().truth();
                predicted[row][column] = entry.getValue().predicted();
                scores[row][column] = entry.getValue().score();
            }
        }
        return LabelSetMetrics.of(labelled, truths, predicted, scores);
    }
}

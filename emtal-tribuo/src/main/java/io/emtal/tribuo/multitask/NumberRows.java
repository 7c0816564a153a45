package io.emtal.tribuo.multitask;

import io.emtal.tribuo.evaluation.RealMetrics;

import java.util.ArrayList;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** The labelled rows of a real task. */
final class NumberRows {

    private final List<Row> rows = new ArrayList<>();

    private record Row(double truth, double predicted, double trainingMean) {
    }

    void add(double truth, double predicted, double trainingMean) {
        rows.add(new Row(truth, predicted, trainingMean));
    }

    void add(NumberRows other) {
        rows.addAll(other.rows);
    }

    RealMetrics metrics() {
        return RealMetrics.of(column(Row::truth), column(Row::predicted), column(Row::trainingMean));
    }

    private double[] column(ToDoubleFunction<Row> column) {
        return rows.stream().mapToDouble(column).toArray();
    }
}

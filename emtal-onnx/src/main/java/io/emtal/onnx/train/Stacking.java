package io.emtal.onnx.train;

import io.emtal.onnx.task.BatchLabels;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;

import java.util.stream.IntStream;

/**
 * Corrects the real tasks of an ensemble by what its members predict out-of-bag (stacked regressions, Breiman 1996; over
 * several targets, Breiman and Friedman 1997, "curds and whey"): a linear function of the task's own logit, or of the
 * logits of all real tasks where that predicts rows that were left out clearly better.
 */
final class Stacking {

    /** With fewer labelled rows there is nothing to be found out. */
    private static final int LEAST_ROWS = 20;

    /** With more real tasks each is a function of its own logit: of all, the time grows by the third power. */
    private static final int MOST_TASKS = 32;

    private Stacking() {
    }

    /**
     * Finds the functions.
     *
     * @param labels rows
     * @param logits their logits out-of-bag, [rows, C]
     */
    static LogitMap of(BatchLabels labels, float[] logits) {
        LogitMap map = LogitMap.identity(labels.layout());
        int[] real = map.real();
        for (int i = 0; i < real.length; i++) {
            if (labels.count(real[i]) < LEAST_ROWS) {
                continue;
            }
            int[] own = {i};
            RidgeFit best = RidgeFit.constant(residuals(labels, logits, real[i]), own.length);
            int[] of = own;
            RidgeFit scaled = fit(labels, logits, real, i, own);
            if (scaled.loss() < best.loss()) {
                best = scaled;
            }
            if (real.length > 1 && real.length <= MOST_TASKS) {
                int[] all = IntStream.range(0, real.length).toArray();
                RidgeFit mixed = fit(labels, logits, real, i, all);
                if (mixed.clearlyBetterThan(best)) {
                    best = mixed;
                    of = all;
                }
            }
            map.intercepts()[i] = best.intercept();
            for (int j = 0; j < of.length; j++) {
                map.slopes()[i][of[j]] += best.slopes()[j];
            }
        }
        return map;
    }

    /** What a task's residuals are as a function of some real tasks' logits. */
    private static RidgeFit fit(BatchLabels labels, float[] logits, int[] real, int i, int[] of) {
        TaskLayout tasks = labels.layout();
        double[][] inputs = labelled(labels, real[i]).mapToObj(row -> IntStream.of(of)
                .mapToDouble(j -> logits[row * tasks.columns() + tasks.offset(real[j])]).toArray()).toArray(double[][]::new);
        return RidgeFit.best(inputs, residuals(labels, logits, real[i]));
    }

    private static double[] residuals(BatchLabels labels, float[] logits, int t) {
        TaskLayout tasks = labels.layout();
        return labelled(labels, t).mapToDouble(row ->
                (double) labels.label(row, t) - logits[row * tasks.columns() + tasks.offset(t)]).toArray();
    }

    private static IntStream labelled(BatchLabels labels, int t) {
        return IntStream.range(0, labels.rows()).filter(row -> Task.isLabelled(labels.label(row, t)));
    }
}

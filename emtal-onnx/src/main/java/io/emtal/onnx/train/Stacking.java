package io.emtal.onnx.train;

import io.emtal.onnx.task.BatchLabels;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.TaskLayout;

import java.util.HashMap;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A correction of the real tasks of an ensemble by what its members predict out-of-bag (stacked regressions, Breiman
 * 1996; over several targets, Breiman and Friedman 1997, "curds and whey"): the task's own logit is scaled, or, where
 * that predicts rows that were left out clearly better, the logits of all real tasks are mixed.
 */
final class Stacking {

    /** With fewer labelled rows there is nothing to be found out. */
    private static final int LEAST_ROWS = 20;

    /** With more real tasks each is scaled only: the time of mixing grows by the third power. */
    private static final int MOST_TASKS = 32;

    private Stacking() {
    }

    /**
     * Finds the correction.
     *
     * @param labels rows
     * @param logits their logits out-of-bag, [rows, C]
     * @return scales and mixtures; no intercepts, which the mean residuals over all rows give
     */
    static LogitMap of(BatchLabels labels, float[] logits) {
        TaskLayout tasks = labels.layout();
        int[] all = IntStream.range(0, tasks.size()).filter(t -> tasks.task(t) instanceof RealTask).toArray();
        Map<Integer, LogitMap.Line> lines = new HashMap<>();
        for (int t : all) {
            if (labels.count(t) < LEAST_ROWS) {
                continue;
            }
            int[] own = {t};
            double[] residuals = Residuals.of(labels, logits, t);
            RidgeFit none = RidgeFit.constant(residuals, own.length);
            RidgeFit scaled = RidgeFit.best(inputs(labels, logits, t, own), residuals);
            RidgeFit best = scaled.loss() < none.loss() ? scaled : none;
            RidgeFit mixed = all.length > 1 && all.length <= MOST_TASKS
                    ? RidgeFit.best(inputs(labels, logits, t, all), residuals) : best;
            if (mixed.clearlyBetterThan(best)) {
                lines.put(t, line(t, all, mixed));
            } else if (best == scaled) {
                lines.put(t, line(t, own, scaled));
            }
        }
        return new LogitMap(tasks, lines);
    }

    /** The task's own logit and what predicts its residual. */
    private static LogitMap.Line line(int t, int[] of, RidgeFit fit) {
        return new LogitMap.Line(of, IntStream.range(0, of.length)
                .mapToDouble(j -> fit.slopes()[j] + (of[j] == t ? 1 : 0)).toArray(), 0);
    }

    private static double[][] inputs(BatchLabels labels, float[] logits, int t, int[] of) {
        TaskLayout tasks = labels.layout();
        return Residuals.labelled(labels, t).mapToObj(row -> IntStream.of(of)
                .mapToDouble(u -> logits[row * tasks.columns() + tasks.offset(u)]).toArray()).toArray(double[][]::new);
    }
}

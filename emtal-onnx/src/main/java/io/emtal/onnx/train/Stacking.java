package io.emtal.onnx.train;

import io.emtal.onnx.task.BatchLabels;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * A correction of the real tasks of an ensemble by what its members predict out-of-bag (stacked regressions, Breiman 1996;
 * over several targets, Breiman and Friedman 1997, "curds and whey"): a linear function of the task's own logit, or of the
 * logits of all real tasks where that predicts rows that were left out clearly better.
 *
 * @param map the correction
 * @param squaredErrors one a real task: the mean over its labelled rows, each corrected by what the others say;
 *     not-a-number without labels
 */
record Stacking(LogitMap map, double[] squaredErrors) {

    /** With fewer labelled rows there is nothing to be found out. */
    private static final int LEAST_ROWS = 20;

    /** With more real tasks each is a function of its own logit: of all, the time grows by the third power. */
    private static final int MOST_TASKS = 32;

    /** No correction, and nothing known of errors. */
    static Stacking none(TaskLayout tasks) {
        LogitMap map = LogitMap.identity(tasks);
        double[] unknown = new double[map.real().length];
        Arrays.fill(unknown, Double.NaN);
        return new Stacking(map, unknown);
    }

    /**
     * The errors without a correction.
     *
     * @param labels rows
     * @param logits their logits, [rows, C]
     */
    static Stacking none(BatchLabels labels, float[] logits) {
        Stacking none = none(labels.layout());
        for (int i = 0; i < none.squaredErrors.length; i++) {
            none.squaredErrors[i] = Arrays.stream(residuals(labels, logits, none.map.real()[i])).map(r -> r * r).average()
                    .orElse(Double.NaN);
        }
        return none;
    }

    /**
     * Finds the correction.
     *
     * @param labels rows
     * @param logits their logits out-of-bag, [rows, C]
     */
    static Stacking of(BatchLabels labels, float[] logits) {
        Stacking found = none(labels, logits);
        int[] real = found.map.real();
        int[] all = IntStream.range(0, real.length).toArray();
        for (int i = 0; i < real.length; i++) {
            if (labels.count(real[i]) < LEAST_ROWS) {
                continue;
            }
            int[] of = {i};
            RidgeFit best = RidgeFit.constant(residuals(labels, logits, real[i]), of.length);
            RidgeFit scaled = fit(labels, logits, real, i, of);
            if (scaled.loss() < best.loss()) {
                best = scaled;
            }
            if (real.length > 1 && real.length <= MOST_TASKS) {
                RidgeFit mixed = fit(labels, logits, real, i, all);
                if (mixed.clearlyBetterThan(best)) {
                    best = mixed;
                    of = all;
                }
            }
            found.map.intercepts()[i] = best.intercept();
            for (int j = 0; j < of.length; j++) {
                found.map.slopes()[i][of[j]] += best.slopes()[j];
            }
            found.squaredErrors[i] = best.loss() / labels.count(real[i]);
        }
        return found;
    }

    /** Each task's error: of a real one the root of its squared errors' mean, of others their loss. */
    double[] errors(double[] losses) {
        double[] errors = losses.clone();
        for (int i = 0; i < squaredErrors.length; i++) {
            errors[map.real()[i]] = Math.sqrt(squaredErrors[i]);
        }
        return errors;
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

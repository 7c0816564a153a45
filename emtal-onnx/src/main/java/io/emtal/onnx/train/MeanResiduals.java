package io.emtal.onnx.train;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.task.BatchLabels;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.TaskLayout;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/**
 * The mean residuals of real tasks on training rows. What a network cannot explain, Huber's loss answers with something
 * between its mean and its median; squared errors, and sums over predictions, ask for the mean.
 */
final class MeanResiduals {

    /** The most rows that are looked at: a mean of more says nothing new, and big networks take their time. */
    private static final int MOST_ROWS = 5_000;

    private MeanResiduals() {
    }

    /**
     * What adds each real task's mean residual to its logit.
     *
     * @param tasks all tasks
     * @param evaluator gives the logits
     * @param examples its rows
     * @param training the training rows, in random order
     */
    static LogitMap of(TaskLayout tasks, Evaluator evaluator, Examples examples, int[] training) {
        Map<Integer, LogitMap.Line> lines = new HashMap<>();
        if (tasks.tasks().stream().noneMatch(RealTask.class::isInstance)) {
            return new LogitMap(tasks, lines);
        }
        int[] rows = Arrays.copyOf(training, Math.min(training.length, MOST_ROWS));
        BatchLabels labels = Batch.labels(tasks, examples, rows);
        float[] logits = evaluator.outputs(rows);
        for (int t = 0; t < tasks.size(); t++) {
            if (tasks.task(t) instanceof RealTask && labels.count(t) > 0) {
                lines.put(t, new LogitMap.Line(new int[] {t}, new double[] {1},
                        mean(Residuals.of(labels, logits, t))));
            }
        }
        return new LogitMap(tasks, lines);
    }

    private static double mean(double[] residuals) {
        double sum = 0;
        for (double residual : residuals) {
            sum += residual;
        }
        return sum / residuals.length;
    }
}

package io.emtal.onnx.train;

import io.emtal.onnx.task.BatchLabels;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;

import java.util.stream.IntStream;

/** What the logits of real tasks leave unexplained. */
final class Residuals {

    private Residuals() {
    }

    /**
     * Label − logit of a real task, in standard deviations.
     *
     * @param labels rows
     * @param logits their logits, [rows, C]
     * @param t the task's index
     * @return one for each of the task's {@link #labelled} rows, in their order
     */
    static double[] of(BatchLabels labels, float[] logits, int t) {
        TaskLayout tasks = labels.layout();
        return labelled(labels, t).mapToDouble(row ->
                (double) labels.label(row, t) - logits[row * tasks.columns() + tasks.offset(t)]).toArray();
    }

    /** The rows that have a label of a task. */
    static IntStream labelled(BatchLabels labels, int t) {
        return IntStream.range(0, labels.rows()).filter(row -> Task.isLabelled(labels.label(row, t)));
    }
}

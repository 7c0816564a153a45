package io.emtal.onnx.train;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.task.BatchLabels;
import io.emtal.onnx.task.Heads;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
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
     * Adds each real task's mean residual to its head's bias.
     *
     * @param compiler the network
     * @param evaluator gives its logits with these values
     * @param examples its rows
     * @param training the training rows, in random order
     * @param values all parameters' values, flat
     * @return all parameters' values; the same vector without a real task, else one of its own
     */
    static float[] removed(NetworkCompiler compiler, Evaluator evaluator, Examples examples, int[] training,
                           float[] values) {
        TaskLayout tasks = compiler.tasks();
        if (tasks.tasks().stream().noneMatch(RealTask.class::isInstance)) {
            return values;
        }
        int[] rows = Arrays.copyOf(training, Math.min(training.length, MOST_ROWS));
        BatchLabels labels = Batch.labels(tasks, examples, rows);
        float[] logits = evaluator.outputs(rows);
        Map<String, Float> shifts = new HashMap<>();
        for (int t = 0; t < tasks.size(); t++) {
            if (tasks.task(t) instanceof RealTask && labels.count(t) > 0) {
                shifts.put(Heads.biasName(tasks.task(t)), (float) mean(labels, logits, t));
            }
        }
        return shifted(compiler.parameters(), values, shifts);
    }

    /** The mean of label − logit over a task's labelled rows, in standard deviations. */
    private static double mean(BatchLabels labels, float[] logits, int t) {
        TaskLayout tasks = labels.layout();
        double sum = 0;
        for (int row = 0; row < labels.rows(); row++) {
            float label = labels.label(row, t);
            sum += Task.isLabelled(label) ? label - logits[row * tasks.columns() + tasks.offset(t)] : 0;
        }
        return sum / labels.count(t);
    }

    private static float[] shifted(List<Parameter> parameters, float[] values, Map<String, Float> shifts) {
        float[] shifted = values.clone();
        int position = 0;
        for (Parameter parameter : parameters) {
            int end = position + parameter.size();
            Float shift = shifts.get(parameter.name());
            for (int i = position; shift != null && i < end; i++) {
                shifted[i] += shift;
            }
            position = end;
        }
        return shifted;
    }
}

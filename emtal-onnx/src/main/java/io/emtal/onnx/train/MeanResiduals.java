package io.emtal.onnx.train;

import ai.onnxruntime.OrtException;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.task.BatchLabels;
import io.emtal.onnx.task.Heads;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.Task;
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
     * Adds each real task's mean residual to its head's bias.
     *
     * @param compiler the network
     * @param examples its rows
     * @param training the training rows, in random order
     * @param values all parameters' values, flat
     * @return all parameters' values, in a vector of its own
     */
    static float[] removed(NetworkCompiler compiler, Examples examples, int[] training, float[] values)
            throws OrtException {
        Map<String, Float> shifts = new HashMap<>();
        int[] rows = Arrays.copyOf(training, Math.min(training.length, MOST_ROWS));
        double[] means = means(compiler, examples, rows, values);
        for (int t = 0; t < means.length; t++) {
            // Without a labelled row among these, it is not a number.
            if (Double.isFinite(means[t])) {
                shifts.put(Heads.biasName(compiler.tasks().task(t)), (float) means[t]);
            }
        }
        float[] shifted = values.clone();
        int position = 0;
        for (Parameter parameter : compiler.parameters()) {
            for (int i = 0; shifts.containsKey(parameter.name()) && i < parameter.size(); i++) {
                shifted[position + i] += shifts.get(parameter.name());
            }
            position += parameter.size();
        }
        return shifted;
    }

    /** The mean of label − logit over each task's labelled rows, in standard deviations; NaN if it is not real. */
    private static double[] means(NetworkCompiler compiler, Examples examples, int[] rows, float[] values)
            throws OrtException {
        TaskLayout tasks = compiler.tasks();
        double[] means = new double[tasks.size()];
        Arrays.fill(means, Double.NaN);
        if (tasks.tasks().stream().noneMatch(RealTask.class::isInstance)) {
            return means;
        }
        BatchLabels labels = Batch.labels(tasks, examples, rows);
        int atATime = compiler.forwardRows();
        float[] logits;
        try (ParameterBuffer buffer = new ParameterBuffer(compiler.parameters(), "");
             Evaluator evaluator = new Evaluator(compiler.forward(atATime), examples, atATime, buffer.tensors())) {
            buffer.set(values);
            logits = evaluator.outputs(rows);
        }
        for (int t = 0; t < means.length; t++) {
            if (tasks.task(t) instanceof RealTask) {
                double sum = 0;
                for (int row = 0; row < rows.length; row++) {
                    float label = labels.label(row, t);
                    sum += Task.isLabelled(label) ? label - logits[row * tasks.columns() + tasks.offset(t)] : 0;
                }
                means[t] = sum / labels.count(t);
            }
        }
        return means;
    }
}

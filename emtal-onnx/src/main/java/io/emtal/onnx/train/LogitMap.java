package io.emtal.onnx.train;

import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.task.Heads;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Real tasks' logits as linear functions of all real tasks' logits. Heads are linear, too, so that other heads give them:
 * the network stays as large as it was.
 *
 * @param tasks all tasks
 * @param real the indices of those that are real
 * @param slopes [real, real], a row for each new logit
 * @param intercepts [real]
 */
record LogitMap(TaskLayout tasks, int[] real, double[][] slopes, double[] intercepts) {

    /** The map that changes nothing, until its numbers are set. */
    static LogitMap identity(TaskLayout tasks) {
        int[] real = IntStream.range(0, tasks.size()).filter(t -> tasks.task(t) instanceof RealTask).toArray();
        double[][] slopes = new double[real.length][real.length];
        for (int i = 0; i < real.length; i++) {
            slopes[i][i] = 1;
        }
        return new LogitMap(tasks, real, slopes, new double[real.length]);
    }

    /**
     * The heads that give the mapped logits.
     *
     * @param parameters all parameters
     * @param values their values, flat
     * @return all parameters' values, a vector of its own
     */
    float[] applied(List<Parameter> parameters, float[] values) {
        Map<String, Range> ranges = new HashMap<>();
        int position = 0;
        for (Parameter parameter : parameters) {
            ranges.put(parameter.name(), new Range(position, parameter.size()));
            position += parameter.size();
        }
        float[] mapped = values.clone();
        for (int i = 0; i < real.length; i++) {
            map(i, ranges, Heads::weightName, 0, values, mapped);
            map(i, ranges, Heads::biasName, intercepts[i], values, mapped);
        }
        return mapped;
    }

    private record Range(int position, int size) {
    }

    private void map(int i, Map<String, Range> ranges, Function<Task, String> name, double shift, float[] values,
                     float[] mapped) {
        int[] from = IntStream.of(real).map(t -> ranges.get(name.apply(tasks.task(t))).position()).toArray();
        for (int k = 0; k < ranges.get(name.apply(tasks.task(real[i]))).size(); k++) {
            double sum = shift;
            for (int j = 0; j < real.length; j++) {
                sum += slopes[i][j] * values[from[j] + k];
            }
            mapped[from[i] + k] = (float) sum;
        }
    }
}

package io.emtal.onnx.train;

import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.task.Heads;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * Real tasks' logits as linear functions of real tasks' logits. Heads are linear, too, so that other heads give them: the
 * network stays as large as it was.
 *
 * @param tasks all tasks
 * @param lines the functions by the index of the task that gets another logit
 */
record LogitMap(TaskLayout tasks, Map<Integer, Line> lines) {

    /**
     * The function intercept + Σ slope · logit.
     *
     * @param of the indices of the real tasks whose logits it depends on
     * @param slopes one each
     * @param intercept what is added
     */
    record Line(int[] of, double[] slopes, double intercept) {
    }

    /** Where a parameter lies among all values. */
    private record Range(int position, int size) {
    }

    /**
     * The heads that give the mapped logits.
     *
     * @param parameters all parameters
     * @param values their values, flat
     * @return all parameters' values; the same vector if no logit is mapped
     */
    float[] applied(List<Parameter> parameters, float[] values) {
        if (lines.isEmpty()) {
            return values;
        }
        Map<String, Range> ranges = new HashMap<>();
        int position = 0;
        for (Parameter parameter : parameters) {
            ranges.put(parameter.name(), new Range(position, parameter.size()));
            position += parameter.size();
        }
        float[] mapped = values.clone();
        lines.forEach((t, line) -> {
            map(t, line, 0, ranges, Heads::weightName, values, mapped);
            map(t, line, line.intercept, ranges, Heads::biasName, values, mapped);
        });
        return mapped;
    }

    private void map(int t, Line line, double shift, Map<String, Range> ranges, Function<Task, String> name,
                     float[] values, float[] mapped) {
        Range own = ranges.get(name.apply(tasks.task(t)));
        int[] from = IntStream.of(line.of).map(u -> ranges.get(name.apply(tasks.task(u))).position).toArray();
        for (int k = 0; k < own.size; k++) {
            double sum = shift;
            for (int j = 0; j < from.length; j++) {
                sum += line.slopes[j] * values[from[j] + k];
            }
            mapped[own.position + k] = (float) sum;
        }
    }
}

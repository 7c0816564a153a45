package io.emtal.onnx.task;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * One linear head per task on the pooled representation [B, D]. Task t owns {@code head.<name>.weight} [D, width] and
 * {@code head.<name>.bias} [width]; all heads are computed as one matrix product. On an ensemble's representation
 * [B, M, D] every member has heads of its own, weights [M, D, width] and biases [M, 1, width], and the logits are the
 * members' mean.
 *
 * @param layout the tasks
 * @param pooledWidth D
 * @param members M, 1 for a representation [B, D]
 */
public record Heads(TaskLayout layout, int pooledWidth, int members) {

    /** The part that heads are in reports. */
    public static final String PART = "head";

    private static final double INITIAL_DEVIATION = 0.02;

    /** Checks the sizes. */
    public Heads {
        EmtalException.check(pooledWidth >= 1 && members >= 1, "heads: found pooled width %d and %d members, at least 1"
                + " is needed", pooledWidth, members);
    }

    /**
     * Heads on a representation [B, D].
     *
     * @param layout the tasks
     * @param pooledWidth D
     */
    public Heads(TaskLayout layout, int pooledWidth) {
        this(layout, pooledWidth, 1);
    }

    /**
     * The parameters: weights from N(0, 0.02²), with weight decay; biases 0, without. A head's initial weights depend
     * on the seed and its task's name only, so the order of the tasks changes nothing.
     *
     * @param seed the seed
     * @return weight and bias of each task, in the order of the tasks
     */
    public List<Parameter> parameters(long seed) {
        List<Parameter> parameters = new ArrayList<>();
        for (Task task : layout.tasks()) {
            Random random = new Random(seed ^ (long) task.name().hashCode() << 16);
            float[] weight = new float[members * pooledWidth * task.width()];
            for (int i = 0; i < weight.length; i++) {
                weight[i] = (float) (INITIAL_DEVIATION * random.nextGaussian());
            }
            float[] bias = new float[members * task.width()];
            parameters.add(Parameter.owned(weightName(task), PART, members == 1
                    ? Tensor.of(weight, pooledWidth, task.width())
                    : Tensor.of(weight, members, pooledWidth, task.width()), task.name(), true));
            parameters.add(Parameter.owned(biasName(task), PART, members == 1 ? Tensor.of(bias, task.width())
                    : Tensor.of(bias, members, 1, task.width()), task.name(), false));
        }
        return parameters;
    }

    /**
     * Writes the logits of all tasks.
     *
     * @param graph where
     * @param pooled [B, D], or [B, M, D] of an ensemble
     * @param parameter looks up a parameter's value by name
     * @return [B, C]
     */
    public Value logits(GraphBuilder graph, Value pooled, Function<String, Value> parameter) {
        Value weight = all(graph, Heads::weightName, parameter);
        Value bias = all(graph, Heads::biasName, parameter);
        if (members == 1) {
            return graph.gemm(pooled, weight, bias);
        }
        // The mean of the members' products is one product.
        long width = (long) members * pooledWidth;
        Value mean = graph.mul(graph.reshape(weight, width, layout.columns()), 1.0 / members);
        return graph.gemm(graph.reshape(pooled, -1, width), mean, graph.squeeze(graph.reduceMean(bias, false, 0), 0));
    }

    /**
     * Writes the logits of an ensemble's members, whose mean is {@link #logits}.
     *
     * @param graph where
     * @param pooled [B, M, D]
     * @param parameter looks up a parameter's value by name
     * @return [M, B, C]
     */
    public Value memberLogits(GraphBuilder graph, Value pooled, Function<String, Value> parameter) {
        Value product = graph.matMul(graph.transpose(pooled, 1, 0, 2), all(graph, Heads::weightName, parameter));
        return graph.add(product, all(graph, Heads::biasName, parameter));
    }

    private Value all(GraphBuilder graph, Function<Task, String> name, Function<String, Value> parameter) {
        List<Value> values = layout.tasks().stream().map(name.andThen(parameter)).toList();
        return graph.concat(values.get(0).rank() - 1, values);
    }

    /**
     * Writes what the exported predictor gives: for a categorical task the softmax over its own classes (under a joint
     * head too, where it is the probability of a class given the task), for a binary one the sigmoid, for a real one
     * the prediction in the target's own unit.
     *
     * @param graph where
     * @param logits [B, C]
     * @return [B, C]
     */
    public Value outputs(GraphBuilder graph, Value logits) {
        List<ColumnGroup> groups = layout.groups(HeadScope.PER_TASK);
        List<Value> parts = new ArrayList<>();
        for (ColumnGroup group : groups) {
            Value z = group.of(graph, logits);
            parts.add(switch (group.kind()) {
                case CATEGORICAL -> group.softmax(graph, z);
                case BINARY -> graph.sigmoid(z);
                case REAL -> restored(graph, z);
            });
        }
        int[] columns = groups.stream().flatMapToInt(group -> IntStream.of(group.columns())).toArray();
        Value all = graph.concat(1, parts);
        long[] places = new long[columns.length];
        for (int i = 0; i < columns.length; i++) {
            places[columns[i]] = i;
        }
        boolean inOrder = IntStream.range(0, columns.length).allMatch(i -> columns[i] == i);
        return inOrder ? all : graph.gather(all, 1, places);
    }

    private Value restored(GraphBuilder graph, Value z) {
        List<RealTask> tasks = layout.tasks().stream()
                .filter(RealTask.class::isInstance).map(RealTask.class::cast).toList();
        float[] deviations = new float[tasks.size()];
        float[] means = new float[tasks.size()];
        for (int i = 0; i < means.length; i++) {
            deviations[i] = (float) tasks.get(i).deviation();
            means[i] = (float) tasks.get(i).mean();
        }
        Value scaled = graph.mul(z, graph.constant(Tensor.of(deviations, means.length)));
        return graph.add(scaled, graph.constant(Tensor.of(means, means.length)));
    }

    private static String weightName(Task task) {
        return "head." + task.name() + ".weight";
    }

    private static String biasName(Task task) {
        return "head." + task.name() + ".bias";
    }
}

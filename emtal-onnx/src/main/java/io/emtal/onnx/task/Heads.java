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
 * members' mean: where numbers and classes are learnt together, a weighted one, for one half of the members is for the
 * numbers, the other for the classes.
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
     * The heads of all tasks side by side.
     *
     * @param weight [D, C], or [M, D, C] of an ensemble
     * @param bias [C], or [M, 1, C] of an ensemble
     */
    public record Weights(Value weight, Value bias) {
    }

    /**
     * Joins the heads' parameters.
     *
     * @param graph where
     * @param parameter looks up a parameter's value by name
     * @return weight and bias of all tasks
     */
    public Weights weights(GraphBuilder graph, Function<String, Value> parameter) {
        return new Weights(all(graph, Heads::weightName, parameter), all(graph, Heads::biasName, parameter));
    }

    /**
     * Joins the heads' parameters where they lie one behind the other in one vector: many tasks of the same width, side
     * by side, take no more operators than one.
     *
     * @param graph where
     * @param flat all {@link #parameters}, in order [size]
     * @return weight and bias of all tasks
     */
    public Weights weights(GraphBuilder graph, Value flat) {
        List<Integer> counts = new ArrayList<>();
        List<Integer> widths = new ArrayList<>();
        for (Task task : layout.tasks()) {
            int last = widths.size() - 1;
            if (last >= 0 && widths.get(last) == task.width()) {
                counts.set(last, counts.get(last) + 1);
            } else {
                widths.add(task.width());
                counts.add(1);
            }
        }
        int inputs = members * pooledWidth;
        long[] sizes = IntStream.range(0, counts.size())
                .mapToLong(i -> (long) counts.get(i) * widths.get(i) * (inputs + members)).toArray();
        List<Value> parts = graph.split(flat, 0, sizes);
        List<Value> weights = new ArrayList<>();
        List<Value> biases = new ArrayList<>();
        for (int i = 0; i < sizes.length; i++) {
            long count = counts.get(i);
            long width = widths.get(i);
            List<Value> apart = graph.split(graph.reshape(parts.get(i), count, -1), 1, inputs * width, members * width);
            weights.add(sideBySide(graph, apart.get(0), count, pooledWidth, width));
            biases.add(sideBySide(graph, apart.get(1), count, 1, width));
        }
        Value weight = graph.concat(2, weights);
        Value bias = graph.concat(2, biases);
        return members > 1 ? new Weights(weight, bias)
                : new Weights(graph.squeeze(weight, 0), graph.squeeze(bias, 0, 1));
    }

    /** Matrices of tasks [T, M·rows·width] as [M, rows, T·width]. */
    private Value sideBySide(GraphBuilder graph, Value tasks, long count, long rows, long width) {
        Value apart = graph.reshape(tasks, count, (long) members * rows, width);
        return graph.reshape(graph.transpose(apart, 1, 0, 2), members, rows, count * width);
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
        return logits(graph, pooled, weights(graph, parameter));
    }

    /**
     * Writes the logits of all tasks.
     *
     * @param graph where
     * @param pooled [B, D], or [B, M, D] of an ensemble
     * @param weights the heads' parameters
     * @return [B, C]
     */
    public Value logits(GraphBuilder graph, Value pooled, Weights weights) {
        Value weight = weights.weight();
        Value bias = weights.bias();
        if (members == 1) {
            return graph.gemm(pooled, weight, bias);
        }
        // The mean of the members' products is one product.
        long width = (long) members * pooledWidth;
        MemberWeights counts = memberWeights();
        Value mean = graph.mul(graph.reshape(counts.times(graph, weight), width, layout.columns()), 1.0 / members);
        Value meanBias = graph.reduceMean(counts.times(graph, bias), false, 0);
        return graph.gemm(graph.reshape(pooled, -1, width), mean, graph.squeeze(meanBias, 0));
    }

    /**
     * Writes the logits of an ensemble's members, whose {@link #mean} is {@link #logits}.
     *
     * @param graph where
     * @param pooled [B, M, D]
     * @param weights the heads' parameters
     * @return [M, B, C]
     */
    public Value memberLogits(GraphBuilder graph, Value pooled, Weights weights) {
        return graph.add(graph.matMul(graph.transpose(pooled, 1, 0, 2), weights.weight()), weights.bias());
    }

    /**
     * Writes the mean of an ensemble's members.
     *
     * @param graph where
     * @param memberLogits [M, B, C]
     * @return [B, C]
     */
    public Value mean(GraphBuilder graph, Value memberLogits) {
        return graph.reduceMean(memberWeights().times(graph, memberLogits), false, 0);
    }

    /**
     * What the members count for the tasks.
     *
     * @return the weights; of 1 for a single network
     */
    public MemberWeights memberWeights() {
        return MemberWeights.of(layout, members);
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
        List<RealTask> tasks = layout.realTasks();
        Value scaled = graph.mul(z, graph.vector(tasks.stream().mapToDouble(RealTask::deviation).toArray()));
        return graph.add(scaled, graph.vector(tasks.stream().mapToDouble(RealTask::mean).toArray()));
    }

    /**
     * The name of the parameter that is a task's weight.
     *
     * @param task the task
     * @return what {@link #parameters} calls it
     */
    public static String weightName(Task task) {
        return "head." + tensorName(task.name()) + ".weight";
    }

    /**
     * The name of the parameter that is a task's bias.
     *
     * @param task the task
     * @return what {@link #parameters} calls it
     */
    public static String biasName(Task task) {
        return "head." + tensorName(task.name()) + ".bias";
    }

    /**
     * ONNX Runtime's Java API does not find inputs by names with characters beyond the basic multilingual plane, which it
     * hands over in another encoding than the model's.
     */
    private static String tensorName(String name) {
        StringBuilder tensor = new StringBuilder();
        name.codePoints().forEach(c -> {
            if (c == '\\' || Character.isSupplementaryCodePoint(c)) {
                tensor.append(String.format("\\%x;", c));
            } else {
                tensor.appendCodePoint(c);
            }
        });
        return tensor.toString();
    }
}

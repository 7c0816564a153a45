package io.emtal.onnx.autodiff;

import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;

/**
 * One node on the way back: what a {@link BackwardRule} reads, and where it puts the gradients of the inputs.
 *
 * <p>A gradient may be <em>lean</em>: of extent 1 along axes over which it is constant. Element-wise rules pass lean
 * gradients on, so that the gradient of a sum or mean is never spelled out where broadcasting does it for free.
 */
public final class BackwardStep {

    private final GraphBuilder builder;
    private final Node node;
    private final GradientSums sums;

    BackwardStep(GraphBuilder builder, Node node, GradientSums sums) {
        this.builder = builder;
        this.node = node;
        this.sums = sums;
    }

    /**
     * The builder that holds the forward part and takes the backward part.
     *
     * @return the builder
     */
    public GraphBuilder builder() {
        return builder;
    }

    /**
     * The node to go back through.
     *
     * @return a node of the forward part
     */
    public Node node() {
        return node;
    }

    /**
     * An input of the node.
     *
     * @param i its position
     * @return the value; {@code null} where it is left out
     */
    public Value input(int i) {
        return node.input(i);
    }

    /**
     * The first output of the node.
     *
     * @return the value
     */
    public Value output() {
        return node.output();
    }

    /**
     * The gradient of the loss with respect to the first output.
     *
     * @return a value of the output's shape
     */
    public Value gradient() {
        return gradient(0);
    }

    /**
     * The gradient of the loss with respect to an output.
     *
     * @param output the output's position
     * @return a value of the output's shape; {@code null} if the loss does not depend on that output
     */
    public Value gradient(int output) {
        return gradientOf(node.outputs().get(output));
    }

    /**
     * The gradient of the loss with respect to the first output, lean.
     *
     * @return a value that broadcasts to the output's shape, of the same rank
     */
    public Value leanGradient() {
        return sums.total(node.output());
    }

    /**
     * The gradient of the loss with respect to any value whose users have all been visited.
     *
     * @param value a value of the forward part
     * @return a value of that shape; {@code null} if the loss does not depend on it
     */
    Value gradientOf(Value value) {
        Value lean = sums.total(value);
        return lean == null ? null : sums.spelledOut(lean, value.shape());
    }

    /**
     * The nodes on the way back that use a value.
     *
     * @param value a value of the forward part
     * @return the nodes
     */
    List<Node> users(Value value) {
        return sums.users(value);
    }

    /**
     * Whether an input's gradient is wanted.
     *
     * @param i the input's position
     * @return false also for an input that is left out
     */
    public boolean needs(int i) {
        return sums.wants(node.input(i));
    }

    /**
     * Adds to the gradient of an input, if it is wanted.
     *
     * @param i the input's position
     * @param gradient gives a value of the input's shape, or lean
     */
    public void give(int i, Supplier<Value> gradient) {
        if (needs(i)) {
            sums.add(node.input(i), gradient.get());
        }
    }

    /**
     * Adds to the gradient of an input that was broadcast to the output's shape, if it is wanted: sums over the axes
     * that were broadcast.
     *
     * @param i the input's position
     * @param gradient gives a value of the output's shape, or lean
     */
    public void giveBroadcast(int i, Supplier<Value> gradient) {
        if (needs(i)) {
            Value input = node.input(i);
            sums.add(input, sumTo(gradient.get(), node.output().shape(), input.shape()));
        }
    }

    /**
     * Subtracts from the gradient of an input that was broadcast to the output's shape, if it is wanted.
     *
     * @param i the input's position
     * @param gradient gives a value of the output's shape, or lean
     */
    public void takeBroadcast(int i, Supplier<Value> gradient) {
        if (needs(i)) {
            Value input = node.input(i);
            sums.subtract(input, sumTo(gradient.get(), node.output().shape(), input.shape()));
        }
    }

    /**
     * Adds to the gradient of a range of an input, if it is wanted; the rest of the input gets nothing.
     *
     * @param i the input's position
     * @param axis the axis of the range, not negative
     * @param start where the range starts
     * @param gradient gives a value of the range's shape
     */
    public void giveRange(int i, int axis, long start, Supplier<Value> gradient) {
        if (needs(i)) {
            sums.addRange(node.input(i), axis, start, gradient.get());
        }
    }

    /**
     * Sums a gradient over the axes along which an operand was broadcast.
     *
     * @param gradient a value of shape {@code whole}, or lean
     * @param whole the shape after broadcasting
     * @param operand the operand's shape
     * @return a value of the operand's shape, or lean
     */
    Value sumTo(Value gradient, Shape whole, Shape operand) {
        int added = whole.rank() - operand.rank();
        List<Long> summed = new ArrayList<>();
        double repeats = 1;
        for (int axis = 0; axis < whole.rank(); axis++) {
            boolean broadcast = axis < added || operand.extent(axis - added) != whole.extent(axis);
            if (broadcast && gradient.extent(axis) == 1) {
                repeats *= whole.extent(axis);
            } else if (broadcast) {
                summed.add((long) axis);
            }
        }
        long[] axes = summed.stream().mapToLong(Long::longValue).toArray();
        boolean droppedAtOnce = axes.length == added && Arrays.stream(axes).allMatch(axis -> axis < added);
        Value sum = axes.length == 0 ? gradient : builder.reduceSum(gradient, !droppedAtOnce, axes);
        if (added > 0 && !droppedAtOnce) {
            long[] extents = sum.shape().extents();
            sum = builder.reshape(sum, Arrays.copyOfRange(extents, added, extents.length));
        }
        return builder.mul(sum, repeats);
    }
}

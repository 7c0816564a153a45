package io.emtal.onnx.graph;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;
import java.util.stream.LongStream;

/**
 * Writes operators of other operator sets as opset {@value OnnxFile#OPSET} has them: what moved between attributes and
 * inputs, defaults that changed, operators that came later.
 */
final class OperatorSets {

    private OperatorSets() {
    }

    /**
     * A node whose outputs are not written yet.
     *
     * @param outputCount how many outputs it has, from the first on
     * @param others further outputs, which are written already, under their own names
     */
    record Operator(String domain, String op, Map<String, Object> attributes, List<Value> operands, int outputCount,
                    List<Value> others) {

        Operator(String domain, String op, Map<String, Object> attributes, List<Value> operands, int outputCount) {
            this(domain, op, attributes, operands, outputCount, List.of());
        }

        Operator with(Map<String, Object> newAttributes, List<Value> newOperands) {
            return new Operator(domain, op, newAttributes, newOperands, outputCount);
        }

        Value operand(int i) {
            return i < operands.size() ? operands.get(i) : null;
        }
    }

    /**
     * Rewrites an operator.
     *
     * @param b holds the operands; takes what goes before
     * @param opset the operator set that it comes from
     * @param o the operator
     * @param outputs the names of its outputs; empty where one is left out
     * @return what gives the same outputs
     */
    static Operator current(GraphBuilder b, long opset, Operator o, List<String> outputs) {
        return switch (o.op()) {
            case "Softmax", "LogSoftmax" -> softmax(b, opset, o);
            case "Squeeze", "Unsqueeze", "ReduceSum" -> axesAsInput(b, o);
            case "ReduceMean", "ReduceMax" -> axesAsAttribute(b, o);
            case "ReduceSumSquare" -> sumOfSquares(b, o);
            case "Split" -> split(b, o);
            case "Pad" -> pad(b, o);
            case "Sum" -> pairwise(o, "Add", b::add);
            case "Min" -> pairwise(o, "Min", b::min);
            case "Max" -> pairwise(o, "Max", (x, y) -> b.apply("Max", Map.of(), x, y));
            case "Dropout" -> dropout(b, o);
            case "Gelu" -> gelu(o.operand(0), o.attributes().getOrDefault("approximate", "none"));
            case "BiasGelu" -> gelu(b.add(o.operand(0), o.operand(1)), "none");
            case "FastGelu" -> FusedOperators.fastGelu(b, o);
            case "Attention" -> FusedOperators.attention(b, o);
            case "MultiHeadAttention" -> FusedOperators.multiHeadAttention(b, o);
            case "SkipLayerNormalization" -> FusedOperators.skipLayerNormalization(b, o, outputs);
            case "BatchNormalization" -> batchNormalization(o);
            case "GlobalAveragePool" -> globalAveragePool(o);
            case "ReduceL2" -> length(b, o);
            case "Cast" -> o.with(Map.of("to", o.attributes().get("to")), o.operands());
            case "Reshape" -> reshape(b, o);
            case "Pow" -> pow(b, o);
            default -> o;
        };
    }

    /** Since opset 14 a zero may mean an extent of 0 instead of the input's. */
    private static Operator reshape(GraphBuilder b, Operator o) {
        Tensor target = b.tensorOf(o.operand(1));
        EmtalException.check(!Long.valueOf(1).equals(o.attributes().get("allowzero"))
                        || target != null && Arrays.stream(target.integers()).noneMatch(e -> e == 0),
                "found allowzero with a zero or a computed shape, allowed are constant shapes without zeros");
        return o.with(Map.of(), o.operands());
    }

    /** An exponent may be of another type than the base, such as an integer; here a constant one is of the base's. */
    private static Operator pow(GraphBuilder b, Operator o) {
        ElementType type = o.operand(0).type();
        Tensor exponent = b.tensorOf(o.operand(1));
        boolean real = type == ElementType.FLOAT || type == ElementType.DOUBLE;
        if (!real || exponent == null || exponent.type() == type || exponent.shape().size() != 1) {
            return o;
        }
        boolean whole = exponent.type() == ElementType.INT32 || exponent.type() == ElementType.INT64;
        double value = whole ? exponent.integers()[0] : exponent.real(0);
        return o.with(o.attributes(), List.of(o.operand(0), b.constant(Tensor.filled(type, exponent.shape(), value))));
    }

    /** Nothing is dropped when a network predicts. */
    private static Operator dropout(GraphBuilder b, Operator o) {
        Tensor training = o.operand(2) == null ? null : b.tensorOf(o.operand(2));
        boolean predicts = o.operand(2) == null
                || training != null && training.elements() instanceof boolean[] on && on.length == 1 && !on[0];
        EmtalException.check(predicts, "found training mode, allowed is a model for inference");
        return new Operator("", "Identity", Map.of(), o.operands().subList(0, 1), 1);
    }

    /** With the statistics of the training, not of the batch. */
    private static Operator batchNormalization(Operator o) {
        EmtalException.check((Long) o.attributes().getOrDefault("training_mode", 0L) == 0,
                "found training mode, allowed is a model for inference");
        Object epsilon = o.attributes().getOrDefault("epsilon", 1e-5f);
        return o.with(Map.of("epsilon", epsilon), o.operands());
    }

    /** The mean over all axes from the third on. */
    private static Operator globalAveragePool(Operator o) {
        int rank = o.operand(0).rank();
        EmtalException.check(rank >= 3, "found shape %s, allowed is [N, C, ..]", o.operand(0).shape());
        List<Long> axes = LongStream.range(2, rank).boxed().toList();
        return new Operator("", "ReduceMean", Map.of("axes", axes, "keepdims", 1L), o.operands(), 1);
    }

    /** Where nothing is summed, elements are squared all the same. */
    private static Operator sumOfSquares(GraphBuilder b, Operator o) {
        Operator sum = axesAsAttribute(b, o);
        Value x = o.operand(0);
        return sum.op().equals("Identity") ? new Operator("", "Mul", Map.of(), List.of(x, x), 1)
                : new Operator("", "ReduceSumSquare", sum.attributes(), sum.operands(), 1);
    }

    private static Operator length(GraphBuilder b, Operator o) {
        Operator squares = sumOfSquares(b, o);
        Value sum = b.apply(squares.op(), squares.attributes(), squares.operands().toArray(Value[]::new));
        return new Operator("", "Sqrt", Map.of(), List.of(sum), 1);
    }

    /** Before opset 13 the default axis was 1, and all axes from there on were one. */
    private static Operator softmax(GraphBuilder b, long opset, Operator o) {
        if (opset >= 13) {
            return o;
        }
        Shape shape = o.operand(0).shape();
        int axis = shape.axis((Long) o.attributes().getOrDefault("axis", 1L));
        boolean alone = Arrays.stream(shape.extents()).skip(axis + 1L).allMatch(e -> e == 1);
        if (alone) {
            return o.with(Map.of("axis", (long) axis), o.operands());
        }
        Value flat = b.apply("Flatten", Map.of("axis", (long) axis), o.operand(0));
        Value result = b.apply(o.op(), Map.of("axis", -1L), flat);
        return new Operator("", "Reshape", Map.of(), List.of(result, b.integers(shape.extents())), 1);
    }

    private static Operator axesAsInput(GraphBuilder b, Operator o) {
        Map<String, Object> attributes = new HashMap<>(o.attributes());
        Object axes = attributes.remove("axes");
        return axes == null ? identityIfNone(b, o) : o.with(attributes, List.of(o.operand(0), integers(b, axes)));
    }

    private static Operator axesAsAttribute(GraphBuilder b, Operator o) {
        Operator reduction = identityIfNone(b, o);
        if (reduction.op().equals("Identity")) {
            return reduction;
        }
        Map<String, Object> attributes = new HashMap<>(o.attributes());
        attributes.remove("noop_with_empty_axes");
        if (o.operand(1) != null) {
            Tensor axes = b.tensorOf(o.operand(1));
            EmtalException.check(axes != null, "found computed axes, allowed are constant ones");
            attributes.put("axes", Arrays.stream(axes.integers()).boxed().toList());
        }
        if (List.of().equals(attributes.get("axes"))) {
            attributes.remove("axes");
        }
        return o.with(attributes, List.of(o.operand(0)));
    }

    private static Operator identityIfNone(GraphBuilder b, Operator o) {
        Tensor axes = o.operand(1) == null ? null : b.tensorOf(o.operand(1));
        boolean none = o.operand(1) == null || axes != null && axes.shape().size() == 0;
        boolean nothing = none && Long.valueOf(1).equals(o.attributes().get("noop_with_empty_axes"));
        return nothing ? new Operator("", "Identity", Map.of(), List.of(o.operand(0)), 1) : o;
    }

    private static Value integers(GraphBuilder b, Object list) {
        return b.integers(((List<?>) list).stream().mapToLong(e -> (Long) e).toArray());
    }

    /** The sizes were an attribute before opset 13; since 18 there may be a number of parts, the last one smaller. */
    private static Operator split(GraphBuilder b, Operator o) {
        Map<String, Object> attributes = new HashMap<>(o.attributes());
        Object count = attributes.remove("num_outputs");
        Object sizes = attributes.remove("split");
        if (sizes != null) {
            return o.with(attributes, List.of(o.operand(0), integers(b, sizes)));
        } else if (count == null) {
            return o;
        }
        EmtalException.check(o.operand(1) == null && count.equals((long) o.outputCount()),
                "found %s parts for %d outputs, allowed are as many, without sizes", count, o.outputCount());
        Shape shape = o.operand(0).shape();
        long extent = shape.extent(shape.axis((Long) attributes.getOrDefault("axis", 0L)));
        EmtalException.check(extent != Shape.BATCH, "found an open extent, allowed is a fixed one");
        long[] parts = new long[o.outputCount()];
        Arrays.fill(parts, (extent + parts.length - 1) / parts.length);
        parts[parts.length - 1] = extent - (parts.length - 1) * parts[0];
        EmtalException.check(parts[parts.length - 1] > 0, "found %d parts of an extent of %d, which are %d each and"
                + " leave nothing for the last; allowed are numbers of parts that leave something", parts.length,
                extent, parts[0]);
        return o.with(attributes, List.of(o.operand(0), b.integers(parts)));
    }

    /** Since opset 18 a fourth input may name the axes. */
    private static Operator pad(GraphBuilder b, Operator o) {
        if (o.operand(3) == null) {
            return o;
        }
        Tensor pads = b.tensorOf(o.operand(1));
        Tensor axes = b.tensorOf(o.operand(3));
        EmtalException.check(pads != null && axes != null, "found computed pads or axes, allowed are constant ones");
        int rank = o.operand(0).rank();
        int count = axes.shape().size();
        EmtalException.check(pads.shape().size() == 2 * count, "found %d pads for %d axes, allowed are two for each",
                pads.shape().size(), count);
        long[] all = new long[2 * rank];
        for (int i = 0; i < count; i++) {
            int axis = o.operand(0).shape().axis(axes.integers()[i]);
            all[axis] = pads.integers()[i];
            all[axis + rank] = pads.integers()[i + count];
        }
        List<Value> operands = new ArrayList<>(List.of(o.operand(0), b.integers(all)));
        operands.add(o.operand(2));
        return o.with(o.attributes(), operands);
    }

    private static Operator pairwise(Operator o, String op, BinaryOperator<Value> pair) {
        List<Value> operands = o.operands();
        if (operands.size() == 1) {
            return new Operator("", "Identity", Map.of(), operands, 1);
        }
        Value first = operands.subList(0, operands.size() - 1).stream().reduce(pair).orElseThrow();
        return new Operator("", op, Map.of(), List.of(first, operands.get(operands.size() - 1)), 1);
    }

    /** A standard operator since opset 20, which ONNX Runtime has in all. */
    private static Operator gelu(Value x, Object approximation) {
        EmtalException.check(List.of("none", "tanh").contains(approximation),
                "found approximation %s, allowed are none, tanh", Quoted.of(approximation.toString()));
        return new Operator(Node.CONTRIB, approximation.equals("tanh") ? "FastGelu" : "Gelu", Map.of(), List.of(x), 1);
    }
}

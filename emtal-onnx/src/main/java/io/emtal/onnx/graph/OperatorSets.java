package io.emtal.onnx.graph;

import io.emtal.onnx.EmtalException;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BinaryOperator;

/**
 * Writes operators of other operator sets as opset {@value OnnxFile#OPSET} has them: what moved between attributes and
 * inputs, defaults that changed, operators that came later.
 */
final class OperatorSets {

    private OperatorSets() {
    }

    /** A node whose outputs are not written yet. */
    record Operator(String domain, String op, Map<String, Object> attributes, List<Value> operands, int outputCount) {

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
     * @return what gives the same outputs
     */
    static Operator current(GraphBuilder b, int opset, Operator o) {
        return switch (o.op()) {
            case "Softmax", "LogSoftmax" -> softmax(b, opset, o);
            case "Squeeze", "Unsqueeze", "ReduceSum" -> axesAsInput(b, o);
            case "ReduceMean", "ReduceMax", "ReduceSumSquare" -> axesAsAttribute(b, o);
            case "Split" -> split(b, o);
            case "Pad" -> pad(b, o);
            case "Sum" -> pairwise(o, "Add", b::add);
            case "Min" -> pairwise(o, "Min", b::min);
            case "Max" -> pairwise(o, "Max", (x, y) -> b.apply("Max", Map.of(), x, y));
            case "Dropout" -> new Operator("", "Identity", Map.of(), o.operands().subList(0, 1), 1);
            case "Gelu" -> gelu(o.operand(0), "tanh".equals(o.attributes().get("approximate")));
            case "BiasGelu" -> gelu(b.add(o.operand(0), o.operand(1)), false);
            case "Cast" -> o.with(Map.of("to", o.attributes().get("to")), o.operands());
            case "Reshape" -> reshape(o);
            default -> o;
        };
    }

    private static Operator reshape(Operator o) {
        EmtalException.check(!Long.valueOf(1).equals(o.attributes().get("allowzero")), "found allowzero, allowed are shapes without");
        return o.with(Map.of(), o.operands());
    }

    /** Before opset 13 the default axis was 1, and all axes from there on were one. */
    private static Operator softmax(GraphBuilder b, int opset, Operator o) {
        if (opset >= 13) {
            return o;
        }
        Shape shape = o.operand(0).shape();
        int axis = shape.axis(((Long) o.attributes().getOrDefault("axis", 1L)).intValue());
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
        return axes == null ? identityIfNone(o)
                : o.with(attributes, List.of(o.operand(0), b.integers(((List<?>) axes).stream().mapToLong(e -> (Long) e).toArray())));
    }

    private static Operator axesAsAttribute(GraphBuilder b, Operator o) {
        if (o.operand(1) == null) {
            return identityIfNone(o);
        }
        Map<String, Object> attributes = new HashMap<>(o.attributes());
        attributes.remove("noop_with_empty_axes");
        Tensor axes = b.tensorOf(o.operand(1));
        EmtalException.check(axes != null, "found computed axes, allowed are constant ones");
        attributes.put("axes", Arrays.stream(axes.integers()).boxed().toList());
        return o.with(attributes, List.of(o.operand(0)));
    }

    private static Operator identityIfNone(Operator o) {
        boolean nothing = o.operand(1) == null && Long.valueOf(1).equals(o.attributes().get("noop_with_empty_axes"));
        return nothing ? new Operator("", "Identity", Map.of(), List.of(o.operand(0)), 1) : o;
    }

    /** The sizes were an attribute before opset 13; since 18 there may be a number of parts, the last one smaller. */
    private static Operator split(GraphBuilder b, Operator o) {
        Map<String, Object> attributes = new HashMap<>(o.attributes());
        attributes.remove("num_outputs");
        Object sizes = attributes.remove("split");
        if (sizes != null) {
            return o.with(attributes, List.of(o.operand(0), b.integers(((List<?>) sizes).stream().mapToLong(e -> (Long) e).toArray())));
        } else if (o.operand(1) != null) {
            return o;
        }
        long extent = o.operand(0).extent(((Long) attributes.getOrDefault("axis", 0L)).intValue());
        long[] parts = new long[o.outputCount()];
        Arrays.fill(parts, (extent + parts.length - 1) / parts.length);
        parts[parts.length - 1] = extent - (parts.length - 1) * parts[0];
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
        long[] all = new long[2 * rank];
        for (int i = 0; i < count; i++) {
            int axis = o.operand(0).shape().axis((int) axes.integers()[i]);
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
    private static Operator gelu(Value x, boolean tanh) {
        return new Operator(Node.CONTRIB, tanh ? "FastGelu" : "Gelu", Map.of(), List.of(x), 1);
    }
}

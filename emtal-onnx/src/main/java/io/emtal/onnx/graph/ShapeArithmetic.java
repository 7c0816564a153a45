package io.emtal.onnx.graph;

import io.emtal.onnx.EmtalException;

import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntToLongFunction;
import java.util.function.LongBinaryOperator;
import java.util.stream.IntStream;

/**
 * Computes, while a model is read, the small integer tensors that exporters compute in the graph: shapes, axes,
 * indices. With fixed extents all of it is constant.
 */
final class ShapeArithmetic {

    /** More elements than any shape arithmetic has; larger tensors are left to the graph. */
    private static final int LARGEST = 1 << 16;

    private static final Map<String, LongBinaryOperator> BINARY = new HashMap<>();

    static {
        BINARY.put("Add", Math::addExact);
        BINARY.put("Sub", Math::subtractExact);
        BINARY.put("Mul", Math::multiplyExact);
        BINARY.put("Div", (a, b) -> a / b);
        BINARY.put("Min", Math::min);
        BINARY.put("Max", Math::max);
        BINARY.put("Equal", (a, b) -> a == b ? 1 : 0);
        BINARY.put("Less", (a, b) -> a < b ? 1 : 0);
        BINARY.put("LessOrEqual", (a, b) -> a <= b ? 1 : 0);
        BINARY.put("Greater", (a, b) -> a > b ? 1 : 0);
        BINARY.put("GreaterOrEqual", (a, b) -> a >= b ? 1 : 0);
        BINARY.put("And", (a, b) -> a & b);
        BINARY.put("Or", (a, b) -> a | b);
    }

    private ShapeArithmetic() {
    }

    /**
     * Computes a node whose inputs are known.
     *
     * @param op the operator
     * @param axis its attribute of that name, 0 where it has none
     * @param inputs the inputs; {@code null} where one is left out
     * @param result type and shape of the output
     * @return the output; {@code null} if the node is not one of integer arithmetic on small tensors
     * @throws EmtalException if the arithmetic overflows or divides by zero
     */
    static Tensor compute(String op, long axis, List<Tensor> inputs, ShapeRules.Typed result) {
        boolean small = inputs.stream().allMatch(t -> t == null || isInteger(t.type()) && t.shape().size() <= LARGEST)
                && result.shape().size() <= LARGEST;
        if (!small) {
            return null;
        }
        List<Integers> in = inputs.stream().filter(t -> t != null).map(Integers::of).toList();
        Integers x = in.get(0);
        Shape shape = result.shape();
        IntToLongFunction element = switch (op) {
            case "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity", "Cast" -> i -> x.values()[i];
            case "Not" -> i -> 1 - x.values()[i];
            case "Neg" -> i -> -x.values()[i];
            case "Expand" -> i -> x.at(shape, i);
            case "Where" -> i -> x.at(shape, i) != 0 ? in.get(1).at(shape, i) : in.get(2).at(shape, i);
            case "Concat" -> joined(in, shape, shape.axis((int) axis));
            case "Gather" -> gathered(x, in.get(1), x.shape().axis((int) axis));
            case "Slice" -> inputs.size() > 3 && inputs.get(3) == null ? null : sliced(in, shape);
            default -> BINARY.containsKey(op)
                    ? i -> BINARY.get(op).applyAsLong(x.at(shape, i), in.get(1).at(shape, i)) : null;
        };
        try {
            return element == null ? null : tensor(result, element);
        } catch (ArithmeticException e) {
            throw new EmtalException("integer arithmetic fails: " + e.getMessage(), e);
        }
    }

    static boolean isInteger(ElementType type) {
        return type == ElementType.INT64 || type == ElementType.INT32 || type == ElementType.BOOL;
    }

    /** A tensor whose elements are given by their position. */
    static Tensor tensor(ShapeRules.Typed typed, IntToLongFunction element) {
        int size = typed.shape().size();
        Object elements = switch (typed.type()) {
            case INT64 -> IntStream.range(0, size).mapToLong(element).toArray();
            case INT32 -> IntStream.range(0, size).map(i -> Math.toIntExact(element.applyAsLong(i))).toArray();
            case DOUBLE -> IntStream.range(0, size).mapToDouble(element::applyAsLong).toArray();
            case FLOAT -> {
                float[] floats = new float[size];
                for (int i = 0; i < size; i++) {
                    floats[i] = element.applyAsLong(i);
                }
                yield floats;
            }
            case BOOL -> {
                boolean[] truths = new boolean[size];
                for (int i = 0; i < size; i++) {
                    truths[i] = element.applyAsLong(i) != 0;
                }
                yield truths;
            }
        };
        return new Tensor(typed.type(), typed.shape(), elements);
    }

    private static IntToLongFunction joined(List<Integers> parts, Shape whole, int axis) {
        int inner = inner(whole, axis);
        return i -> {
            int along = i / inner % (int) whole.extent(axis);
            for (Integers part : parts) {
                int extent = (int) part.shape().extent(axis);
                if (along < extent) {
                    return part.values()[(i / inner / (int) whole.extent(axis) * extent + along) * inner + i % inner];
                }
                along -= extent;
            }
            throw new IllegalStateException("position " + i + " of shape " + whole);
        };
    }

    private static IntToLongFunction gathered(Integers x, Integers indices, int axis) {
        int inner = inner(x.shape(), axis);
        int extent = (int) x.shape().extent(axis);
        int count = indices.values().length;
        return i -> {
            long entry = indices.values()[i / inner % count];
            return x.values()[(i / inner / count * extent + Math.floorMod(entry, extent)) * inner + i % inner];
        };
    }

    /** Inputs: the data, starts, ends, and perhaps axes and steps. */
    private static IntToLongFunction sliced(List<Integers> in, Shape result) {
        Shape from = in.get(0).shape();
        long[] first = new long[from.rank()];
        long[] step = new long[from.rank()];
        Arrays.fill(step, 1);
        long[] starts = in.get(1).values();
        for (int k = 0; k < starts.length; k++) {
            int axis = in.size() > 3 ? from.axis((int) in.get(3).values()[k]) : k;
            long extent = from.extent(axis);
            first[axis] = Math.max(0, Math.min(starts[k] < 0 ? starts[k] + extent : starts[k], extent));
            step[axis] = in.size() > 4 ? in.get(4).values()[k] : 1;
        }
        return i -> {
            int index = 0;
            for (int axis = 0; axis < from.rank(); axis++) {
                long along = i / inner(result, axis) % result.extent(axis);
                index += (int) (first[axis] + along * step[axis]) * inner(from, axis);
            }
            return in.get(0).values()[index];
        };
    }

    /** The number of elements behind an axis. */
    private static int inner(Shape shape, int axis) {
        return (int) Arrays.stream(shape.extents()).skip(axis + 1L).reduce(1, (a, b) -> a * b);
    }

    /** Elements of any integer type; truth values are 0 and 1. */
    private record Integers(Shape shape, long[] values) {

        static Integers of(Tensor tensor) {
            if (tensor.type() == ElementType.BOOL) {
                boolean[] truths = (boolean[]) tensor.elements();
                return new Integers(tensor.shape(), IntStream.range(0, truths.length).mapToLong(i -> truths[i] ? 1 : 0)
                        .toArray());
            }
            return new Integers(tensor.shape(), tensor.integers());
        }

        /** The element that broadcasting puts at a position of a larger shape. */
        long at(Shape whole, int position) {
            int index = 0;
            int stride = 1;
            int rest = position;
            for (int axis = 1; axis <= shape.rank(); axis++) {
                int extent = (int) whole.extent(-axis);
                index += shape.extent(-axis) == 1 ? 0 : rest % extent * stride;
                stride *= (int) shape.extent(-axis);
                rest /= extent;
            }
            return values[index];
        }
    }
}

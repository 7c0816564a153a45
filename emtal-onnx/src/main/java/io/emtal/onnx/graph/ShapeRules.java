package io.emtal.onnx.graph;

import io.emtal.onnx.EmtalException;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.LongStream;

/** What type and shape every supported operator gives, from the types and shapes of its inputs. */
final class ShapeRules {

    /** A node whose outputs are not known yet. */
    record Call(String op, List<Value> inputs, Map<String, Object> attributes, int outputCount,
                Function<Value, Tensor> constants) {

        Value in(int i) {
            return i < inputs.size() ? inputs.get(i) : null;
        }

        Shape shape(int i) {
            return inputs.get(i).shape();
        }

        long integer(String name, long otherwise) {
            return (Long) attributes.getOrDefault(name, otherwise);
        }

        /** A list of integers that is an attribute in older operator sets and an input in newer ones. */
        long[] integers(String attribute, int input) {
            if (attributes.get(attribute) instanceof List<?> list) {
                return list.stream().mapToLong(e -> (Long) e).toArray();
            }
            Value value = in(input);
            if (value == null) {
                return null;
            }
            Tensor constant = constants.apply(value);
            EmtalException.check(constant != null, "node %s: input %d ('%s') must be a constant", op, input, value.name());
            return constant.integers();
        }
    }

    /** Type and shape of one output. */
    record Typed(ElementType type, Shape shape) {
    }

    private interface Rule {
        List<Typed> infer(Call call);
    }

    private static final Map<String, Rule> RULES = new HashMap<>();

    static {
        for (String op : List.of("Neg", "Abs", "Sign", "Sqrt", "Reciprocal", "Exp", "Log", "Erf", "Tanh", "Sigmoid", "Relu",
                "Softplus", "Softmax", "LogSoftmax", "Identity", "Clip", "Not", "Gelu", "FastGelu", "QuickGelu", "LeakyRelu",
                "Elu", "HardSigmoid", "HardSwish", "Floor", "Ceil", "Round", "Sin", "Cos")) {
            single(op, c -> new Typed(c.in(0).type(), c.shape(0)));
        }
        for (String op : List.of("Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "And", "Or")) {
            single(op, c -> {
                EmtalException.check(c.inputs().size() == 2, "node %s: found %d operands, allowed are 2", op, c.inputs().size());
                return new Typed(c.in(0).type(), c.shape(0).broadcast(c.shape(1)));
            });
        }
        for (String op : List.of("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual")) {
            single(op, c -> new Typed(ElementType.BOOL, c.shape(0).broadcast(c.shape(1))));
        }
        single("IsNaN", c -> new Typed(ElementType.BOOL, c.shape(0)));
        single("Where", c -> new Typed(c.in(1).type(),
                c.shape(0).broadcast(c.shape(1)).broadcast(c.shape(2))));
        single("Cast", c -> new Typed(ElementType.ofCode((int) c.integer("to", 0), "node Cast"), c.shape(0)));
        for (String op : List.of("ReduceSum", "ReduceMean", "ReduceMax", "ReduceSumSquare")) {
            single(op, ShapeRules::reduce);
        }
        single("MatMul", c -> matMul(c, false, false));
        single("FusedMatMul", c -> matMul(c, c.integer("transA", 0) == 1, c.integer("transB", 0) == 1));
        single("Gemm", ShapeRules::gemm);
        single("Transpose", ShapeRules::transpose);
        single("Reshape", c -> new Typed(c.in(0).type(), reshape(c.shape(0), c.integers("shape", 1))));
        single("Flatten", ShapeRules::flatten);
        single("Unsqueeze", ShapeRules::unsqueeze);
        single("Squeeze", ShapeRules::squeeze);
        single("Expand", c -> new Typed(c.in(0).type(), c.shape(0).broadcast(Shape.of(c.integers("shape", 1)))));
        single("Concat", ShapeRules::concat);
        single("Gather", ShapeRules::gather);
        single("ScatterND", c -> new Typed(c.in(0).type(), c.shape(0)));
        single("Slice", ShapeRules::slice);
        single("Pad", ShapeRules::pad);
        single("Conv", ShapeRules::conv);
        single("MaxPool", ShapeRules::pool);
        single("AveragePool", ShapeRules::pool);
        RULES.put("Split", ShapeRules::split);
        RULES.put("LayerNormalization", ShapeRules::layerNormalization);
    }

    private ShapeRules() {
    }

    private static void single(String op, Function<Call, Typed> rule) {
        RULES.put(op, call -> List.of(rule.apply(call)));
    }

    static boolean knows(String op) {
        return RULES.containsKey(op);
    }

    static List<Typed> infer(Call call) {
        Rule rule = RULES.get(call.op());
        EmtalException.check(rule != null, "operator %s is not supported; allowed are %s", call.op(),
                RULES.keySet().stream().sorted().toList());
        return rule.infer(call);
    }

    private static Typed reduce(Call c) {
        Shape in = c.shape(0);
        long[] axes = c.integers("axes", 1);
        boolean keep = c.integer("keepdims", 1) == 1;
        boolean[] reduced = new boolean[in.rank()];
        if (axes == null) {
            Arrays.fill(reduced, true);
        } else {
            for (long axis : axes) {
                reduced[in.axis((int) axis)] = true;
            }
        }
        List<Long> extents = new ArrayList<>();
        for (int i = 0; i < in.rank(); i++) {
            if (!reduced[i]) {
                extents.add(in.extent(i));
            } else if (keep) {
                extents.add(1L);
            }
        }
        return new Typed(c.in(0).type(), shape(extents));
    }

    private static Typed matMul(Call c, boolean transA, boolean transB) {
        Shape a = c.shape(0);
        Shape b = c.shape(1);
        EmtalException.check(a.rank() >= 2 && b.rank() >= 2, "node %s: found operands %s and %s, allowed is rank 2 or more",
                c.op(), a, b);
        long rows = a.extent(transA ? -1 : -2);
        long inner = a.extent(transA ? -2 : -1);
        long innerB = b.extent(transB ? -1 : -2);
        long columns = b.extent(transB ? -2 : -1);
        EmtalException.check(inner == innerB, "node %s: found operands %s and %s whose inner extents %d and %d differ",
                c.op(), a, b, inner, innerB);
        Shape outerA = Shape.of(Arrays.copyOf(a.extents(), a.rank() - 2));
        Shape outerB = Shape.of(Arrays.copyOf(b.extents(), b.rank() - 2));
        long[] outer = outerA.broadcast(outerB).extents();
        long[] all = Arrays.copyOf(outer, outer.length + 2);
        all[outer.length] = rows;
        all[outer.length + 1] = columns;
        return new Typed(c.in(0).type(), Shape.of(all));
    }

    private static Typed gemm(Call c) {
        Shape a = c.shape(0);
        Shape b = c.shape(1);
        boolean transA = c.integer("transA", 0) == 1;
        boolean transB = c.integer("transB", 0) == 1;
        EmtalException.check(a.rank() == 2 && b.rank() == 2 && a.extent(transA ? 0 : 1) == b.extent(transB ? 1 : 0),
                "node Gemm: found operands %s%s and %s%s, allowed are two matrices with equal inner extents",
                a, transA ? " transposed" : "", b, transB ? " transposed" : "");
        return new Typed(c.in(0).type(), Shape.of(a.extent(transA ? 1 : 0), b.extent(transB ? 0 : 1)));
    }

    private static Typed transpose(Call c) {
        Shape in = c.shape(0);
        long[] permutation = c.attributes().containsKey("perm") ? c.integers("perm", 1)
                : LongStream.range(0, in.rank()).map(i -> in.rank() - 1 - i).toArray();
        EmtalException.check(permutation.length == in.rank(), "node Transpose: found permutation %s for shape %s",
                Arrays.toString(permutation), in);
        return new Typed(c.in(0).type(), Shape.of(Arrays.stream(permutation).map(p -> in.extent((int) p)).toArray()));
    }

    /** Reshape's rule: 0 keeps the input's extent, one −1 takes what is left. */
    static Shape reshape(Shape in, long[] target) {
        long[] extents = target.clone();
        int rest = -1;
        boolean open = !in.isStatic();
        for (int i = 0; i < extents.length; i++) {
            if (extents[i] == 0) {
                extents[i] = in.extent(i);
                open &= extents[i] != Shape.BATCH;
            } else if (extents[i] == -1) {
                EmtalException.check(rest < 0, "node Reshape: found two −1 in %s", Arrays.toString(target));
                rest = i;
            }
        }
        long found = fixedProduct(in.extents());
        if (rest >= 0 && open) {
            extents[rest] = Shape.BATCH;
        } else if (rest >= 0) {
            extents[rest] = 1;
            long others = fixedProduct(extents);
            EmtalException.check(others != 0 && found % others == 0, "node Reshape: shape %s does not fit %s", in,
                    Arrays.toString(target));
            extents[rest] = found / others;
        }
        EmtalException.check(open || fixedProduct(extents) == found, "node Reshape: shape %s does not fit %s", in,
                Arrays.toString(target));
        return Shape.of(extents);
    }

    private static long fixedProduct(long[] extents) {
        return Arrays.stream(extents).filter(e -> e != Shape.BATCH).reduce(1, Math::multiplyExact);
    }

    private static Typed flatten(Call c) {
        Shape in = c.shape(0);
        int axis = (int) c.integer("axis", 1);
        long[] e = in.extents();
        long outer = product(Arrays.copyOfRange(e, 0, axis));
        long inner = product(Arrays.copyOfRange(e, axis, e.length));
        return new Typed(c.in(0).type(), Shape.of(outer, inner));
    }

    private static long product(long[] extents) {
        return Arrays.stream(extents).anyMatch(e -> e == Shape.BATCH) ? Shape.BATCH : fixedProduct(extents);
    }

    private static Typed unsqueeze(Call c) {
        Shape in = c.shape(0);
        long[] axes = c.integers("axes", 1);
        int rank = in.rank() + axes.length;
        boolean[] added = new boolean[rank];
        for (long axis : axes) {
            added[(int) (axis < 0 ? axis + rank : axis)] = true;
        }
        List<Long> extents = new ArrayList<>();
        int next = 0;
        for (int i = 0; i < rank; i++) {
            extents.add(added[i] ? 1L : in.extent(next++));
        }
        return new Typed(c.in(0).type(), shape(extents));
    }

    private static Typed squeeze(Call c) {
        Shape in = c.shape(0);
        long[] axes = c.integers("axes", 1);
        boolean[] removed = new boolean[in.rank()];
        for (int i = 0; i < in.rank(); i++) {
            removed[i] = axes == null && in.extent(i) == 1;
        }
        if (axes != null) {
            for (long axis : axes) {
                removed[in.axis((int) axis)] = true;
            }
        }
        List<Long> extents = new ArrayList<>();
        for (int i = 0; i < in.rank(); i++) {
            if (!removed[i]) {
                extents.add(in.extent(i));
            } else {
                EmtalException.check(in.extent(i) == 1, "node Squeeze: axis %d of shape %s is not 1", i, in);
            }
        }
        return new Typed(c.in(0).type(), shape(extents));
    }

    private static Typed concat(Call c) {
        Shape first = c.shape(0);
        int axis = first.axis((int) c.integer("axis", 0));
        long sum = 0;
        for (Value in : c.inputs()) {
            EmtalException.check(in.rank() == first.rank() && in.shape().with(axis, 0).equals(first.with(axis, 0)),
                    "node Concat: shapes %s and %s do not fit along axis %d", first, in.shape(), axis);
            sum += in.extent(axis);
        }
        return new Typed(c.in(0).type(), first.with(axis, sum));
    }

    private static Typed gather(Call c) {
        Shape in = c.shape(0);
        int axis = in.axis((int) c.integer("axis", 0));
        List<Long> extents = new ArrayList<>();
        for (int i = 0; i < in.rank(); i++) {
            if (i == axis) {
                Arrays.stream(c.shape(1).extents()).forEach(extents::add);
            } else {
                extents.add(in.extent(i));
            }
        }
        return new Typed(c.in(0).type(), shape(extents));
    }

    private static Typed slice(Call c) {
        Shape shape = c.shape(0);
        long[] starts = c.integers("starts", 1);
        long[] ends = c.integers("ends", 2);
        long[] axes = c.integers("axes", 3);
        long[] steps = c.integers("steps", 4);
        for (int i = 0; i < starts.length; i++) {
            int axis = shape.axis(axes == null ? i : (int) axes[i]);
            long extent = shape.extent(axis);
            long step = steps == null ? 1 : steps[i];
            EmtalException.check(extent != Shape.BATCH && step > 0,
                    "node Slice: axis %d of shape %s with step %d; allowed are fixed extents and positive steps", axis, shape, step);
            long start = Math.min(starts[i] < 0 ? starts[i] + extent : starts[i], extent);
            long end = Math.min(ends[i] < 0 ? ends[i] + extent : ends[i], extent);
            shape = shape.with(axis, Math.max(0, (end - start + step - 1) / step));
        }
        return new Typed(c.in(0).type(), shape);
    }

    private static Typed pad(Call c) {
        Shape shape = c.shape(0);
        long[] pads = c.integers("pads", 1);
        for (int i = 0; i < shape.rank(); i++) {
            long added = pads[i] + pads[i + shape.rank()];
            if (added != 0) {
                shape = shape.with(i, shape.extent(i) + added);
            }
        }
        return new Typed(c.in(0).type(), shape);
    }

    private static Typed conv(Call c) {
        Shape kernel = c.shape(1);
        return new Typed(c.in(0).type(), windows(c, Arrays.copyOfRange(kernel.extents(), 2, kernel.rank())).with(1, kernel.extent(0)));
    }

    private static Typed pool(Call c) {
        return new Typed(c.in(0).type(), windows(c, c.integers("kernel_shape", Integer.MAX_VALUE)));
    }

    /** The input's shape with the number of windows along every spatial axis. */
    private static Shape windows(Call c, long[] kernel) {
        Shape shape = c.shape(0);
        int spatial = shape.rank() - 2;
        EmtalException.check(kernel != null && kernel.length == spatial, "node %s: found kernel %s for shape %s", c.op(),
                Arrays.toString(kernel), shape);
        long[] strides = orOnes(c.integers("strides", Integer.MAX_VALUE), spatial);
        long[] dilations = orOnes(c.integers("dilations", Integer.MAX_VALUE), spatial);
        long[] pads = c.integers("pads", Integer.MAX_VALUE);
        Object autoPad = c.attributes().getOrDefault("auto_pad", "NOTSET");
        boolean ceil = c.integer("ceil_mode", 0) == 1;
        for (int i = 0; i < spatial; i++) {
            long extent = shape.extent(i + 2);
            long reach = dilations[i] * (kernel[i] - 1) + 1;
            long padded = extent + (pads == null ? 0 : pads[i] + pads[i + spatial]);
            long windows = autoPad.toString().startsWith("SAME") ? (extent + strides[i] - 1) / strides[i]
                    : (padded - reach + (ceil ? strides[i] - 1 : 0)) / strides[i] + 1;
            shape = shape.with(i + 2, windows);
        }
        return shape;
    }

    private static long[] orOnes(long[] values, int count) {
        return values != null ? values : LongStream.generate(() -> 1).limit(count).toArray();
    }

    private static List<Typed> split(Call c) {
        Shape in = c.shape(0);
        int axis = in.axis((int) c.integer("axis", 0));
        long[] sizes = c.integers("split", 1);
        if (sizes == null) {
            EmtalException.check(in.extent(axis) % c.outputCount() == 0, "node Split: axis %d of shape %s in %d equal parts",
                    axis, in, c.outputCount());
            sizes = LongStream.generate(() -> in.extent(axis) / c.outputCount()).limit(c.outputCount()).toArray();
        }
        EmtalException.check(Arrays.stream(sizes).sum() == in.extent(axis), "node Split: sizes %s for axis %d of shape %s",
                Arrays.toString(sizes), axis, in);
        return Arrays.stream(sizes).mapToObj(s -> new Typed(c.in(0).type(), in.with(axis, s))).toList();
    }

    /** Y and, where asked for, mean and inverse standard deviation with the normalised axes at extent 1. */
    private static List<Typed> layerNormalization(Call c) {
        Shape in = c.shape(0);
        Shape statistics = in;
        for (int i = in.axis((int) c.integer("axis", -1)); i < in.rank(); i++) {
            statistics = statistics.with(i, 1);
        }
        List<Typed> all = List.of(new Typed(c.in(0).type(), in), new Typed(c.in(0).type(), statistics),
                new Typed(c.in(0).type(), statistics));
        return all.subList(0, c.outputCount());
    }

    private static Shape shape(List<Long> extents) {
        return Shape.of(extents.stream().mapToLong(Long::longValue).toArray());
    }
}

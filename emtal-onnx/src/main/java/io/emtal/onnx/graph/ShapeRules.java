package io.emtal.onnx.graph;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.LongStream;

/**
 * What type and shape every supported operator gives, from the types and shapes of its inputs. How many operands an
 * operator has, of which types, and its attributes stand in {@link OperatorTable} and are checked before.
 */
final class ShapeRules {

    /**
     * A node whose outputs are not known yet.
     *
     * @param where the node, for messages
     * @param op its operator
     * @param inputs its operands; {@code null} where one is left out
     * @param attributes its attributes
     * @param outputCount the number of its outputs
     * @param constants the elements of a value that is constant, else {@code null}
     */
    record Call(String where, String op, List<Value> inputs, Map<String, Object> attributes, int outputCount,
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

        /** A list of integers that is an attribute; {@code null} where it is absent. */
        long[] integers(String attribute) {
            return attributes.get(attribute) instanceof List<?> list ? list.stream().mapToLong(e -> (Long) e).toArray()
                    : null;
        }

        /** A list of integers that is an attribute in older operator sets and an operand in newer ones. */
        long[] integers(String attribute, int input) {
            long[] given = integers(attribute);
            // ONNX Runtime takes a single axis as a scalar, too.
            return given != null || in(input) == null ? given : constant(input, 0).integers();
        }

        /** A constant operand with a list of integers; {@code null} where it is left out. */
        long[] integers(int input) {
            return in(input) == null ? null : constant(input, 1).integers();
        }

        private Tensor constant(int input, int leastRank) {
            Tensor constant = constants.apply(in(input));
            EmtalException.check(constant != null, "operand %d, %s, must be a constant", input,
                    Quoted.of(in(input).name()));
            int rank = constant.shape().rank();
            EmtalException.check(rank >= leastRank && rank <= 1, "operand %d has shape %s, allowed is a list", input,
                    constant.shape());
            return constant;
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
        for (String op : List.of("Neg", "Abs", "Sign", "Sqrt", "Reciprocal", "Exp", "Log", "Erf", "Tanh", "Sigmoid",
                "Relu", "Softplus", "Identity", "Not", "Gelu", "QuickGelu", "LeakyRelu", "Elu", "HardSigmoid",
                "HardSwish", "Floor", "Ceil", "Round", "Sin", "Cos")) {
            single(op, c -> same(c, c.shape(0)));
        }
        for (String op : List.of("Softmax", "LogSoftmax")) {
            single(op, c -> {
                c.shape(0).axis(c.integer("axis", -1));
                return same(c, c.shape(0));
            });
        }
        single("FastGelu", c -> same(c, c.in(1) == null ? c.shape(0) : receiving(c, c.shape(0), 1)));
        single("Clip", ShapeRules::clip);
        for (String op : List.of("Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "And", "Or")) {
            single(op, c -> {
                EmtalException.check(c.inputs().size() == 2, "found %d operands, allowed are 2", c.inputs().size());
                return same(c, c.shape(0).broadcast(c.shape(1)));
            });
        }
        for (String op : List.of("Equal", "Less", "LessOrEqual", "Greater", "GreaterOrEqual")) {
            single(op, c -> new Typed(ElementType.BOOL, c.shape(0).broadcast(c.shape(1))));
        }
        single("IsNaN", c -> new Typed(ElementType.BOOL, c.shape(0)));
        single("Where", c -> new Typed(c.in(1).type(),
                c.shape(0).broadcast(c.shape(1)).broadcast(c.shape(2))));
        single("Cast", c -> new Typed(ElementType.ofCode(c.integer("to", 0), "target"), c.shape(0)));
        for (String op : List.of("ReduceSum", "ReduceMean", "ReduceMax", "ReduceSumSquare")) {
            single(op, ShapeRules::reduce);
        }
        single("MatMul", c -> matMul(c, false, false));
        single("FusedMatMul", c -> matMul(c, c.integer("transA", 0) == 1, c.integer("transB", 0) == 1));
        single("Gemm", ShapeRules::gemm);
        single("Transpose", ShapeRules::transpose);
        single("Reshape", c -> same(c, reshape(c.shape(0), c.integers(1))));
        single("Flatten", ShapeRules::flatten);
        single("Unsqueeze", ShapeRules::unsqueeze);
        single("Squeeze", ShapeRules::squeeze);
        single("Expand", ShapeRules::expand);
        single("Concat", ShapeRules::concat);
        single("Gather", ShapeRules::gather);
        single("ScatterND", ShapeRules::scatter);
        single("Slice", ShapeRules::slice);
        single("Pad", ShapeRules::pad);
        single("Conv", ShapeRules::conv);
        single("MaxPool", ShapeRules::pool);
        single("AveragePool", ShapeRules::pool);
        single("BatchNormalization", c -> perChannel(c, 2));
        single("InstanceNormalization", c -> perChannel(c, 3));
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
        EmtalException.check(rule != null, "%s: not supported; allowed are %s", call.where(),
                RULES.keySet().stream().sorted().toList());
        try {
            return rule.infer(call);
        } catch (EmtalException e) {
            throw new EmtalException(call.where() + ": " + e.getMessage(), e);
        }
    }

    /** A result of the first operand's type. */
    private static Typed same(Call c, Shape shape) {
        return new Typed(c.in(0).type(), shape);
    }

    /** A shape that another operand broadcasts to without making it larger. */
    private static Shape receiving(Call c, Shape shape, int operand) {
        EmtalException.check(shape.broadcast(c.shape(operand)).equals(shape), "operand %d has shape %s, allowed is what"
                + " broadcasts to %s", operand, c.shape(operand), shape);
        return shape;
    }

    private static Typed clip(Call c) {
        for (int i = 1; i < c.inputs().size(); i++) {
            EmtalException.check(c.in(i) == null || c.shape(i).rank() == 0,
                    "operand %d has shape %s, allowed is a scalar", i, c.in(i) == null ? "" : c.shape(i));
        }
        return same(c, c.shape(0));
    }

    /** Which axes of a rank are meant; each at most once. */
    private static boolean[] marked(long[] axes, int rank) {
        boolean[] marked = new boolean[rank];
        for (long axis : axes) {
            EmtalException.check(axis >= -rank && axis < rank, "axis %d of %d dimensions, allowed are %d to %d", axis,
                    rank, -rank, rank - 1);
            int i = (int) (axis < 0 ? axis + rank : axis);
            EmtalException.check(!marked[i], "axis %d is named twice", axis);
            marked[i] = true;
        }
        return marked;
    }

    private static Typed reduce(Call c) {
        Shape in = c.shape(0);
        long[] axes = c.integers("axes", 1);
        boolean all = axes == null || axes.length == 0;
        boolean keep = c.integer("keepdims", 1) == 1;
        boolean[] reduced = marked(all ? LongStream.range(0, in.rank()).toArray() : axes, in.rank());
        List<Long> extents = new ArrayList<>();
        for (int i = 0; i < in.rank(); i++) {
            if (!reduced[i]) {
                extents.add(in.extent(i));
            } else if (keep) {
                extents.add(1L);
            }
        }
        return same(c, shape(extents));
    }

    private static Typed matMul(Call c, boolean transA, boolean transB) {
        Shape a = c.shape(0);
        Shape b = c.shape(1);
        EmtalException.check(a.rank() >= 2 && b.rank() >= 2, "found operands %s and %s, allowed is rank 2 or more", a,
                b);
        long rows = a.extent(transA ? -1 : -2);
        long inner = a.extent(transA ? -2 : -1);
        long innerB = b.extent(transB ? -1 : -2);
        long columns = b.extent(transB ? -2 : -1);
        EmtalException.check(inner == innerB, "found operands %s and %s whose inner extents %d and %d differ", a, b,
                inner, innerB);
        Shape outerA = Shape.of(Arrays.copyOf(a.extents(), a.rank() - 2));
        Shape outerB = Shape.of(Arrays.copyOf(b.extents(), b.rank() - 2));
        long[] outer = outerA.broadcast(outerB).extents();
        long[] all = Arrays.copyOf(outer, outer.length + 2);
        all[outer.length] = rows;
        all[outer.length + 1] = columns;
        return same(c, Shape.of(all));
    }

    private static Typed gemm(Call c) {
        Shape a = c.shape(0);
        Shape b = c.shape(1);
        boolean transA = c.integer("transA", 0) == 1;
        boolean transB = c.integer("transB", 0) == 1;
        EmtalException.check(a.rank() == 2 && b.rank() == 2 && a.extent(transA ? 0 : 1) == b.extent(transB ? 1 : 0),
                "found operands %s%s and %s%s, allowed are two matrices with equal inner extents",
                a, transA ? " transposed" : "", b, transB ? " transposed" : "");
        Shape product = Shape.of(a.extent(transA ? 1 : 0), b.extent(transB ? 0 : 1));
        return same(c, c.in(2) == null ? product : receiving(c, product, 2));
    }

    private static Typed transpose(Call c) {
        Shape in = c.shape(0);
        long[] given = c.integers("perm");
        long[] permutation = given != null ? given
                : LongStream.range(0, in.rank()).map(i -> in.rank() - 1 - i).toArray();
        EmtalException.check(permutation.length == in.rank() && Arrays.stream(permutation).noneMatch(p -> p < 0),
                "found permutation %s for shape %s", Arrays.toString(permutation), in);
        marked(permutation, in.rank());
        return same(c, Shape.of(Arrays.stream(permutation).map(p -> in.extent((int) p)).toArray()));
    }

    /** Reshape's rule: 0 keeps the input's extent, one −1 takes what is left. */
    private static Shape reshape(Shape in, long[] target) {
        long[] extents = target.clone();
        int rest = -1;
        boolean open = !in.isStatic();
        for (int i = 0; i < extents.length; i++) {
            if (extents[i] == 0) {
                extents[i] = in.extent(i);
                open &= extents[i] != Shape.BATCH;
            } else if (extents[i] == -1) {
                EmtalException.check(rest < 0, "found two −1 in %s", Arrays.toString(target));
                rest = i;
            }
        }
        long found = fixedProduct(in.extents());
        if (rest >= 0 && open) {
            extents[rest] = Shape.BATCH;
        } else if (rest >= 0) {
            extents[rest] = 1;
            long others = fixedProduct(extents);
            EmtalException.check(others != 0 && found % others == 0, "shape %s does not fit %s", in,
                    Arrays.toString(target));
            extents[rest] = found / others;
        } else {
            EmtalException.check(!open, "shape %s does not fit %s, which has no place for the batch", in,
                    Arrays.toString(target));
        }
        EmtalException.check(open || fixedProduct(extents) == found, "shape %s does not fit %s", in,
                Arrays.toString(target));
        return Shape.of(extents);
    }

    /** The product of the extents that are not the batch. */
    private static long fixedProduct(long[] extents) {
        long product = 1;
        for (long extent : extents) {
            if (extent != Shape.BATCH) {
                EmtalException.check(extent == 0 || product <= Long.MAX_VALUE / extent,
                        "shape %s has more than 2^63 elements", Arrays.toString(extents));
                product *= extent;
            }
        }
        return product;
    }

    private static Typed flatten(Call c) {
        long[] extents = c.shape(0).extents();
        long axis = c.integer("axis", 1);
        EmtalException.check(axis >= -extents.length && axis <= extents.length,
                "axis %d of shape %s, allowed are %d to %d", axis, c.shape(0), -extents.length, extents.length);
        int cut = (int) (axis < 0 ? axis + extents.length : axis);
        return same(c, Shape.of(product(Arrays.copyOfRange(extents, 0, cut)),
                product(Arrays.copyOfRange(extents, cut, extents.length))));
    }

    private static long product(long[] extents) {
        return Arrays.stream(extents).anyMatch(e -> e == Shape.BATCH) ? Shape.BATCH : fixedProduct(extents);
    }

    private static Typed unsqueeze(Call c) {
        Shape in = c.shape(0);
        long[] axes = c.integers("axes", 1);
        int rank = in.rank() + axes.length;
        boolean[] added = marked(axes, rank);
        List<Long> extents = new ArrayList<>();
        int next = 0;
        for (int i = 0; i < rank; i++) {
            extents.add(added[i] ? 1L : in.extent(next++));
        }
        return same(c, shape(extents));
    }

    private static Typed squeeze(Call c) {
        Shape in = c.shape(0);
        long[] axes = c.integers("axes", 1);
        boolean[] removed = marked(axes == null || axes.length == 0
                ? LongStream.range(0, in.rank()).filter(i -> in.extent((int) i) == 1).toArray() : axes, in.rank());
        List<Long> extents = new ArrayList<>();
        for (int i = 0; i < in.rank(); i++) {
            if (!removed[i]) {
                extents.add(in.extent(i));
            } else {
                EmtalException.check(in.extent(i) == 1, "axis %d of shape %s is not 1", i, in);
            }
        }
        return same(c, shape(extents));
    }

    private static Typed expand(Call c) {
        long[] target = c.integers(1);
        EmtalException.check(Arrays.stream(target).noneMatch(e -> e < 0),
                "found shape %s, allowed are extents of 0 and more", Arrays.toString(target));
        return same(c, c.shape(0).broadcast(Shape.of(target)));
    }

    private static Typed concat(Call c) {
        Shape first = c.shape(0);
        int axis = first.axis(c.integer("axis", 0));
        long sum = 0;
        for (Value in : c.inputs()) {
            EmtalException.check(in.rank() == first.rank() && in.shape().with(axis, 0).equals(first.with(axis, 0))
                    && in.extent(axis) != Shape.BATCH, "shapes %s and %s do not fit along axis %d", first, in.shape(),
                    axis);
            sum += in.extent(axis);
        }
        return same(c, first.with(axis, sum));
    }

    private static Typed gather(Call c) {
        Shape in = c.shape(0);
        int axis = in.axis(c.integer("axis", 0));
        Tensor indices = c.constants().apply(c.in(1));
        long extent = in.extent(axis);
        if (indices != null && extent != Shape.BATCH) {
            for (long index : indices.integers()) {
                EmtalException.check(index >= -extent && index < extent, "found index %d for axis %d of shape %s",
                        index, axis, in);
            }
        }
        List<Long> extents = new ArrayList<>();
        for (int i = 0; i < in.rank(); i++) {
            if (i == axis) {
                Arrays.stream(c.shape(1).extents()).forEach(extents::add);
            } else {
                extents.add(in.extent(i));
            }
        }
        return same(c, shape(extents));
    }

    /** Indices [.., k] name entries of the first k axes; updates have the shape [.., other axes]. */
    private static Typed scatter(Call c) {
        Shape in = c.shape(0);
        Shape indices = c.shape(1);
        EmtalException.check(indices.rank() >= 1 && indices.extent(-1) >= 1 && indices.extent(-1) <= in.rank(),
                "found indices of shape %s for shape %s", indices, in);
        long[] places = Arrays.copyOf(indices.extents(), indices.rank() - 1);
        long[] entry = Arrays.copyOfRange(in.extents(), (int) indices.extent(-1), in.rank());
        Shape updates = Shape.of(LongStream.concat(Arrays.stream(places), Arrays.stream(entry)).toArray());
        EmtalException.check(c.shape(2).equals(updates), "found updates of shape %s, allowed is %s", c.shape(2),
                updates);
        return same(c, in);
    }

    private static Typed slice(Call c) {
        Shape in = c.shape(0);
        long[] starts = c.integers(1);
        long[] ends = c.integers(2);
        long[] axes = c.in(3) == null ? LongStream.range(0, starts.length).toArray() : c.integers(3);
        long[] steps = c.in(4) == null ? ones(starts.length) : c.integers(4);
        EmtalException.check(starts.length == ends.length && starts.length == axes.length
                && starts.length == steps.length, "found %d starts, %d ends, %d axes, %d steps, allowed are equally"
                + " many", starts.length, ends.length, axes.length, steps.length);
        marked(axes, in.rank());
        Shape shape = in;
        for (int i = 0; i < starts.length; i++) {
            int axis = in.axis(axes[i]);
            long extent = in.extent(axis);
            EmtalException.check(extent != Shape.BATCH && steps[i] > 0,
                    "axis %d of shape %s with step %d; allowed are fixed extents and positive steps", axis, in,
                    steps[i]);
            long start = clamped(starts[i], extent);
            long end = clamped(ends[i], extent);
            shape = shape.with(axis, end <= start ? 0 : (end - start - 1) / steps[i] + 1);
        }
        return same(c, shape);
    }

    private static long clamped(long position, long extent) {
        return Math.max(0, Math.min(extent, position < 0 ? position + extent : position));
    }

    private static Typed pad(Call c) {
        Shape shape = c.shape(0);
        long[] pads = c.integers(1);
        Object mode = c.attributes().getOrDefault("mode", "constant");
        EmtalException.check(List.of("constant", "reflect", "edge").contains(mode),
                "found mode %s, allowed are constant, reflect, edge", Quoted.of(mode.toString()));
        EmtalException.check(pads.length == 2 * shape.rank(), "found %d pads for shape %s, allowed are two an axis",
                pads.length, shape);
        for (int i = 0; i < shape.rank(); i++) {
            long before = pads[i];
            long after = pads[i + shape.rank()];
            if (before == 0 && after == 0) {
                continue;
            }
            long extent = shape.extent(i);
            boolean small = Math.max(Math.abs((double) before), Math.abs((double) after)) <= Integer.MAX_VALUE;
            // What is repeated or mirrored must be there.
            long most = mode.equals("constant") ? Integer.MAX_VALUE : mode.equals("reflect") ? extent - 1
                    : extent == 0 ? 0 : Integer.MAX_VALUE;
            EmtalException.check(extent != Shape.BATCH && small && extent + before + after >= 0
                    && Math.max(before, after) <= most, "found pads %d and %d of mode %s for axis %d of shape %s", before,
                    after, mode, i, shape);
            shape = shape.with(i, extent + before + after);
        }
        return same(c, shape);
    }

    private static Typed conv(Call c) {
        Shape in = c.shape(0);
        Shape weight = c.shape(1);
        long group = c.integer("group", 1);
        EmtalException.check(in.rank() >= 3 && weight.rank() == in.rank() && weight.isStatic() && group >= 1
                && weight.extent(0) % group == 0 && group <= Integer.MAX_VALUE
                && in.extent(1) == weight.extent(1) * group, "found an image %s and a weight %s in %d groups, allowed"
                + " are [N, C, ..] and [M, C / groups, ..]", in, weight, group);
        long[] kernel = Arrays.copyOfRange(weight.extents(), 2, weight.rank());
        long[] said = c.integers("kernel_shape");
        EmtalException.check(said == null || Arrays.equals(said, kernel), "found kernel %s and a weight %s",
                Arrays.toString(said), weight);
        EmtalException.check(c.in(2) == null || c.shape(2).equals(Shape.of(weight.extent(0))),
                "found a bias of shape %s, allowed is [%d]", c.in(2) == null ? "" : c.shape(2), weight.extent(0));
        return same(c, windows(c, in.with(1, weight.extent(0)), kernel, false));
    }

    private static Typed pool(Call c) {
        return same(c, windows(c, c.shape(0), c.integers("kernel_shape"), c.integer("ceil_mode", 0) == 1));
    }

    /** The number of places of a window that slides over the axes from the third on. */
    private static Shape windows(Call c, Shape in, long[] kernel, boolean ceil) {
        int spatial = in.rank() - 2;
        long[] strides = or(c.integers("strides"), ones(spatial));
        long[] dilations = or(c.integers("dilations"), ones(spatial));
        long[] pads = or(c.integers("pads"), new long[2 * Math.max(0, spatial)]);
        EmtalException.check(spatial >= 1 && kernel.length == spatial && strides.length == spatial
                && dilations.length == spatial && pads.length == 2 * spatial && within(1, kernel) && within(1, strides)
                && within(1, dilations) && within(0, pads), "found shape %s, kernel %s, strides %s, dilations %s,"
                + " pads %s; allowed is one of each an axis (two pads), positive", in, Arrays.toString(kernel),
                Arrays.toString(strides), Arrays.toString(dilations), Arrays.toString(pads));
        String automatic = c.attributes().getOrDefault("auto_pad", "NOTSET").toString();
        EmtalException.check(List.of("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER").contains(automatic),
                "found auto_pad %s, allowed are NOTSET, VALID, SAME_UPPER, SAME_LOWER", Quoted.of(automatic));
        Shape shape = in;
        for (int i = 0; i < spatial; i++) {
            long extent = in.extent(i + 2);
            EmtalException.check(extent != Shape.BATCH, "axis %d of shape %s is open, allowed is a fixed extent",
                    i + 2, in);
            boolean padded = automatic.equals("NOTSET");
            long room = extent + (padded ? pads[i] + pads[i + spatial] : 0) - dilations[i] * (kernel[i] - 1) - 1;
            if (automatic.startsWith("SAME")) {
                shape = shape.with(i + 2, (extent + strides[i] - 1) / strides[i]);
                continue;
            }
            EmtalException.check(room >= 0, "axis %d of shape %s is smaller than the window", i + 2, in);
            long places = (ceil ? room + strides[i] - 1 : room) / strides[i] + 1;
            // A window must not start in the padding behind the image.
            boolean beyond = ceil && (places - 1) * strides[i] >= extent + (padded ? pads[i] : 0);
            shape = shape.with(i + 2, beyond ? places - 1 : places);
        }
        return shape;
    }

    private static boolean within(long least, long[] values) {
        return Arrays.stream(values).allMatch(v -> v >= least && v <= Integer.MAX_VALUE);
    }

    private static long[] or(long[] values, long[] otherwise) {
        return values != null ? values : otherwise;
    }

    private static long[] ones(int count) {
        return LongStream.generate(() -> 1).limit(Math.max(0, count)).toArray();
    }

    private static List<Typed> split(Call c) {
        Shape in = c.shape(0);
        int axis = in.axis(c.integer("axis", 0));
        long extent = in.extent(axis);
        EmtalException.check(extent != Shape.BATCH, "axis %d of shape %s is open, allowed is a fixed extent", axis, in);
        long[] sizes = c.integers("split", 1);
        if (sizes == null) {
            EmtalException.check(extent % c.outputCount() == 0, "axis %d of shape %s in %d equal parts", axis, in,
                    c.outputCount());
            sizes = LongStream.generate(() -> extent / c.outputCount()).limit(c.outputCount()).toArray();
        }
        EmtalException.check(sizes.length == c.outputCount() && Arrays.stream(sizes)
                .allMatch(s -> s >= 0 && s <= extent) && Arrays.stream(sizes).sum() == extent,
                "sizes %s of %d outputs for axis %d of shape %s", Arrays.toString(sizes), c.outputCount(), axis, in);
        return Arrays.stream(sizes).mapToObj(s -> same(c, in.with(axis, s))).toList();
    }

    /** Of the shape of an image [N, C, ..] that further operands have one element a channel for. */
    private static Typed perChannel(Call c, int leastRank) {
        Shape in = c.shape(0);
        EmtalException.check(in.rank() >= leastRank && in.extent(1) != Shape.BATCH, "found shape %s, allowed are %d"
                + " dimensions and more, of which the second is fixed", in, leastRank);
        for (int i = 1; i < c.inputs().size(); i++) {
            EmtalException.check(c.shape(i).equals(Shape.of(in.extent(1))), "operand %d has shape %s, allowed is [%d]",
                    i, c.shape(i), in.extent(1));
        }
        checkEpsilon(c);
        return same(c, in);
    }

    private static void checkEpsilon(Call c) {
        Object epsilon = c.attributes().getOrDefault("epsilon", 1e-5f);
        EmtalException.check((Float) epsilon >= 0 && Float.isFinite((Float) epsilon), "found epsilon %s, allowed are 0 and"
                + " more", epsilon);
    }

    /** Y and, where asked for, mean and inverse standard deviation with the normalised axes at extent 1. */
    private static List<Typed> layerNormalization(Call c) {
        Shape in = c.shape(0);
        int axis = in.axis(c.integer("axis", -1));
        checkEpsilon(c);
        Shape normalized = Shape.of(Arrays.copyOfRange(in.extents(), axis, in.rank()));
        for (int i = 1; i < c.inputs().size(); i++) {
            if (c.in(i) != null) {
                receiving(c, normalized, i);
            }
        }
        Shape statistics = in;
        for (int i = axis; i < in.rank(); i++) {
            statistics = statistics.with(i, 1);
        }
        List<Typed> all = List.of(same(c, in), same(c, statistics), same(c, statistics));
        return all.subList(0, c.outputCount());
    }

    private static Shape shape(List<Long> extents) {
        return Shape.of(extents.stream().mapToLong(Long::longValue).toArray());
    }
}

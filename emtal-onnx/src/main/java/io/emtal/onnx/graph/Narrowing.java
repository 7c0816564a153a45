package io.emtal.onnx.graph;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.ToIntFunction;
import java.util.stream.IntStream;

/**
 * Leaves out what no output depends on, along the axis of a range that is taken at the end of a graph. Where heads read
 * the class token alone, the last block's feed-forward network, output projection and queries are computed for that
 * token only; its keys and values are computed for all.
 *
 * <p>From the outputs back, every value gets the range that is needed of it. Operators that treat the entries of the
 * axis alike pass the range on; in front of all others, and where several ranges are needed, the whole value is
 * computed.
 */
public final class Narrowing {

    private static final Set<String> ELEMENTWISE = Set.of("Abs", "Add", "And", "Cast", "Clip", "Div", "Elu", "Equal",
            "Erf", "Exp", "Gelu", "Greater", "GreaterOrEqual", "HardSigmoid", "HardSwish", "Identity", "IsNaN",
            "LeakyRelu", "Less", "LessOrEqual", "Log", "Max", "Min", "Mul", "Neg", "Not", "Or", "Pow", "QuickGelu",
            "Reciprocal", "Relu", "Sigmoid", "Sign", "Softplus", "Sqrt", "Sub", "Tanh", "Where");

    /** The range of an axis that is needed of a value, or all of it. */
    private record Need(int axis, long start, long end) {

        static final Need ALL = new Need(-1, 0, 0);

        long extent() {
            return end - start;
        }

        Need at(int other) {
            return new Need(other, start, end);
        }

        static Need join(Need a, Need b) {
            return a.equals(b) ? a : ALL;
        }
    }

    private final Graph graph;
    private final Set<String> whole;
    private final Map<String, Need> needs = new HashMap<>();
    private final GraphBuilder builder = new GraphBuilder();
    private final Map<String, Value> narrowed = new HashMap<>();
    private final Map<String, Map<Need, Value>> parts = new HashMap<>();

    private Narrowing(Graph graph, Set<String> whole) {
        this.graph = graph;
        this.whole = whole;
    }

    /**
     * Narrows a graph.
     *
     * @param graph the graph; its batch may be open
     * @param whole names of values that are always computed whole
     * @return a graph of the same outputs whose values keep their names and, but for the range's extent, their shapes
     */
    public static Graph of(Graph graph, Set<String> whole) {
        Narrowing narrowing = new Narrowing(graph, whole);
        narrowing.findNeeds();
        return narrowing.needs.values().stream().allMatch(Need.ALL::equals) ? graph : narrowing.written();
    }

    // What is needed.

    private void findNeeds() {
        graph.outputs().forEach(v -> needs.put(v.name(), Need.ALL));
        for (int i = graph.nodes().size() - 1; i >= 0; i--) {
            Node node = graph.nodes().get(i);
            Optional<Need> needed = node.outputs().stream().map(v -> needs.get(v.name())).filter(Objects::nonNull)
                    .reduce(Need::join);
            if (needed.isEmpty()) {
                continue;
            }
            Need need = node.outputs().stream().anyMatch(v -> whole.contains(v.name())) ? Need.ALL : needed.get();
            List<Need> operands = need.equals(Need.ALL) ? taken(node) : operands(node, need);
            if (operands == null) {
                // The operator is computed whole; whoever needs a range of it takes that.
                need = Need.ALL;
                operands = all(node);
            }
            for (Value output : node.outputs()) {
                needs.put(output.name(), need);
            }
            for (int k = 0; k < node.inputs().size(); k++) {
                if (node.input(k) != null) {
                    needs.merge(node.input(k).name(), operands.get(k), Need::join);
                }
            }
        }
        // What is not computed is there whole.
        graph.inputs().forEach(v -> needs.put(v.name(), Need.ALL));
        graph.initializers().keySet().forEach(name -> needs.put(name, Need.ALL));
    }

    private static List<Need> all(Node node) {
        return node.inputs().stream().map(v -> Need.ALL).toList();
    }

    /** What a node that is computed whole reads: of what it takes a range of, that range. */
    private List<Need> taken(Node node) {
        List<Need> needs = new ArrayList<>(all(node));
        range(node).ifPresent(range -> needs.set(0, range));
        return needs;
    }

    /** The range that a node takes of its first operand, if that is all it does. */
    private Optional<Need> range(Node node) {
        Shape shape = node.inputs().isEmpty() || node.input(0) == null ? Shape.SCALAR : node.input(0).shape();
        if (node.op().equals("Gather") && constant(node, 1) != null) {
            int axis = shape.axis(node.integer("axis", 0));
            long[] indices = constant(node, 1);
            boolean adjacent = IntStream.range(1, indices.length).allMatch(i -> indices[i] == indices[i - 1] + 1)
                    && indices.length > 0 && (indices[0] >= 0 || indices[indices.length - 1] < 0);
            long extent = shape.extent(axis);
            if (!adjacent || extent < 1) {
                return Optional.empty();
            }
            long start = indices[0] < 0 ? indices[0] + extent : indices[0];
            return proper(new Need(axis, start, start + indices.length), extent);
        }
        if (node.op().equals("Slice") && constant(node, 1) != null && constant(node, 2) != null
                && constant(node, 1).length == 1 && (node.input(3) == null || constant(node, 3) != null)
                && (node.input(4) == null || constant(node, 4) != null && constant(node, 4)[0] == 1)) {
            int axis = shape.axis(node.input(3) == null ? 0 : constant(node, 3)[0]);
            long extent = shape.extent(axis);
            return extent < 1 ? Optional.empty() : proper(new Need(axis, clipped(constant(node, 1)[0], extent),
                    clipped(constant(node, 2)[0], extent)), extent);
        }
        return Optional.empty();
    }

    private static long clipped(long position, long extent) {
        return Math.max(0, Math.min(extent, position < 0 ? position + extent : position));
    }

    /** A range of more than half is not worth the copies where others need all. */
    private static Optional<Need> proper(Need range, long extent) {
        return range.extent() > 0 && 2 * range.extent() <= extent ? Optional.of(range) : Optional.empty();
    }

    private long[] constant(Node node, int operand) {
        Tensor tensor = node.input(operand) == null ? null : graph.initializers().get(node.input(operand).name());
        return tensor == null ? null : tensor.integers();
    }

    /** What a node reads of its operands for a range of its result; {@code null} if it has to be computed whole. */
    private List<Need> operands(Node node, Need need) {
        int axis = need.axis();
        Shape result = node.output().shape();
        Shape first = node.input(0).shape();
        if (ELEMENTWISE.contains(node.op())) {
            return broadcast(node, need, 0);
        }
        return switch (node.op()) {
            case "LayerNormalization" -> axis < result.axis(node.integer("axis", -1)) ? firstOnly(node, need) : null;
            case "Softmax", "LogSoftmax" -> axis != result.axis(node.integer("axis", -1)) ? firstOnly(node, need) : null;
            case "ReduceMean", "ReduceSum", "ReduceMax", "ReduceSumSquare" -> {
                long[] axes = node.input(1) != null ? constant(node, 1) : node.integers("axes").orElse(null);
                boolean kept = axes != null && node.integer("keepdims", 1) == 1
                        && Arrays.stream(axes).noneMatch(a -> first.axis(a) == axis);
                yield kept ? firstOnly(node, need) : null;
            }
            case "MatMul" -> matMul(node, need);
            case "Transpose" -> firstOnly(node, need.at(permutation(node)[axis]));
            case "Reshape", "Squeeze", "Unsqueeze", "Flatten" -> {
                int found = kept(first, result, axis);
                yield found < 0 ? null : firstOnly(node, need.at(found));
            }
            case "Concat" -> axis == result.axis(node.integer("axis", 0)) ? null
                    : node.inputs().stream().map(v -> need).toList();
            case "Split" -> axis == first.axis(node.integer("axis", 0)) ? null : firstOnly(node, need);
            case "Gather" -> {
                int gathered = first.axis(node.integer("axis", 0));
                int added = node.input(1).rank() - 1;
                boolean behind = axis > gathered + added;
                yield axis < gathered || behind ? firstOnly(node, need.at(behind ? axis - added : axis)) : null;
            }
            default -> null;
        };
    }

    private static List<Need> firstOnly(Node node, Need need) {
        List<Need> needs = new ArrayList<>(all(node));
        needs.set(0, need);
        return needs;
    }

    private static int[] permutation(Node node) {
        int rank = node.output().rank();
        return node.integers("perm").map(p -> Arrays.stream(p).mapToInt(i -> (int) i).toArray())
                .orElse(IntStream.range(0, rank).map(i -> rank - 1 - i).toArray());
    }

    /** The needs of operands that broadcast to the result, all but so many of their last axes. */
    private static List<Need> broadcast(Node node, Need need, int inner) {
        ToIntFunction<Value> place = v -> need.axis() - (node.output().rank() - v.rank());
        return node.inputs().stream().map(v -> v == null || place.applyAsInt(v) < 0
                || place.applyAsInt(v) >= v.rank() - inner || v.extent(place.applyAsInt(v)) == 1
                ? Need.ALL : need.at(place.applyAsInt(v))).toList();
    }

    /** Rows of a product are rows of its left operand. */
    private static List<Need> matMul(Node node, Need need) {
        int rank = node.output().rank();
        if (need.axis() == rank - 1 || node.input(0).rank() < 2 || node.input(1).rank() < 2) {
            return null;
        }
        return need.axis() == rank - 2 ? firstOnly(node, need.at(node.input(0).rank() - 2)) : broadcast(node, need, 2);
    }

    /** Where an axis of a view's result lies in what is viewed, if it is an axis there too; else −1. */
    private static int kept(Shape from, Shape to, int axis) {
        for (int i = 0; i < from.rank(); i++) {
            if (from.extent(i) == to.extent(axis) && (sameSize(from, 0, i, to, 0, axis)
                    || sameSize(from, i + 1, from.rank(), to, axis + 1, to.rank()))) {
                return i;
            }
        }
        return -1;
    }

    /**
     * Whether some axes hold as many elements as some others. Open extents may be the batch or a multiple of it: with
     * one among the axes it is not known.
     */
    private static boolean sameSize(Shape from, int i, int j, Shape to, int k, int l) {
        Shape some = Shape.of(Arrays.copyOfRange(from.extents(), i, j));
        Shape others = Shape.of(Arrays.copyOfRange(to.extents(), k, l));
        return some.isStatic() && others.isStatic() && some.size() == others.size();
    }

    // The narrower graph.

    private Graph written() {
        builder.reserve(graph);
        graph.inputs().forEach(v -> narrowed.put(v.name(), builder.input(v.name(), v.type(), v.shape().extents())));
        graph.initializers().forEach((name, tensor) -> narrowed.put(name, builder.initializer(name, tensor)));
        graph.nodes().stream().filter(node -> needs.containsKey(node.output().name())).forEach(this::write);
        graph.outputs().forEach(v -> builder.output(narrowed.get(v.name())));
        return builder.build();
    }

    private void write(Node node) {
        Need need = needs.get(node.output().name());
        Optional<Need> range = need.equals(Need.ALL) ? range(node) : Optional.empty();
        if (range.isPresent() && range.get().equals(needs.get(node.input(0).name()))) {
            // What is to be taken is all there is.
            add(node, "Reshape", Map.of(), List.of(narrowed.get(node.input(0).name()), extents(node.output().shape())));
            return;
        }
        List<Need> wanted = need.equals(Need.ALL) ? all(node) : operands(node, need);
        List<Value> operands = new ArrayList<>();
        for (int k = 0; k < node.inputs().size(); k++) {
            operands.add(node.input(k) == null ? null : part(node.input(k), wanted.get(k)));
        }
        boolean view = Set.of("Reshape", "Squeeze", "Unsqueeze", "Flatten").contains(node.op());
        if (view && !need.equals(Need.ALL)) {
            add(node, "Reshape", Map.of(), List.of(operands.get(0),
                    extents(node.output().shape().with(need.axis(), need.extent()))));
        } else {
            add(node, node.op(), node.attributes(), operands);
        }
    }

    private Value extents(Shape shape) {
        return builder.integers(shape.extents());
    }

    private void add(Node node, String op, Map<String, Object> attributes, List<Value> operands) {
        List<String> names = node.outputs().stream().map(Value::name).toList();
        String domain = op.equals(node.op()) ? node.domain() : "";
        List<Value> results = builder.addNamed(domain, op, node.name(), attributes, names, operands);
        for (int i = 0; i < names.size(); i++) {
            narrowed.put(names.get(i), results.get(i));
        }
    }

    /** A value as a node reads it: as it is, or a range of it where others need all. */
    private Value part(Value value, Need wanted) {
        Need there = needs.get(value.name());
        Value found = narrowed.get(value.name());
        return wanted.equals(Need.ALL) || wanted.equals(there) ? found
                : parts.computeIfAbsent(value.name(), n -> new HashMap<>()).computeIfAbsent(wanted, w ->
                        builder.slice(found, w.axis(), w.start(), w.end()));
    }
}

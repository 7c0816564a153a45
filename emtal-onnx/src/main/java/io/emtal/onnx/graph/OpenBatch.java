package io.emtal.onnx.graph;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;

import java.lang.reflect.Array;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * Opens the batch of a graph that was read for one row: every operator is written for many rows, each of which it does
 * what it does to the one. It does not matter whether the model has an open batch and computes shapes, or a batch of 1
 * and its shapes as constants.
 *
 * <p>The result has the rows outermost in every value, wherever the model has them: tokens [N, batch, D] become [batch,
 * N, D], and where the model merges rows with another axis, as [batch·N, D] or [batch·heads, N, d], they stay apart as
 * [batch, N, D] and [batch, heads, N, d]. A value that does not depend on the inputs stays as it is for one row and
 * broadcasts; where it is joined with others it is spread by adding a zero of every row.
 */
final class OpenBatch {

    /** Operators whose operands broadcast and whose results are made element by element. */
    private static final Set<String> ELEMENTWISE = Set.of("Abs", "Add", "And", "Cast", "Ceil", "Clip", "Cos", "Div",
            "Elu", "Equal", "Erf", "Exp", "FastGelu", "Floor", "Gelu", "Greater", "GreaterOrEqual", "HardSigmoid",
            "HardSwish", "Identity", "IsNaN", "LeakyRelu", "Less", "LessOrEqual", "Log", "Max", "Min", "Mul", "Neg",
            "Not", "Or", "Pow", "QuickGelu", "Reciprocal", "Relu", "Round", "Sigmoid", "Sign", "Sin", "Softplus",
            "Sqrt", "Sub", "Tanh", "Where");

    private static final int NOWHERE = -1;

    /**
     * Where the rows of a value lie in the model.
     *
     * @param place the axis; {@link #NOWHERE} if it was removed
     * @param merged whether the axis holds other entries too, so that one row has the axis whole; else its extent is 1
     * @param outer how many of those entries have the rows within them: 4 for [4·batch, D], 1 for [batch·4, D]
     */
    private record Rows(int place, boolean merged, long outer) {

        static final Rows FIRST = alone(0);

        static Rows alone(int place) {
            return new Rows(place, false, 1);
        }

        /** Where an axis of the model's value for one row lies in the opened value. */
        int opened(int axis) {
            return merged || axis < place ? axis + 1 : axis == place ? 0 : axis;
        }

        /** The extents of one row in the opened value. */
        long[] ofOne(Shape shape) {
            return IntStream.range(0, shape.rank()).filter(i -> merged || i != place).mapToLong(shape::extent)
                    .toArray();
        }

        /** The shape of the opened value. */
        Shape opened(Shape shape) {
            return Shape.of(LongStream.concat(LongStream.of(Shape.BATCH), Arrays.stream(ofOne(shape))).toArray());
        }

        Rows at(int newPlace) {
            return new Rows(newPlace, merged, outer);
        }
    }

    private final Graph graph;
    /** The shapes that the values have for three rows; none if the model's batch is fixed. */
    private final Map<String, Shape> three;
    /** Whether to check those shapes, to which end constants that the model repeats for every row have rows too. */
    private final boolean strict;
    private final GraphBuilder builder = new GraphBuilder();
    private final Map<String, Value> opened = new HashMap<>();
    /** The values that depend on the inputs. */
    private final Map<String, Rows> rows = new HashMap<>();

    private OpenBatch(Graph graph, Map<String, Shape> three, boolean strict) {
        this.graph = graph;
        this.three = three;
        this.strict = strict;
    }

    /**
     * Opens a graph of a model whose batch is fixed.
     *
     * @param graph a graph whose inputs have an extent of 1 at axis 0
     * @return the graph for any number of rows; values and nodes keep their names
     * @throws EmtalException naming the node whose rows cannot be followed
     */
    static Graph of(Graph graph) {
        return new OpenBatch(graph, Map.of(), false).open();
    }

    /**
     * Opens a graph of a model whose batch is open. What the model does for three rows shows where the rows lie; it
     * must be what it does for one. Constants that were computed from the number of rows may be shapes, and tensors
     * that repeat themselves for every row.
     *
     * @param one the graph, read for one row
     * @param three the graph, read for three rows
     * @return the graph for any number of rows; values and nodes keep their names
     * @throws EmtalException naming the node that mixes rows or computes with their number
     */
    static Graph of(Graph one, Graph three) {
        Map<String, Shape> shapes = shapes(one, three);
        new OpenBatch(one, shapes, true).open();
        return new OpenBatch(one, shapes, false).open();
    }

    /** The shapes of a graph's values in the same graph for three rows, but for constants that are shapes. */
    private static Map<String, Shape> shapes(Graph one, Graph three) {
        EmtalException.check(one.nodes().size() == three.nodes().size(), "model: found %d nodes for one row and %d for"
                + " three, allowed are as many", one.nodes().size(), three.nodes().size());
        Map<String, Shape> shapes = new HashMap<>();
        three.inputs().forEach(input -> shapes.put(input.name(), input.shape()));
        for (int i = 0; i < one.nodes().size(); i++) {
            Node a = one.nodes().get(i);
            Node b = three.nodes().get(i);
            String where = "node " + Quoted.of(a.name()) + " (" + a.qualifiedOp() + ")";
            EmtalException.check(a.op().equals(b.op()) && a.inputs().size() == b.inputs().size()
                    && a.outputs().size() == b.outputs().size(),
                    "%s: found %s for three rows, allowed is the same operator", where, b.qualifiedOp());
            for (int j = 0; j < a.inputs().size(); j++) {
                Tensor x = a.input(j) == null ? null : one.initializers().get(a.input(j).name());
                Tensor y = b.input(j) == null ? null : three.initializers().get(b.input(j).name());
                if (isExtents(a.op(), j) || x == y) {
                    continue;
                }
                EmtalException.check(x != null && y != null && repeats(x, y), "%s: operand %d is another constant for"
                        + " three rows than for one, allowed are shapes", where, j);
                shapes.put(a.input(j).name(), y.shape());
            }
            for (int j = 0; j < a.outputs().size(); j++) {
                shapes.put(a.outputs().get(j).name(), b.outputs().get(j).shape());
            }
        }
        return shapes;
    }

    /** Whether an operand says no more than how much there is of the result. */
    private static boolean isExtents(String op, int operand) {
        return operand == 1 && Set.of("Reshape", "Expand").contains(op) || operand == 2 && op.equals("Slice");
    }

    /** Whether a tensor is another one, or the other one repeated along an axis of extent 1. */
    private static boolean repeats(Tensor one, Tensor several) {
        if (one.equals(several)) {
            return true;
        }
        Shape a = one.shape();
        Shape b = several.shape();
        if (one.type() != several.type() || a.rank() != b.rank()) {
            return false;
        }
        int[] longer = IntStream.range(0, a.rank()).filter(k -> a.extent(k) != b.extent(k)).toArray();
        if (longer.length != 1 || a.extent(longer[0]) != 1) {
            return false;
        }
        int inner = (int) LongStream.range(longer[0], a.rank()).map(k -> a.extent((int) k)).reduce(1, (x, y) -> x * y);
        int times = (int) b.extent(longer[0]);
        return IntStream.range(0, b.size()).allMatch(i -> Array.get(several.elements(), i)
                .equals(Array.get(one.elements(), i / inner / times * inner + i % inner)));
    }

    private Graph open() {
        builder.reserve(graph);
        for (Value input : graph.inputs()) {
            EmtalException.check(input.rank() > 0 && input.extent(0) == 1, "input %s: found shape %s, allowed is an"
                    + " open batch, or one of 1, at axis 0", Quoted.of(input.name()), input.shape());
            Shape shape = input.shape().with(0, Shape.BATCH);
            opened.put(input.name(), builder.input(input.name(), input.type(), shape.extents()));
            rows.put(input.name(), Rows.FIRST);
            EmtalException.check(!strict || three.get(input.name()).equals(input.shape().with(0, 3)), "input %s: found"
                    + " shape %s for three rows, allowed are inputs that all have an open batch at axis 0",
                    Quoted.of(input.name()), three.get(input.name()));
        }
        if (strict) {
            graph.initializers().forEach((name, tensor) -> spread(new Value(name, tensor.type(), tensor.shape())));
        }
        for (Node node : graph.nodes()) {
            try {
                new Opening(node).write();
            } catch (EmtalException e) {
                throw new EmtalException("node " + Quoted.of(node.name()) + " (" + node.qualifiedOp()
                        + "): cannot be written for many rows: " + e.getMessage(), e);
            }
        }
        for (Value output : graph.outputs()) {
            Value here = here(output);
            if (here.name().equals(output.name())) {
                builder.output(here);
            } else {
                builder.output(output.name(), here);
            }
        }
        return builder.build();
    }

    /** Lets a constant have rows if the model repeats it for every row: as an input, for nothing computes it here. */
    private boolean spread(Value constant) {
        Shape shape = constant.shape();
        Shape several = three.getOrDefault(constant.name(), shape);
        int[] places = IntStream.range(0, shape.rank()).filter(i -> several.extent(i) != shape.extent(i)).toArray();
        if (places.length != 1 || shape.extent(places[0]) != 1) {
            return false;
        }
        Rows to = Rows.alone(places[0]);
        rows.put(constant.name(), to);
        opened.put(constant.name(), builder.input(constant.name(), constant.type(), to.opened(shape).extents()));
        return true;
    }

    private Value here(Value value) {
        return value == null ? null : opened.computeIfAbsent(value.name(),
                name -> builder.initializer(name, graph.initializers().get(name)));
    }

    /** {@code null} for a value that is the same for all rows, and for an operand that is left out. */
    private Rows rows(Value value) {
        return value == null ? null : rows.get(value.name());
    }

    /** Writes one node. Shapes and axes are the model's for one row, unless they are called opened. */
    private final class Opening {

        private final Node node;
        private final Value x;
        private final Value y;
        private final Rows in;
        private final Shape result;
        private final List<Value> operands = new ArrayList<>();
        private final Map<String, Object> attributes;
        private String domain;
        private String op;

        private Opening(Node node) {
            this.node = node;
            this.x = node.input(0);
            this.y = node.input(1);
            this.in = rows(x);
            this.result = node.output().shape();
            this.attributes = new HashMap<>(node.attributes());
            this.domain = node.domain();
            this.op = node.op();
        }

        private void write() {
            boolean any = node.inputs().stream().anyMatch(v -> rows(v) != null);
            if (strict && !any && node.op().equals("Expand") && spread(node.output())) {
                return;
            }
            node.inputs().forEach(v -> operands.add(here(v)));
            Rows to = any ? rule() : null;
            boolean same = op.equals("Reshape") && any
                    && operands.get(0).shape().equals(to.opened(result));
            List<String> names = node.outputs().stream().map(Value::name).toList();
            List<Value> results = same ? List.of(operands.get(0))
                    : builder.addNamed(domain, op, node.name(), attributes, names, operands);
            for (int i = 0; i < results.size(); i++) {
                opened.put(node.outputs().get(i).name(), results.get(i));
                if (any) {
                    rows.put(node.outputs().get(i).name(), to);
                    Shape wanted = to.opened(node.outputs().get(i).shape());
                    EmtalException.check(results.get(i).shape().equals(wanted), "it gives %s, expected is %s",
                            results.get(i).shape(), wanted);
                }
                if (strict) {
                    checkThree(node.outputs().get(i), to);
                }
            }
        }

        /** What the model gives for three rows must be what it gives for one, three times along the rows' axis. */
        private void checkThree(Value output, Rows to) {
            Shape one = output.shape();
            boolean same = to == null || to.place() == NOWHERE;
            Shape allowed = same ? one : one.with(to.place(), 3 * one.extent(to.place()));
            EmtalException.check(three.get(output.name()).equals(allowed), "it gives %s for one row and %s for three,"
                    + " allowed is %s", one, three.get(output.name()), allowed);
        }

        private Rows rule() {
            return switch (node.op()) {
                case "MatMul" -> matMul(false, false);
                case "FusedMatMul" -> matMul(node.integer("transA", 0) == 1, node.integer("transB", 0) == 1);
                case "Gemm" -> gemm();
                case "Softmax", "LogSoftmax", "LayerNormalization" -> along(-1);
                case "Split" -> along(0);
                case "ReduceSum", "ReduceMean", "ReduceMax", "ReduceSumSquare" -> reduce();
                case "Transpose" -> transpose();
                case "Reshape", "Flatten" -> reshape();
                case "Squeeze" -> squeeze();
                case "Unsqueeze" -> unsqueeze();
                case "Expand" -> expand();
                case "Concat" -> concat();
                case "Gather" -> gather();
                case "Slice" -> slice();
                case "Pad" -> pad();
                case "Conv", "MaxPool", "AveragePool", "BatchNormalization", "InstanceNormalization" -> image();
                default -> {
                    EmtalException.check(ELEMENTWISE.contains(node.op()), "this operator mixes rows, or it is not known"
                            + " that it does not");
                    yield elementwise();
                }
            };
        }

        /** An axis that an operator works along, which must not be that of the rows. */
        private int apart(long given) {
            int axis = x.shape().axis(given);
            EmtalException.check(in != null && axis != in.place(), "it works along axis %d of %s, where the rows lie",
                    axis, x.shape());
            return axis;
        }

        private Rows along(long otherwise) {
            boolean normalises = node.op().equals("LayerNormalization");
            int axis = apart(node.integer("axis", otherwise));
            EmtalException.check(!normalises || in.place() < axis, "it normalises the rows along axis %d", in.place());
            checkAlone(1);
            attributes.put("axis", (long) in.opened(axis));
            return in;
        }

        private void checkAlone(int from) {
            node.inputs().stream().skip(from).forEach(v -> EmtalException.check(rows(v) == null, "operand %s has rows,"
                    + " allowed is a constant", v == null ? "" : Quoted.of(v.name())));
        }

        /** The rows that operands have in common, counted in a result of some rank. */
        private Rows common(int rank, List<Value> values) {
            Rows to = null;
            for (Value value : values) {
                Rows own = rows(value);
                if (own != null) {
                    Rows aligned = own.place() == NOWHERE ? own : own.at(own.place() + rank - value.rank());
                    EmtalException.check(to == null || to.equals(aligned), "the rows of its operands lie differently");
                    to = aligned;
                }
            }
            return to;
        }

        /** An operand that broadcasts to a result of some rank, with its rows outermost. */
        private Value aligned(Value operand, int rank, Rows to) {
            if (operand == null) {
                return null;
            }
            int missing = rank - operand.rank();
            if (rows(operand) != null) {
                return missing == 0 ? here(operand)
                        : builder.unsqueeze(here(operand), LongStream.rangeClosed(1, missing).toArray());
            }
            int own = to.place() - missing;
            if (to.merged() || own < 0) {
                return here(operand);
            }
            EmtalException.check(operand.extent(own) == 1, "operand %s of shape %s has several entries for the rows"
                    + " along axis %d", Quoted.of(operand.name()), operand.shape(), own);
            return own == 0 && to.place() == 0 ? here(operand) : builder.squeeze(here(operand), own);
        }

        private void align(int rank, Rows to) {
            operands.replaceAll(v -> null);
            for (int i = 0; i < operands.size(); i++) {
                operands.set(i, aligned(node.input(i), rank, to));
            }
        }

        private Rows elementwise() {
            Rows to = common(result.rank(), node.inputs());
            EmtalException.check(to.merged() || result.extent(to.place()) == 1, "it repeats the rows along axis %d",
                    to.place());
            align(result.rank(), to);
            return to;
        }

        private Rows matMul(boolean transA, boolean transB) {
            Rows to = common(result.rank(), List.of(x, y));
            int fromEnd = to.place() - result.rank();
            boolean outer = to.merged() || fromEnd < -2;
            boolean perRow = fromEnd == -2 && !transA && rows(y) == null && y.rank() == 2;
            EmtalException.check(outer || perRow, "it multiplies matrices of which the rows are a part");
            if (outer) {
                align(result.rank(), to);
            }
            return to;
        }

        private Rows gemm() {
            EmtalException.check(in != null && rows(y) == null && rows(node.input(2)) == null
                    && node.integer("transA", 0) == 0, "allowed is a product of rows with a constant matrix");
            if (!in.merged()) {
                EmtalException.check(in.place() == 0, "it sums over the rows along axis %d", in.place());
                return in;
            }
            EmtalException.check(node.real("alpha", 1) == 1 && node.real("beta", 1) == 1, "found factors %s and %s,"
                    + " allowed are 1", node.real("alpha", 1), node.real("beta", 1));
            Value weight = node.integer("transB", 0) == 1 ? builder.transpose(here(y), 1, 0) : here(y);
            operands.clear();
            attributes.clear();
            if (node.input(2) == null) {
                op = "MatMul";
                operands.addAll(List.of(here(x), weight));
            } else {
                op = "Add";
                operands.addAll(List.of(builder.matMul(here(x), weight), here(node.input(2))));
            }
            return in;
        }

        private Rows reduce() {
            long[] axes = y != null ? constant(1) : node.integers("axes").orElse(new long[0]);
            EmtalException.check(axes.length > 0, "it reduces all axes of %s, where the rows lie", x.shape());
            int[] reduced = Arrays.stream(axes).mapToInt(this::apart).toArray();
            List<Long> there = Arrays.stream(reduced).mapToObj(a -> (long) in.opened(a)).toList();
            if (y != null) {
                operands.set(1, integers(there));
            } else {
                attributes.put("axes", there);
            }
            return node.integer("keepdims", 1) == 1 ? in : without(reduced);
        }

        private Rows without(int[] axes) {
            return in.at(in.place() - (int) Arrays.stream(axes).filter(a -> a < in.place()).count());
        }

        private Value integers(List<Long> values) {
            return builder.integers(values.stream().mapToLong(Long::longValue).toArray());
        }

        private Rows transpose() {
            long[] from = node.integers("perm").orElseGet(() -> LongStream.range(0, x.rank()).map(i -> x.rank() - 1 - i)
                    .toArray());
            Rows to = in.at(IntStream.range(0, from.length).filter(i -> from[i] == in.place()).findFirst()
                    .orElse(NOWHERE));
            List<Long> permutation = new ArrayList<>(List.of(0L));
            for (int i = 0; i < from.length; i++) {
                if (in.merged() || i != to.place()) {
                    permutation.add((long) in.opened((int) from[i]));
                }
            }
            if (permutation.equals(LongStream.range(0, permutation.size()).boxed().toList())) {
                return view(to);
            }
            attributes.put("perm", permutation);
            return to;
        }

        /** Writes the node as a change of one row's shape, or as nothing where that stays. */
        private Rows view(Rows to) {
            long[] target = to.opened(result).extents();
            target[0] = 0;
            domain = "";
            op = "Reshape";
            attributes.clear();
            operands.clear();
            operands.addAll(List.of(here(x), builder.integers(target)));
            return to;
        }

        /**
         * Elements keep their order, so in the model the rows lie where as many elements of one go before as did. One
         * row does not always show which axis that is.
         */
        private Rows reshape() {
            if (in.place() == NOWHERE) {
                return view(in);
            }
            long before = product(x.shape(), in.place()) * in.outer();
            if (three.containsKey(node.output().name())) {
                return view(threefold(three.get(node.output().name()), before));
            }
            int[] places = IntStream.range(0, result.rank()).filter(i -> product(result, i) == before).toArray();
            int[] free = Arrays.stream(places).filter(i -> result.extent(i) == 1).toArray();
            if (free.length > 0) {
                boolean stays = Arrays.stream(free).anyMatch(i -> i == in.place());
                return view(Rows.alone(stays ? in.place() : free[0]));
            }
            return view(new Rows(places.length > 0 ? places[0] : NOWHERE, true, 1));
        }

        /** The rows at the axis that is longer for three of them, so many elements of one before them. */
        private Rows threefold(Shape several, long before) {
            int[] longer = IntStream.range(0, result.rank()).filter(i -> several.extent(i) != result.extent(i))
                    .toArray();
            long outer = longer.length == 1 ? before / Math.max(1, product(result, longer[0])) : 0;
            EmtalException.check(outer > 0 && outer * product(result, longer[0]) == before
                    && result.extent(longer[0]) % outer == 0, "it gives %s for one row and %s for three, which moves"
                    + " entries from one row to another", result, several);
            return new Rows(longer[0], result.extent(longer[0]) != 1, outer);
        }

        private static long product(Shape shape, int axes) {
            return Arrays.stream(shape.extents()).limit(axes).reduce(1, (a, b) -> a * b);
        }

        private Rows squeeze() {
            int[] axes = y != null ? Arrays.stream(constant(1)).mapToInt(x.shape()::axis).toArray()
                    : IntStream.range(0, x.rank()).filter(i -> x.extent(i) == 1).toArray();
            boolean gone = Arrays.stream(axes).anyMatch(a -> a == in.place());
            return view(gone ? new Rows(NOWHERE, true, 1) : without(axes));
        }

        private Rows unsqueeze() {
            boolean[] added = new boolean[result.rank()];
            Arrays.stream(constant(1)).forEach(a -> added[result.axis(a)] = true);
            int to = in.place();
            for (int i = 0; i <= to; i++) {
                to += added[i] ? 1 : 0;
            }
            return view(in.at(to));
        }

        private Rows expand() {
            Rows to = common(result.rank(), List.of(x));
            EmtalException.check(to.merged() || result.extent(to.place()) == 1, "it repeats the rows along axis %d",
                    to.place());
            long[] target = to.opened(result).extents();
            target[0] = 1;
            operands.clear();
            operands.addAll(List.of(aligned(x, result.rank(), to), builder.integers(target)));
            return to;
        }

        private Rows concat() {
            int along = result.axis(node.integer("axis", 0));
            Rows to = common(result.rank(), node.inputs());
            EmtalException.check(to.place() != along, "it joins rows along axis %d", along);
            Value first = node.inputs().stream().filter(v -> rows(v) != null).findFirst().orElseThrow();
            attributes.put("axis", (long) to.opened(along));
            for (int i = 0; i < operands.size(); i++) {
                if (rows(node.input(i)) == null) {
                    operands.set(i, builder.add(aligned(node.input(i), result.rank(), to),
                            zero(builder.slice(here(first), to.opened(along), 0, 1))));
                }
            }
            return to;
        }

        /** Zeros in the shape of a value, whatever it holds: 0 times infinity is no number. */
        private Value zero(Value value) {
            boolean real = value.type() == ElementType.FLOAT || value.type() == ElementType.DOUBLE;
            return builder.mul(real ? builder.cast(builder.isNaN(value), value.type()) : value, 0);
        }

        private Rows gather() {
            int along = x.shape().axis(node.integer("axis", 0));
            Rows indices = rows(y);
            EmtalException.check(in == null || indices == null, "its data and its indices both have rows");
            if (in == null) {
                EmtalException.check(along == 0, "found indices with rows for axis %d, allowed is axis 0", along);
                return indices;
            }
            apart(along);
            attributes.put("axis", (long) in.opened(along));
            return in.place() < along ? in : in.at(in.place() + y.rank() - 1);
        }

        private Rows slice() {
            checkAlone(1);
            long[] starts = constant(1);
            long[] ends = constant(2);
            long[] axes = node.input(3) == null ? LongStream.range(0, starts.length).toArray() : constant(3);
            long[] steps = node.input(4) == null ? Arrays.stream(starts).map(s -> 1).toArray() : constant(4);
            int[] others = IntStream.range(0, axes.length).filter(i -> x.shape().axis(axes[i]) != in.place()).toArray();
            for (int i = 0; i < axes.length; i++) {
                boolean whole = starts[i] == 0 && ends[i] >= x.extent((int) axes[i]) && steps[i] == 1;
                EmtalException.check(x.shape().axis(axes[i]) != in.place() || whole, "it takes a part of the rows along"
                        + " axis %d of %s", in.place(), x.shape());
            }
            long[] there = Arrays.stream(others).mapToLong(i -> in.opened(x.shape().axis(axes[i]))).toArray();
            operands.clear();
            operands.addAll(List.of(here(x), picked(starts, others), picked(ends, others), builder.integers(there),
                    picked(steps, others)));
            return in;
        }

        private Value picked(long[] values, int[] positions) {
            return builder.integers(Arrays.stream(positions).mapToLong(i -> values[i]).toArray());
        }

        private Rows pad() {
            long[] pads = constant(1);
            int rank = here(x).rank();
            long[] there = new long[2 * rank];
            for (int i = 0; i < x.rank(); i++) {
                boolean none = pads[i] == 0 && pads[i + x.rank()] == 0;
                EmtalException.check(i != in.place() || none, "it pads the rows along axis %d", i);
                there[in.opened(i)] = pads[i];
                there[in.opened(i) + rank] = pads[i + x.rank()];
            }
            operands.set(1, builder.integers(there));
            return in;
        }

        private Rows image() {
            checkAlone(1);
            EmtalException.check(Rows.FIRST.equals(in), "the rows of its image %s do not lie along axis 0", x.shape());
            return in;
        }

        private long[] constant(int operand) {
            Tensor tensor = graph.initializers().get(node.input(operand).name());
            EmtalException.check(tensor != null, "operand %d is computed, allowed is a constant", operand);
            return tensor.integers();
        }
    }
}

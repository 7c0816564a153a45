package io.emtal.onnx.graph;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.LongStream;

/**
 * Builds a graph operator by operator. Every operator's type and shape is inferred and checked at once, so that a
 * mistake shows where it is made. Methods, losses and backward rules all write their part with this one builder.
 *
 * <p>Operators are those of ONNX opset {@value OnnxFile#OPSET} and, where said, of ONNX Runtime.
 */
public final class GraphBuilder {

    private final List<Value> inputs = new ArrayList<>();
    private final List<Value> outputs = new ArrayList<>();
    private final Map<String, Tensor> initializers = new LinkedHashMap<>();
    private final Map<Tensor, Value> constants = new HashMap<>();
    private final List<Node> nodes = new ArrayList<>();
    private final Set<String> names = new HashSet<>();
    private final Set<String> reserved = new HashSet<>();
    private final Set<String> nodeNames = new HashSet<>();
    private final Set<String> reservedNodes = new HashSet<>();
    private final Map<String, Integer> counters = new HashMap<>();

    /** Starts an empty graph. */
    public GraphBuilder() {
    }

    /**
     * Declares an input of the graph.
     *
     * @param name its name
     * @param type its element type
     * @param extents its shape; {@link Shape#BATCH} for an open batch
     * @return the value
     */
    public Value input(String name, ElementType type, long... extents) {
        Value value = declare(name, type, Shape.of(extents));
        inputs.add(value);
        return value;
    }

    /**
     * Declares a named constant.
     *
     * @param name its name
     * @param tensor its elements
     * @return the value
     */
    public Value initializer(String name, Tensor tensor) {
        Value value = declare(name, tensor.type(), tensor.shape());
        initializers.put(name, tensor);
        return value;
    }

    /**
     * A constant without a name of its own; equal constants are kept once.
     *
     * @param tensor its elements
     * @return the value
     */
    public Value constant(Tensor tensor) {
        return constants.computeIfAbsent(tensor, t -> initializer(fresh("const"), t));
    }

    /**
     * A scalar constant.
     *
     * @param value its value
     * @return a value of shape []
     */
    public Value constant(double value) {
        return constant(Tensor.scalar((float) value));
    }

    /**
     * A scalar constant of the type of another value.
     *
     * @param value its value
     * @param like a floating-point value
     * @return a value of shape []
     */
    public Value constant(double value, Value like) {
        return constant(Tensor.filled(like.type(), Shape.SCALAR, value));
    }

    /**
     * A constant vector of numbers, in single precision.
     *
     * @param values its elements
     * @return a value of shape [n]
     */
    public Value vector(double... values) {
        float[] elements = new float[values.length];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = (float) values[i];
        }
        return constant(Tensor.of(elements, elements.length));
    }

    /**
     * A constant vector of integers, such as axes or a shape.
     *
     * @param values its elements
     * @return a value of shape [n]
     */
    public Value integers(long... values) {
        return constant(Tensor.of(values, values.length));
    }

    /**
     * The elements of a value that is an initialiser of this graph.
     *
     * @param value any value of this graph
     * @return its tensor, or {@code null} if it is computed or fed
     */
    public Tensor tensorOf(Value value) {
        return initializers.get(value.name());
    }

    /**
     * The nodes so far, in the order in which they were added, which is topological.
     *
     * @return a copy
     */
    public List<Node> nodes() {
        return List.copyOf(nodes);
    }

    /**
     * Adds any supported operator with several outputs.
     *
     * @param domain empty, or {@link Node#CONTRIB}
     * @param op the operator
     * @param attributes its attributes
     * @param outputCount how many outputs are wanted
     * @param operands its inputs; {@code null} for one that is left out
     * @return the outputs
     */
    public List<Value> add(String domain, String op, Map<String, Object> attributes, int outputCount, Value... operands) {
        List<String> fresh = new ArrayList<>();
        for (int i = 0; i < outputCount; i++) {
            fresh.add(fresh(op));
        }
        return addNamed(domain, op, fresh.get(0), attributes, fresh, Arrays.asList(operands));
    }

    /**
     * Adds any supported operator with one output.
     *
     * @param op the operator, of the standard domain
     * @param attributes its attributes
     * @param operands its inputs; {@code null} for one that is left out
     * @return the output
     */
    public Value apply(String op, Map<String, Object> attributes, Value... operands) {
        return add("", op, attributes, 1, operands).get(0);
    }

    /** Keeps names of values and of nodes that are still to come from being generated. */
    void reserve(Collection<String> upcomingValues, Collection<String> upcomingNodes) {
        reserved.addAll(upcomingValues);
        reservedNodes.addAll(upcomingNodes);
    }

    /**
     * Keeps the names of a graph that is still to be copied from being generated. {@link #inline} does so for what is
     * written during the copy.
     *
     * @param graph the graph that will be copied
     */
    public void reserve(Graph graph) {
        reserve(graph.initializers().keySet(), List.of());
        graph.nodes().forEach(node ->
                reserve(node.outputs().stream().map(Value::name).toList(), List.of(node.name())));
    }

    /** {@return a name for a node without one: that of its first output, unless another node is called so} */
    String nodeName(String op, String firstOutput) {
        return nodeNames.contains(firstOutput) || reservedNodes.contains(firstOutput) ? fresh(op) : firstOutput;
    }

    /** Adds an operator under names of its own. */
    List<Value> addNamed(String domain, String op, String nodeName, Map<String, Object> attributes,
                         List<String> outputNames, List<Value> operands) {
        String qualifiedOp = domain.isEmpty() ? op : domain + "." + op;
        String where = "node " + Quoted.of(nodeName) + " (" + qualifiedOp + ")";
        OperatorTable.Signature signature = OperatorTable.find(qualifiedOp, domain.isEmpty() ? OnnxFile.OPSET : 1)
                .orElseThrow(() -> new EmtalException(where + ": not supported; allowed are "
                        + OperatorTable.operators()));
        signature.checkCounts(where, operands.stream().map(Objects::nonNull).toList(), outputNames.size());
        Map<String, OperatorTable.AttributeKind> kinds = new HashMap<>();
        attributes.forEach((name, value) -> kinds.put(name, OperatorTable.AttributeKind.of(value)));
        signature.checkAttributes(where, kinds);
        signature.checkTypes(where, operands.stream().map(v -> v == null ? null : v.type()).toList());
        ShapeRules.Call call = new ShapeRules.Call(where, op, operands, attributes, outputNames.size(), this::tensorOf);
        List<ShapeRules.Typed> types = ShapeRules.infer(call);
        List<Value> results = new ArrayList<>();
        for (int i = 0; i < outputNames.size(); i++) {
            results.add(declare(outputNames.get(i), types.get(i).type(), types.get(i).shape()));
        }
        EmtalException.check(nodeNames.add(nodeName), "%s: found another node of that name, allowed is one in a graph",
                where);
        nodes.add(new Node(domain, op, nodeName, operands, results, attributes));
        return results;
    }

    /**
     * Copies another graph into this one, value by value under their own names.
     *
     * @param graph the graph to copy
     * @param bindings what its inputs, and any initialisers to be replaced, are here, by name; the initialisers that
     *     are not bound are copied
     * @param replacement called for every node with a look-up from the other graph's values to this one's; gives the
     *     value that takes the place of the node's only output, or {@code null} to copy the node. A replaced node's
     *     inputs that nothing else uses disappear when the graph is built
     * @return a look-up from the other graph's values to this one's
     */
    public Function<Value, Value> inline(Graph graph, Map<String, Value> bindings, Replacement replacement) {
        // What a replacement writes must not take the name of a value or node that is still to be copied.
        reserve(graph);
        Map<String, Value> mapped = new HashMap<>(bindings);
        Function<Value, Value> lookUp = v -> {
            if (v == null) {
                return null;
            }
            Tensor tensor = graph.initializers().get(v.name());
            return tensor != null ? mapped.computeIfAbsent(v.name(), n -> initializer(n, tensor)) : mapped.get(v.name());
        };
        for (Node node : graph.nodes()) {
            Value replaced = replacement.replace(node, lookUp);
            if (replaced != null) {
                mapped.put(node.output().name(), replaced);
                continue;
            }
            List<Value> operands = new ArrayList<>();
            node.inputs().forEach(v -> operands.add(lookUp.apply(v)));
            List<Value> results = addNamed(node.domain(), node.op(), node.name(), node.attributes(),
                    node.outputs().stream().map(Value::name).toList(), operands);
            for (int i = 0; i < results.size(); i++) {
                mapped.put(node.outputs().get(i).name(), results.get(i));
            }
        }
        return lookUp;
    }

    /** Decides what becomes of a node while its graph is copied. */
    @FunctionalInterface
    public interface Replacement {

        /** Copies every node. */
        Replacement NONE = (node, lookUp) -> null;

        /**
         * Replaces one node, or leaves it.
         *
         * @param node a node of the graph that is copied
         * @param lookUp from that graph's values to the new graph's
         * @return the value to take the place of the node's output, or {@code null} to copy the node
         */
        Value replace(Node node, Function<Value, Value> lookUp);
    }

    /**
     * Makes a value an output of the graph under its own name.
     *
     * @param value the value
     */
    public void output(Value value) {
        outputs.add(value);
    }

    /**
     * Makes a value an output of the graph under a given name.
     *
     * @param name the output's name
     * @param value the value
     * @return the output
     */
    public Value output(String name, Value value) {
        Value output = addNamed("", "Identity", nodeName("Identity", name), Map.of(), List.of(name), List.of(value))
                .get(0);
        outputs.add(output);
        return output;
    }

    /**
     * Finishes the graph. Nodes and initialisers that no output needs are left out; inputs stay.
     *
     * @return the graph
     */
    public Graph build() {
        Set<String> needed = new HashSet<>();
        outputs.forEach(v -> needed.add(v.name()));
        List<Node> kept = new ArrayList<>();
        for (int i = nodes.size() - 1; i >= 0; i--) {
            Node node = nodes.get(i);
            if (node.outputs().stream().anyMatch(v -> needed.contains(v.name()))) {
                kept.add(node);
                node.inputs().stream().filter(v -> v != null).forEach(v -> needed.add(v.name()));
            }
        }
        Collections.reverse(kept);
        Map<String, Tensor> used = new LinkedHashMap<>(initializers);
        used.keySet().retainAll(needed);
        return new Graph(inputs, outputs, used, kept);
    }

    private Value declare(String name, ElementType type, Shape shape) {
        EmtalException.check(names.add(name), "value '%s': found twice, allowed is once in a graph", name);
        return new Value(name, type, shape);
    }

    /** Counted by stem, so that what nodes are called does not depend on how many constants happen to be equal. */
    String fresh(String stem) {
        String name;
        do {
            name = stem + "_" + (counters.merge(stem, 1, Integer::sum) - 1);
        } while (names.contains(name) || reserved.contains(name) || nodeNames.contains(name)
                || reservedNodes.contains(name));
        return name;
    }

    // Element-wise operators: NumPy broadcasting.

    /** {@return a + b} Adds. */
    public Value add(Value a, Value b) {
        return apply("Add", Map.of(), a, b);
    }

    /** {@return a − b} Subtracts. */
    public Value sub(Value a, Value b) {
        return apply("Sub", Map.of(), a, b);
    }

    /** {@return a · b} Multiplies. */
    public Value mul(Value a, Value b) {
        return apply("Mul", Map.of(), a, b);
    }

    /** {@return factor · a} Multiplies by a number. */
    public Value mul(Value a, double factor) {
        return factor == 1 ? a : mul(a, constant(factor, a));
    }

    /** {@return a / b} Divides. */
    public Value div(Value a, Value b) {
        return apply("Div", Map.of(), a, b);
    }

    /** {@return −a} Changes the sign. */
    public Value neg(Value a) {
        return apply("Neg", Map.of(), a);
    }

    /** {@return √a} Takes the square root. */
    public Value sqrt(Value a) {
        return apply("Sqrt", Map.of(), a);
    }

    /** {@return 1 / a} Inverts. */
    public Value reciprocal(Value a) {
        return apply("Reciprocal", Map.of(), a);
    }

    /** {@return e^a} The exponential. */
    public Value exp(Value a) {
        return apply("Exp", Map.of(), a);
    }

    /** {@return ln a} The natural logarithm. */
    public Value log(Value a) {
        return apply("Log", Map.of(), a);
    }

    /** {@return erf a} The error function. */
    public Value erf(Value a) {
        return apply("Erf", Map.of(), a);
    }

    /** {@return tanh a} The hyperbolic tangent. */
    public Value tanh(Value a) {
        return apply("Tanh", Map.of(), a);
    }

    /** {@return 1 / (1 + e^−a)} The logistic function. */
    public Value sigmoid(Value a) {
        return apply("Sigmoid", Map.of(), a);
    }

    /** {@return max(a, 0)} The rectifier. */
    public Value relu(Value a) {
        return apply("Relu", Map.of(), a);
    }

    /** {@return ln(1 + e^a)} The logarithm of 1 + e^a, without overflow. */
    public Value softplus(Value a) {
        return apply("Softplus", Map.of(), a);
    }

    /** {@return |a|} The absolute value. */
    public Value abs(Value a) {
        return apply("Abs", Map.of(), a);
    }

    /** {@return −1, 0 or 1} The sign. */
    public Value sign(Value a) {
        return apply("Sign", Map.of(), a);
    }

    /** {@return min(a, b)} The smaller of two values. */
    public Value min(Value a, Value b) {
        return apply("Min", Map.of(), a, b);
    }

    /** {@return the choice} Chooses element-wise. */
    public Value where(Value condition, Value yes, Value no) {
        return apply("Where", Map.of(), condition, yes, no);
    }

    /** {@return a BOOL value} Finds what is not a number. */
    public Value isNaN(Value a) {
        return apply("IsNaN", Map.of(), a);
    }

    /** {@return the converted value} Converts the element type. */
    public Value cast(Value a, ElementType type) {
        return apply("Cast", Map.of("to", (long) type.code()), a);
    }

    // Matrices.

    /** {@return a · b} Multiplies matrices over the last two axes, broadcasting the others. */
    public Value matMul(Value a, Value b) {
        return apply("MatMul", Map.of(), a, b);
    }

    /**
     * Multiplies matrices over the last two axes without copying transposed operands (ONNX Runtime's
     * {@code FusedMatMul}).
     *
     * @param a left
     * @param transA whether the last two axes of {@code a} are swapped first
     * @param b right
     * @param transB whether the last two axes of {@code b} are swapped first
     * @param factor a constant factor
     * @return factor · a · b
     */
    public Value matMul(Value a, boolean transA, Value b, boolean transB, double factor) {
        return add(Node.CONTRIB, "FusedMatMul", Map.of("transA", transA ? 1L : 0L, "transB", transB ? 1L : 0L,
                "alpha", (float) factor), 1, a, b).get(0);
    }

    /**
     * Multiplies two matrices and adds a row.
     *
     * @param a shape [n, k]
     * @param b shape [k, m]
     * @param c what is added, broadcast to [n, m]; {@code null} for nothing
     * @return shape [n, m]
     */
    public Value gemm(Value a, Value b, Value c) {
        return apply("Gemm", Map.of(), a, b, c);
    }

    // Reductions and normalisations.

    /**
     * Sums over axes.
     *
     * @param a the value
     * @param keep whether the axes stay, with extent 1
     * @param axes the axes; none for all
     * @return the sums
     */
    public Value reduceSum(Value a, boolean keep, long... axes) {
        Map<String, Object> attributes = Map.of("keepdims", keep ? 1L : 0L);
        return axes.length == 0 ? apply("ReduceSum", attributes, a) : apply("ReduceSum", attributes, a, integers(axes));
    }

    /**
     * Averages over axes.
     *
     * @param a the value
     * @param keep whether the axes stay, with extent 1
     * @param axes the axes, at least one
     * @return the means
     */
    public Value reduceMean(Value a, boolean keep, long... axes) {
        return apply("ReduceMean", Map.of("keepdims", keep ? 1L : 0L, "axes", boxed(axes)), a);
    }

    /** {@return positive, summing to 1} The softmax over an axis. */
    public Value softmax(Value a, int axis) {
        return apply("Softmax", Map.of("axis", (long) axis), a);
    }

    /** {@return the logarithms} The logarithm of the softmax over an axis. */
    public Value logSoftmax(Value a, int axis) {
        return apply("LogSoftmax", Map.of("axis", (long) axis), a);
    }

    /**
     * Layer normalisation over the last axis.
     *
     * @param a shape [..., D]
     * @param scale shape [D]
     * @param bias shape [D]
     * @param epsilon added to the variance
     * @return shape [..., D]
     */
    public Value layerNorm(Value a, Value scale, Value bias, double epsilon) {
        return apply("LayerNormalization", Map.of("axis", -1L, "epsilon", (float) epsilon), a, scale, bias);
    }

    /**
     * The exact GELU, in operators that every opset has.
     *
     * @param a the value
     * @return a/2 · (1 + erf(a/√2))
     */
    public Value gelu(Value a) {
        Value erf = erf(mul(a, Math.sqrt(0.5)));
        return mul(mul(a, add(erf, constant(1, a))), 0.5);
    }

    // Layout.

    /** Reorders axes. @param a the value @param permutation which axis of {@code a} each result axis is @return the view */
    public Value transpose(Value a, long... permutation) {
        return apply("Transpose", Map.of("perm", boxed(permutation)), a);
    }

    /** {@return the view} Changes the shape. */
    public Value reshape(Value a, long... extents) {
        return apply("Reshape", Map.of(), a, integers(extents));
    }

    /** {@return the view} Inserts axes of extent 1. */
    public Value unsqueeze(Value a, long... axes) {
        return apply("Unsqueeze", Map.of(), a, integers(axes));
    }

    /** {@return the view} Removes axes of extent 1. */
    public Value squeeze(Value a, long... axes) {
        return apply("Squeeze", Map.of(), a, integers(axes));
    }

    /** {@return the copy} Repeats along axes of extent 1. */
    public Value expand(Value a, long... extents) {
        return apply("Expand", Map.of(), a, integers(extents));
    }

    /** {@return the whole} Joins along an axis. */
    public Value concat(int axis, List<Value> parts) {
        return parts.size() == 1 ? parts.get(0) : apply("Concat", Map.of("axis", (long) axis), parts.toArray(new Value[0]));
    }

    /** {@return the parts} Cuts along an axis. */
    public List<Value> split(Value a, int axis, long... sizes) {
        return sizes.length == 1 ? List.of(a) : add("", "Split", Map.of("axis", (long) axis), sizes.length, a, integers(sizes));
    }

    /** {@return the part} Takes a range. */
    public Value slice(Value a, int axis, long start, long end) {
        return apply("Slice", Map.of(), a, integers(start), integers(end), integers(axis));
    }

    /** {@return the entries} Picks entries along an axis. */
    public Value gather(Value a, int axis, long... indices) {
        return apply("Gather", Map.of("axis", (long) axis), a, integers(indices));
    }

    private static List<Long> boxed(long[] values) {
        return LongStream.of(values).boxed().toList();
    }
}

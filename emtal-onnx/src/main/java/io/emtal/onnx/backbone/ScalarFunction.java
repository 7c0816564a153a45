package io.emtal.onnx.backbone;

import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Value;

import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;

/**
 * A function that a graph applies to every element alone, however it is written: operators with constants whose
 * elements are all equal between one value and another. It is told apart by what it computes, so an activation may be
 * one operator or spelled out in any order.
 *
 * @param argument the value that it is applied to
 * @param name what the field calls it; the operators where it has no name here
 */
record ScalarFunction(Value argument, String name) {

    private static final double TOLERANCE = 1e-5;
    private static final double[] POINTS = IntStream.rangeClosed(-40, 40).mapToDouble(i -> i / 10.0).toArray();

    private static final Map<String, DoubleUnaryOperator> KNOWN = new LinkedHashMap<>();

    static {
        KNOWN.put("GELU", ScalarFunction::gelu);
        KNOWN.put("GELU (tanh)", ScalarFunction::fastGelu);
        KNOWN.put("quick GELU", x -> x * sigmoid(1.702 * x));
        KNOWN.put("SiLU", x -> x * sigmoid(x));
        KNOWN.put("ReLU", x -> Math.max(x, 0));
    }

    /**
     * Finds the function that gives a value.
     *
     * @param view the graph
     * @param layers whose results may be the argument
     * @param value the function's result
     * @return the function; empty if the value is not made element by element from one linear layer's result
     */
    static Optional<ScalarFunction> giving(GraphView view, LinearLayers layers, Value value) {
        GraphView.Origin origin = view.origin(value, v -> layers.giving(v).isPresent(),
                node -> isElementwise(view, node));
        return origin.single().filter(v -> layers.giving(v).isPresent() && !origin.nodes().isEmpty())
                .map(argument -> new ScalarFunction(argument, name(view, origin, argument, value)));
    }

    /**
     * Finds what keeps a layer's result from being the argument of such a function.
     *
     * @param view the graph
     * @param layers its linear layers
     * @param layer the layer
     * @return the first node behind the layer that is neither part of such a function nor a linear layer
     */
    static Optional<Node> misfitBehind(GraphView view, LinearLayers layers, LinearLayers.Linear layer) {
        Set<String> results = new HashSet<>(Set.of(layer.result().name()));
        for (Node node : view.graph().nodes()) {
            boolean reads = node.inputs().stream().anyMatch(v -> v != null && results.contains(v.name()));
            if (reads && layers.at(node).isEmpty()) {
                if (!isElementwise(view, node)) {
                    return Optional.of(node);
                }
                results.add(node.output().name());
            }
        }
        return Optional.empty();
    }

    private static String name(GraphView view, GraphView.Origin origin, Value argument, Value value) {
        return KNOWN.entrySet().stream().filter(known -> {
            for (double x : POINTS) {
                Map<String, Double> values = new HashMap<>(Map.of(argument.name(), x));
                double found = evaluate(view, value, values);
                if (!(Math.abs(found - known.getValue().applyAsDouble(x)) <= TOLERANCE)) {
                    return false;
                }
            }
            return true;
        }).map(Map.Entry::getKey).findFirst().orElseGet(origin::operators);
    }

    private static boolean isElementwise(GraphView view, Node node) {
        boolean known = function(node, new double[Math.max(3, node.inputs().size())]).isPresent();
        return known && node.inputs().stream()
                .allMatch(v -> v == null || GraphView.isComputed(v) || number(view, v).isPresent());
    }

    /** The element of a constant of which all are equal, so that the order of channels does not matter. */
    private static Optional<Double> number(GraphView view, Value value) {
        return view.constant(value).filter(t -> t.type() == ElementType.FLOAT || t.type() == ElementType.DOUBLE)
                .filter(t -> t.shape().size() > 0 && IntStream.range(1, t.shape().size())
                        .allMatch(i -> t.real(i) == t.real(0))).map(t -> t.real(0));
    }

    private static double evaluate(GraphView view, Value value, Map<String, Double> values) {
        Double known = values.get(value.name());
        if (known == null) {
            known = number(view, value).orElseGet(() -> {
                Node node = view.producer(value).orElseThrow();
                double[] operands = new double[Math.max(3, node.inputs().size())];
                for (int i = 0; i < operands.length; i++) {
                    operands[i] = node.input(i) == null ? Double.NaN : evaluate(view, node.input(i), values);
                }
                return function(node, operands).orElseThrow();
            });
            values.put(value.name(), known);
        }
        return known;
    }

    /** What a node gives for single numbers; empty if it is no such function. */
    private static Optional<Double> function(Node node, double[] v) {
        double x = v[0];
        return Optional.ofNullable(switch (node.op()) {
            case "Identity", "Cast" -> x;
            case "Add" -> x + v[1];
            case "Sub" -> x - v[1];
            case "Mul" -> x * v[1];
            case "Div" -> x / v[1];
            case "Pow" -> Math.pow(x, v[1]);
            case "Neg" -> -x;
            case "Abs" -> Math.abs(x);
            case "Sqrt" -> Math.sqrt(x);
            case "Reciprocal" -> 1 / x;
            case "Exp" -> Math.exp(x);
            case "Log" -> Math.log(x);
            case "Erf" -> erf(x);
            case "Tanh" -> Math.tanh(x);
            case "Sigmoid" -> sigmoid(x);
            case "Softplus" -> Math.log1p(Math.exp(x));
            case "Relu" -> Math.max(x, 0);
            case "LeakyRelu" -> x < 0 ? node.real("alpha", 0.01f) * x : x;
            case "Elu" -> x < 0 ? node.real("alpha", 1) * Math.expm1(x) : x;
            case "HardSigmoid" -> hardSigmoid(x, node.real("alpha", 0.2f), node.real("beta", 0.5f));
            case "HardSwish" -> x * hardSigmoid(x, 1.0 / 6, 0.5);
            case "Gelu" -> gelu(x);
            case "FastGelu" -> node.input(1) == null ? fastGelu(x) : null;
            case "QuickGelu" -> x * sigmoid(node.real("alpha", 1.702f) * x);
            case "Min" -> Math.min(x, v[1]);
            case "Max" -> Math.max(x, v[1]);
            case "Clip" -> clip(x, v[1], v[2]);
            default -> null;
        });
    }

    /** Limits that are left out are not-a-number. */
    private static double clip(double x, double least, double most) {
        double raised = x < least ? least : x;
        return raised > most ? most : raised;
    }

    private static double hardSigmoid(double x, double alpha, double beta) {
        return clip(alpha * x + beta, 0, 1);
    }

    private static double sigmoid(double x) {
        return 1 / (1 + Math.exp(-x));
    }

    private static double gelu(double x) {
        return x / 2 * (1 + erf(x / Math.sqrt(2)));
    }

    private static double fastGelu(double x) {
        return x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
    }

    /** The Taylor series, which for |x| below 4 is exact to ten digits; beyond, ±1 is. */
    private static double erf(double x) {
        if (Math.abs(x) > 4) {
            return Math.signum(x);
        }
        double term = x;
        double sum = x;
        for (int n = 1; n < 120; n++) {
            term *= -x * x / n;
            sum += term / (2 * n + 1);
        }
        return 2 / Math.sqrt(Math.PI) * sum;
    }
}

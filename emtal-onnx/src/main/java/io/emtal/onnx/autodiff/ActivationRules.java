package io.emtal.onnx.autodiff;

import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Value;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Function;

/** Activation functions. */
final class ActivationRules {

    private ActivationRules() {
    }

    static Map<String, BackwardRule> all() {
        Map<String, BackwardRule> rules = new HashMap<>();
        rules.put("Tanh", times(ActivationRules::tanhSlope));
        rules.put("Sigmoid", times(s -> {
            GraphBuilder b = s.builder();
            return b.mul(s.output(), b.sub(b.constant(1, s.output()), s.output()));
        }));
        rules.put("Relu", s -> s.give(0, () -> {
            GraphBuilder b = s.builder();
            Value zero = b.constant(0, s.output());
            return b.where(b.apply("Greater", Map.of(), s.output(), zero), s.leanGradient(), zero);
        }));
        rules.put("Softplus", times(s -> s.builder().sigmoid(s.input(0))));
        rules.put("LeakyRelu", bent(s -> s.builder().constant(s.node().real("alpha", 0.01f), s.output())));
        // Below 0 the result is α (e^x − 1), and its slope the result + α.
        rules.put("Elu", bent(s -> {
            GraphBuilder b = s.builder();
            return b.add(s.output(), b.constant(s.node().real("alpha", 1f), s.output()));
        }));
        rules.put("HardSigmoid", s -> s.give(0, () -> {
            GraphBuilder b = s.builder();
            Value y = s.output();
            return b.where(inside(b, y, 0, 1), b.mul(s.leanGradient(), s.node().real("alpha", 0.2f)), b.constant(0, y));
        }));
        rules.put("HardSwish", times(ActivationRules::hardSwishSlope));
        rules.put(Node.CONTRIB + ".Gelu", times(s -> geluSlope(s.builder(), s.input(0))));
        rules.put(Node.CONTRIB + ".FastGelu", ActivationRules::fastGelu);
        rules.put(Node.CONTRIB + ".QuickGelu", ActivationRules::quickGelu);
        return rules;
    }

    private static BackwardRule times(Function<BackwardStep, Value> slope) {
        return s -> s.give(0, () -> s.builder().mul(s.leanGradient(), slope.apply(s)));
    }

    /** The slope is 1 above 0 and another one below. */
    private static BackwardRule bent(Function<BackwardStep, Value> below) {
        return times(s -> {
            GraphBuilder b = s.builder();
            Value zero = b.constant(0, s.input(0));
            Value above = b.apply("Greater", Map.of(), s.input(0), zero);
            return b.where(above, b.constant(1, s.output()), below.apply(s));
        });
    }

    private static Value inside(GraphBuilder b, Value x, double low, double high) {
        return b.apply("And", Map.of(), b.apply("Greater", Map.of(), x, b.constant(low, x)),
                b.apply("Less", Map.of(), x, b.constant(high, x)));
    }

    /** x · (x + 3) / 6 between −3 and 3, 0 below, x above. */
    private static Value hardSwishSlope(BackwardStep s) {
        GraphBuilder b = s.builder();
        Value x = s.input(0);
        Value outside = b.where(b.apply("Greater", Map.of(), x, b.constant(0, x)), b.constant(1, x), b.constant(0, x));
        return b.where(inside(b, x, -3, 3), b.add(b.mul(x, 1.0 / 3), b.constant(0.5, x)), outside);
    }

    private static Value tanhSlope(BackwardStep s) {
        GraphBuilder b = s.builder();
        return b.sub(b.constant(1, s.output()), b.mul(s.output(), s.output()));
    }

    /** ½ (1 + erf a) + a · exp(−a²) / √π with a = x/√2. */
    private static Value geluSlope(GraphBuilder b, Value x) {
        Value a = b.mul(x, Math.sqrt(0.5));
        Value distribution = b.mul(b.add(b.erf(a), b.constant(1, a)), 0.5);
        Value density = b.exp(b.sub(b.constant(-0.5 * Math.log(Math.PI), a), b.mul(a, a)));
        return b.add(distribution, b.mul(a, density));
    }

    /** With t = tanh(c (x + k x³)), c = √(2/π), k = 0.044715: ½ (1 + t) + ½ x (1 − t²) c (1 + 3 k x²). */
    private static Value tanhGeluSlope(GraphBuilder b, Value x) {
        double c = Math.sqrt(2 / Math.PI);
        double k = 0.044715;
        Value one = b.constant(1, x);
        Value square = b.mul(x, x);
        Value t = b.tanh(b.mul(x, b.add(b.mul(square, c * k), b.constant(c, x))));
        Value inner = b.mul(x, b.add(b.mul(square, 3 * c * k), b.constant(c, x)));
        Value sum = b.add(b.add(t, one), b.mul(inner, b.sub(one, b.mul(t, t))));
        return b.mul(sum, 0.5);
    }

    private static void fastGelu(BackwardStep s) {
        GraphBuilder b = s.builder();
        Value biased = s.input(1) == null ? s.input(0) : b.add(s.input(0), s.input(1));
        Value gradient = b.mul(s.leanGradient(), tanhGeluSlope(b, biased));
        s.give(0, () -> gradient);
        s.giveBroadcast(1, () -> gradient);
    }

    /** x σ(αx) has the slope σ + α x σ (1 − σ). */
    private static void quickGelu(BackwardStep s) {
        GraphBuilder b = s.builder();
        s.give(0, () -> {
            Value scaled = b.mul(s.input(0), s.node().real("alpha", 1.702f));
            Value sigmoid = b.sigmoid(scaled);
            Value one = b.constant(1, sigmoid);
            Value slope = b.mul(sigmoid, b.add(b.mul(scaled, b.sub(one, sigmoid)), one));
            return b.mul(s.leanGradient(), slope);
        });
    }
}

package io.emtal.onnx.autodiff;

import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/** Arithmetic and choices, element by element. */
final class ElementwiseRules {

    private ElementwiseRules() {
    }

    static Map<String, BackwardRule> all() {
        Map<String, BackwardRule> rules = new HashMap<>();
        rules.put("Identity", s -> s.give(0, s::leanGradient));
        rules.put("Cast", s -> s.give(0, () -> s.builder().cast(s.leanGradient(), s.input(0).type())));
        rules.put("Neg", s -> s.give(0, () -> s.builder().neg(s.leanGradient())));
        rules.put("Abs", s -> s.give(0, () -> s.builder().mul(s.leanGradient(), s.builder().sign(s.input(0)))));
        rules.put("Sqrt", s -> s.give(0, () -> s.builder().div(s.builder().mul(s.leanGradient(), 0.5), s.output())));
        rules.put("Reciprocal", s -> s.give(0, () -> {
            GraphBuilder b = s.builder();
            return b.neg(b.mul(s.leanGradient(), b.mul(s.output(), s.output())));
        }));
        rules.put("Exp", s -> s.give(0, () -> s.builder().mul(s.leanGradient(), s.output())));
        rules.put("Log", s -> s.give(0, () -> s.builder().div(s.leanGradient(), s.input(0))));
        // 2/√π · e^(−a²), the factor inside the exponential.
        rules.put("Erf", s -> s.give(0, () -> {
            GraphBuilder b = s.builder();
            Value logFactor = b.constant(Math.log(2 / Math.sqrt(Math.PI)), s.input(0));
            return b.mul(s.leanGradient(), b.exp(b.sub(logFactor, b.mul(s.input(0), s.input(0)))));
        }));
        rules.put("Add", s -> {
            s.giveBroadcast(0, s::leanGradient);
            s.giveBroadcast(1, s::leanGradient);
        });
        rules.put("Sub", s -> {
            s.giveBroadcast(0, s::leanGradient);
            s.takeBroadcast(1, s::leanGradient);
        });
        rules.put("Mul", s -> {
            s.giveBroadcast(0, () -> s.builder().mul(s.leanGradient(), s.input(1)));
            s.giveBroadcast(1, () -> s.builder().mul(s.leanGradient(), s.input(0)));
        });
        rules.put("Div", s -> {
            GraphBuilder b = s.builder();
            s.giveBroadcast(0, () -> b.div(s.leanGradient(), s.input(1)));
            s.takeBroadcast(1, () -> b.div(b.mul(s.leanGradient(), s.output()), s.input(1)));
        });
        rules.put("Pow", new BackwardRule() {
            @Override
            public void backward(BackwardStep s) {
                pow(s);
            }

            @Override
            public Optional<String> refusal(Node node) {
                ElementType base = node.input(0).type();
                ElementType exponent = node.input(1).type();
                return exponent == base ? Optional.empty()
                        : Optional.of("operator Pow with an exponent of type " + exponent + ", allowed is " + base
                                + " as for the base");
            }
        });
        // Where both operands are equal the first one takes the whole gradient.
        rules.put("Min", choice("LessOrEqual"));
        rules.put("Max", choice("GreaterOrEqual"));
        rules.put("Clip", ElementwiseRules::clip);
        rules.put("Where", s -> {
            s.giveBroadcast(1, () -> s.builder().where(s.input(0), s.leanGradient(), zero(s)));
            s.giveBroadcast(2, () -> s.builder().where(s.input(0), zero(s), s.leanGradient()));
        });
        return rules;
    }

    private static Value zero(BackwardStep s) {
        return s.builder().constant(0, s.output());
    }

    /** d(a^e)/da = e · a^(e−1); d(a^e)/de = a^e · ln a, taken as 0 where a is not positive. */
    private static void pow(BackwardStep s) {
        GraphBuilder b = s.builder();
        Value base = s.input(0);
        Value exponent = s.input(1);
        s.giveBroadcast(0, () -> {
            Tensor constant = b.tensorOf(exponent);
            if (constant != null && constant.shape().size() == 1 && constant.real(0) == 2) {
                return b.mul(s.leanGradient(), b.mul(base, 2));
            }
            Value lower = b.sub(exponent, b.constant(1, exponent));
            return b.mul(s.leanGradient(), b.mul(exponent, b.apply("Pow", Map.of(), base, lower)));
        });
        s.giveBroadcast(1, () -> {
            Value positive = b.apply("Greater", Map.of(), base, b.constant(0, base));
            Value log = b.log(b.where(positive, base, b.constant(1, base)));
            return b.mul(s.leanGradient(), b.mul(s.output(), log));
        });
    }

    private static BackwardRule choice(String comparison) {
        return s -> {
            GraphBuilder b = s.builder();
            Value first = b.apply(comparison, Map.of(), s.input(0), s.input(1));
            s.giveBroadcast(0, () -> b.where(first, s.leanGradient(), zero(s)));
            s.giveBroadcast(1, () -> b.where(first, zero(s), s.leanGradient()));
        };
    }

    /** The gradient passes where the limits are kept; the limits themselves get none. */
    private static void clip(BackwardStep s) {
        GraphBuilder b = s.builder();
        s.give(0, () -> {
            Value gradient = s.leanGradient();
            if (s.input(1) != null) {
                gradient = b.where(b.apply("GreaterOrEqual", Map.of(), s.input(0), s.input(1)), gradient, zero(s));
            }
            if (s.input(2) != null) {
                gradient = b.where(b.apply("LessOrEqual", Map.of(), s.input(0), s.input(2)), gradient, zero(s));
            }
            return gradient;
        });
    }
}

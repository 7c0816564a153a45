package io.emtal.onnx.autodiff;

import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Value;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The exact GELU written out, x/2 · (1 + erf(x/√2)), as exporters and {@link GraphBuilder#gelu} write it: (x · f) · ½
 * or (x · ½) · f with f = 1 + erf(x/√2).
 */
final class ErfGelu implements Pattern {

    /** Stands for the pattern: inputs x, a = x/√2, f. */
    static final String OP = "ErfGelu";

    @Override
    public Optional<Found> endingAt(Node last, Path path) {
        for (int i = 0; last.op().equals("Mul") && i < 2; i++) {
            Value other = last.input(1 - i);
            Optional<Node> product = path.producer("Mul", last.input(i), 1);
            for (int j = 0; product.isPresent() && j < 2; j++) {
                Value x = product.get().input(j);
                Value second = product.get().input(1 - j);
                Value f = path.is(other, 0.5) ? second : path.is(second, 0.5) ? other : null;
                Optional<Found> found = match(last, product.get(), x, f, path);
                if (found.isPresent()) {
                    return found;
                }
            }
        }
        return Optional.empty();
    }

    private static Optional<Found> match(Node last, Node product, Value x, Value f, Path path) {
        Optional<Node> add = path.producer("Add", f, 1);
        Optional<Node> erf = add.flatMap(node -> path.producer("Erf", besides(node, 1, path), 1));
        return erf.flatMap(node -> {
            Value a = node.input(0);
            return scaling(x, a, path).map(scaling -> new Found(
                    new Node("", OP, last.name(), List.of(x, a, f), last.outputs(), Map.of()),
                    List.of(product, add.get(), node, scaling)));
        });
    }

    /** The node that makes a = x/√2. */
    private static Optional<Node> scaling(Value x, Value a, Path path) {
        return path.producer("Mul", a, 1).filter(m -> x.equals(besides(m, Math.sqrt(0.5), path)))
                .or(() -> path.producer("Div", a, 1)
                        .filter(d -> x.equals(d.input(0)) && path.is(d.input(1), Math.sqrt(2))));
    }

    /** The operand beside a constant; {@code null} if neither is that constant. */
    private static Value besides(Node node, double constant, Path path) {
        if (path.is(node.input(1), constant)) {
            return node.input(0);
        }
        return path.is(node.input(0), constant) ? node.input(1) : null;
    }

    /** dY · ½ (f + a · 2/√π · e^(−a²)), the factor 2/√π inside the exponential. */
    static void backward(BackwardStep s) {
        s.give(0, () -> {
            GraphBuilder b = s.builder();
            Value a = s.input(1);
            Value density = b.exp(b.sub(b.constant(Math.log(2 / Math.sqrt(Math.PI)), a), b.mul(a, a)));
            Value twice = b.add(s.input(2), b.mul(a, density));
            return b.mul(b.mul(s.leanGradient(), 0.5), twice);
        });
    }
}

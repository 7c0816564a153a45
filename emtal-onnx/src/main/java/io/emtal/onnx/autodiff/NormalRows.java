package io.emtal.onnx.autodiff;

import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Rows centred and brought to length 1, the core of layer normalisation: u = c · r with c = x − mean(x) and
 * r = 1/√(Σ c² + ε D), over the last axis.
 */
final class NormalRows implements Pattern {

    /** Stands for the pattern: inputs x, r; output u. */
    static final String OP = "NormalRows";

    /**
     * Writes the pattern.
     *
     * @param b takes it
     * @param x shape [..., D]
     * @param epsilon what layer normalisation adds to the variance
     * @return u and r; √D · u is the normalised x
     */
    static Rows write(GraphBuilder b, Value x, double epsilon) {
        long axis = x.rank() - 1;
        Value centred = b.sub(x, b.reduceMean(x, true, axis));
        Value squares = b.apply("ReduceSumSquare", Map.of("axes", List.of(axis)), centred);
        Value length = b.sqrt(b.add(squares, b.constant(epsilon * x.extent(-1), x)));
        Value inverse = b.reciprocal(length);
        return new Rows(b.mul(centred, inverse), inverse);
    }

    /**
     * Rows of length 1, nearly.
     *
     * @param units u, shape [..., D]
     * @param inverse r, shape [..., 1]
     */
    record Rows(Value units, Value inverse) {

        /** dX = r · (dU − mean(dU) − u · Σ dU ∘ u), because the mean of u is 0. */
        Value gradient(GraphBuilder b, Value du) {
            long axis = units.rank() - 1;
            Value along = b.mul(units, b.reduceSum(b.mul(du, units), true, axis));
            return b.mul(b.sub(b.sub(du, b.reduceMean(du, true, axis)), along), inverse);
        }
    }

    @Override
    public Optional<Found> endingAt(Node last, Path path) {
        if (!last.op().equals("Mul")) {
            return Optional.empty();
        }
        Value centred = last.input(0);
        Value inverse = last.input(1);
        Optional<Node> sub = path.producer("Sub", centred, 2);
        Optional<Node> mean = sub.flatMap(s -> path.producer("ReduceMean", s.input(1), 1));
        Optional<List<Node>> root = path.chain(inverse, "Reciprocal", "Sqrt", "Add", "ReduceSumSquare");
        if (mean.isEmpty() || root.isEmpty()) {
            return Optional.empty();
        }
        Value x = sub.get().input(0);
        Node squares = root.get().get(3);
        boolean fits = mean.get().input(0).equals(x) && isLastAxis(mean.get())
                && squares.input(0).equals(centred) && isLastAxis(squares)
                && !Double.isNaN(path.number(root.get().get(2).input(1)));
        if (!fits) {
            return Optional.empty();
        }
        List<Node> inner = new ArrayList<>(root.get());
        inner.add(sub.get());
        inner.add(mean.get());
        Node fused = new Node("", OP, last.name(), List.of(x, inverse), last.outputs(), Map.of());
        return Optional.of(new Found(fused, inner));
    }

    static boolean isLastAxis(Node reduction) {
        long last = reduction.input(0).rank() - 1;
        return reduction.integer("keepdims", 1) == 1 && reduction.integers("axes")
                .filter(axes -> axes.length == 1 && (axes[0] == last || axes[0] == -1)).isPresent();
    }

    static void backward(BackwardStep s) {
        s.give(0, () -> new Rows(s.output(), s.input(1)).gradient(s.builder(), s.gradient()));
    }
}

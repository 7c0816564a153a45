package io.emtal.onnx.autodiff;

import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A product with a constant matrix and its low-rank update in one, x·(W + s·A·B), or with the sum transposed. On the way
 * back the gradient of the sum, as large as W, is never formed: the factors' gradients are products of few columns.
 */
final class UpdatedProduct implements Pattern {

    /** Stands for the pattern: inputs x, A, B, W + s·A·B; attributes {@code scale} s, {@code transB}. */
    static final String OP = "UpdatedProduct";

    @Override
    public Optional<Found> endingAt(Node last, Path path) {
        if (!isPlain(last) || last.input(1).rank() != 2) {
            return Optional.empty();
        }
        Optional<Node> sum = path.producer("Add", last.input(1), 1)
                .filter(add -> path.isConstant(add.input(0)) && add.input(0).shape().equals(add.input(1).shape()));
        List<Node> inner = new ArrayList<>();
        sum.ifPresent(inner::add);
        Optional<Node> turned = sum.flatMap(add -> path.producer("Transpose", add.input(1), 1));
        turned.ifPresent(inner::add);
        Value update = turned.map(t -> t.input(0)).orElse(sum.map(add -> add.input(1)).orElse(null));
        Optional<Node> product = path.producer("MatMul", update, 1)
                .or(() -> path.producer("FusedMatMul", update, 1).filter(UpdatedProduct::isPlain))
                .filter(p -> p.input(0).rank() == 2 && p.input(1).rank() == 2 && p.integer("transB", 0) == 0);
        boolean transposed = last.integer("transB", 0) == 1;
        if (product.isEmpty() || transposed != turned.isPresent() || last.real("alpha", 1) != 1) {
            return Optional.empty();
        }
        inner.add(product.get());
        Map<String, Object> attributes = Map.of("scale", product.get().real("alpha", 1), "transB", transposed ? 1L : 0L);
        return Optional.of(new Found(new Node("", OP, last.name(), List.of(last.input(0), product.get().input(0),
                product.get().input(1), last.input(1)), last.outputs(), attributes), inner));
    }

    private static boolean isPlain(Node node) {
        return node.op().equals("MatMul") || node.op().equals("FusedMatMul") && node.integer("transA", 0) == 0
                && node.integer("transBatchA", 0) + node.integer("transBatchB", 0) == 0;
    }

    /** dX = dY·(W + s·A·B)ᵀ, dA = xᵀ·(s·dY·Bᵀ), dB = (s·x·A)ᵀ·dY. */
    static void backward(BackwardStep s) {
        GraphBuilder b = s.builder();
        Value x = s.input(0);
        double scale = s.node().real("scale", 1);
        boolean transposed = s.node().integer("transB", 0) == 1;
        s.give(0, () -> b.matMul(s.gradient(), false, s.input(3), !transposed, 1));
        s.give(1, () -> MatrixRules.overRows(b, MatrixRules.rows(b, x),
                b.matMul(MatrixRules.rows(b, s.gradient()), false, s.input(2), true, scale), 1));
        s.give(2, () -> MatrixRules.overRows(b, b.matMul(MatrixRules.rows(b, x), false, s.input(1), false, scale),
                MatrixRules.rows(b, s.gradient()), 1));
    }
}

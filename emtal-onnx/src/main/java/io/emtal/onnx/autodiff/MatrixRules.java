package io.emtal.onnx.autodiff;

import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Value;

import java.util.Arrays;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;

/** Matrix products. */
final class MatrixRules {

    /** Measured with ranks 2 to 64 and 272 to 544 rows: 40 % less time at ranks 2 and 4, 15 % at 8, nothing from 16. */
    private static final int THIN = 8;

    private MatrixRules() {
    }

    static Map<String, BackwardRule> all() {
        return Map.of(
                "MatMul", s -> matMul(s, false, false, 1),
                Node.CONTRIB + ".FusedMatMul", new BackwardRule() {
                    @Override
                    public void backward(BackwardStep s) {
                        matMul(s, s.node().integer("transA", 0) == 1, s.node().integer("transB", 0) == 1,
                                s.node().real("alpha", 1));
                    }

                    @Override
                    public Optional<String> refusal(Node node) {
                        boolean batches = node.integer("transBatchA", 0) + node.integer("transBatchB", 0) > 0;
                        return batches ? Optional.of("transBatchA or transBatchB, allowed are transA and transB")
                                : Optional.empty();
                    }
                },
                "Gemm", MatrixRules::gemm,
                "Conv", new PatchConvolutionRule());
    }

    private static void matMul(BackwardStep s, boolean transA, boolean transB, double factor) {
        GraphBuilder b = s.builder();
        Value left = s.input(0);
        Value right = s.input(1);
        if (right.rank() == 2 && !transA) {
            // A weight under activations of any rank: one product over all rows.
            s.give(0, () -> product(b, s.gradient(), false, right, !transB, factor));
            s.give(1, () -> {
                Value x = rows(b, left);
                Value dy = rows(b, s.gradient());
                return transB ? overRows(b, dy, x, factor) : overRows(b, x, dy, factor);
            });
            return;
        }
        s.give(0, () -> {
            Value dy = s.gradient();
            Value whole = transA ? product(b, right, transB, dy, true, factor)
                    : product(b, dy, false, right, !transB, factor);
            return s.sumTo(whole, whole.shape(), left.shape());
        });
        s.give(1, () -> {
            Value dy = s.gradient();
            Value whole = transB ? product(b, dy, true, left, transA, factor)
                    : product(b, left, !transA, dy, false, factor);
            return s.sumTo(whole, whole.shape(), right.shape());
        });
    }

    private static void gemm(BackwardStep s) {
        GraphBuilder b = s.builder();
        boolean transA = s.node().integer("transA", 0) == 1;
        boolean transB = s.node().integer("transB", 0) == 1;
        double alpha = s.node().real("alpha", 1);
        s.give(0, () -> transA ? gemm(b, s.input(1), transB, s.gradient(), true, alpha)
                : gemm(b, s.gradient(), false, s.input(1), !transB, alpha));
        s.give(1, () -> {
            if (transA) {
                return transB ? gemm(b, s.gradient(), true, s.input(0), true, alpha)
                        : gemm(b, s.input(0), false, s.gradient(), false, alpha);
            }
            return transB ? overRows(b, s.gradient(), s.input(0), alpha) : overRows(b, s.input(0), s.gradient(), alpha);
        });
        s.giveBroadcast(2, () -> b.mul(s.leanGradient(), s.node().real("beta", 1)));
    }

    /** A product of two matrices. */
    static Value gemm(GraphBuilder b, Value left, boolean transLeft, Value right, boolean transRight, double factor) {
        return b.apply("Gemm", Map.of("transA", transLeft ? 1L : 0L, "transB", transRight ? 1L : 0L,
                "alpha", (float) factor), left, right);
    }

    /**
     * Σ over the rows of left ⊗ right, the gradient of a weight. ONNX Runtime multiplies slowly where the result has
     * few columns and many rows, as for the first factor of a low-rank update: then rows and columns change places.
     * (Not in a {@code Gemm}, whose following transposition ONNX Runtime takes back.)
     */
    static Value overRows(GraphBuilder b, Value left, Value right, double factor) {
        boolean thin = right.extent(1) > 1 && right.extent(1) <= THIN && left.extent(1) >= 4 * right.extent(1);
        return thin && left.type() == ElementType.FLOAT ? b.transpose(b.matMul(right, true, left, false, factor), 1, 0)
                : gemm(b, left, true, right, false, factor);
    }

    /** A batched product, transposing on the fly where ONNX Runtime can: its fused operator knows FLOAT only. */
    private static Value product(GraphBuilder b, Value left, boolean transLeft, Value right, boolean transRight,
                                 double factor) {
        if (left.type() == ElementType.FLOAT) {
            return b.matMul(left, transLeft, right, transRight, factor);
        }
        Value product = b.matMul(transLeft ? transposed(b, left) : left, transRight ? transposed(b, right) : right);
        return b.mul(product, factor);
    }

    private static Value transposed(GraphBuilder b, Value a) {
        long[] permutation = LongStream.range(0, a.rank()).toArray();
        permutation[a.rank() - 2] = a.rank() - 1;
        permutation[a.rank() - 1] = a.rank() - 2;
        return b.transpose(a, permutation);
    }

    /** A value as a matrix of all its rows. */
    static Value rows(GraphBuilder b, Value a) {
        Shape shape = a.shape();
        if (shape.rank() == 2) {
            return a;
        }
        long columns = shape.extent(-1);
        long rows = Arrays.stream(shape.extents()).limit(shape.rank() - 1).reduce(1, Math::multiplyExact);
        return b.reshape(a, rows, columns);
    }
}

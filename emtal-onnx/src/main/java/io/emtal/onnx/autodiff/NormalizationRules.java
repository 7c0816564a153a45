package io.emtal.onnx.autodiff;

import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Value;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;

/** Softmax, layer normalisation and batch normalisation. */
final class NormalizationRules {

    private NormalizationRules() {
    }

    static Map<String, BackwardRule> all() {
        return Map.of(
                "Softmax", NormalizationRules::softmax,
                "LogSoftmax", NormalizationRules::logSoftmax,
                "BatchNormalization", NormalizationRules::batchNormalization,
                "LayerNormalization", new BackwardRule() {
                    @Override
                    public void backward(BackwardStep s) {
                        layerNormalization(s);
                    }

                    @Override
                    public Optional<String> refusal(Node node) {
                        Shape shape = node.input(0).shape();
                        int axis = shape.axis((int) node.integer("axis", -1));
                        return axis == shape.rank() - 1 ? Optional.empty() : Optional.of(
                                "operator LayerNormalization over axis " + axis + " and on of shape " + shape
                                        + ", allowed is the last axis");
                    }
                });
    }

    /** dX = Y ∘ (dY − Σ dY ∘ Y), the sum over the softmax's axis. */
    private static void softmax(BackwardStep s) {
        GraphBuilder b = s.builder();
        s.give(0, () -> {
            Value y = s.output();
            return b.mul(y, b.sub(s.gradient(), rowSums(s, y)));
        });
    }

    /**
     * Σ dY ∘ Y along the softmax's axis. In attention, O = Y V, it equals Σ dO ∘ O, which has as many columns as
     * there are channels in a head rather than as there are tokens (Dao et al., FlashAttention, 2022, appendix B).
     */
    private static Value rowSums(BackwardStep s, Value y) {
        GraphBuilder b = s.builder();
        int axis = y.shape().axis((int) s.node().integer("axis", -1));
        List<Node> users = s.users(y);
        if (axis == y.rank() - 1 && users.size() == 1 && isProductWithValues(users.get(0), y)) {
            Value o = users.get(0).output();
            if (o.extent(-1) < y.extent(-1)) {
                return b.reduceSum(b.mul(s.gradientOf(o), o), true, axis);
            }
        }
        return b.reduceSum(b.mul(s.gradient(), y), true, axis);
    }

    private static boolean isProductWithValues(Node user, Value y) {
        boolean product = user.op().equals("MatMul")
                || user.op().equals("FusedMatMul") && user.integer("transA", 0) == 0;
        return product && y.equals(user.input(0)) && !y.equals(user.input(1))
                && user.output().shape().with(-1, y.extent(-1)).equals(y.shape());
    }

    private static void logSoftmax(BackwardStep s) {
        GraphBuilder b = s.builder();
        s.give(0, () -> {
            Value dy = s.gradient();
            Value sum = b.reduceSum(dy, true, s.output().shape().axis((int) s.node().integer("axis", -1)));
            return b.sub(dy, b.mul(b.exp(s.output()), sum));
        });
    }

    /**
     * The rows again in their parts; y = u ∘ (√D · scale) + bias with the unit rows u. The further outputs are the mean
     * and √D · r, whose derivative is −√D · r² · u.
     */
    private static void layerNormalization(BackwardStep s) {
        GraphBuilder b = s.builder();
        Value x = s.input(0);
        double root = Math.sqrt(x.extent(-1));
        NormalRows.Rows rows = NormalRows.write(b, x, s.node().real("epsilon", 1e-5f));
        if (s.leanGradient() != null) {
            s.give(0, () -> rows.gradient(b, b.mul(s.gradient(), b.mul(s.input(1), root))));
            s.giveBroadcast(1, () -> b.mul(b.mul(s.gradient(), rows.units()), root));
            s.giveBroadcast(2, s::leanGradient);
        }
        if (isUsed(s, 1)) {
            s.give(0, () -> b.mul(s.gradient(1), 1.0 / x.extent(-1)));
        }
        if (isUsed(s, 2)) {
            Value square = b.mul(rows.inverse(), rows.inverse());
            s.give(0, () -> b.mul(b.mul(b.mul(s.gradient(2), square), rows.units()), -root));
        }
    }

    private static boolean isUsed(BackwardStep s, int output) {
        return output < s.node().outputs().size() && s.gradient(output) != null;
    }

    /** y = scale · (x − mean) · r + bias with r = 1/√(variance + ε), one of each a channel, as a network predicts. */
    private static void batchNormalization(BackwardStep s) {
        GraphBuilder b = s.builder();
        Value x = s.input(0);
        long[] extents = new long[x.rank() - 1];
        Arrays.fill(extents, 1);
        extents[0] = x.extent(1);
        long[] others = LongStream.range(0, x.rank()).filter(axis -> axis != 1).toArray();
        double epsilon = s.node().real("epsilon", 1e-5f);
        Value inverse = b.reciprocal(b.sqrt(b.add(s.input(4), b.constant(epsilon, x))));
        Value slope = b.mul(s.input(1), inverse);
        s.give(0, () -> b.mul(s.gradient(), b.reshape(slope, extents)));
        Value sum = b.reduceSum(s.gradient(), false, others);
        Value along = b.mul(b.reduceSum(b.mul(s.gradient(), b.sub(x, b.reshape(s.input(3), extents))), false, others),
                inverse);
        s.give(1, () -> along);
        s.give(2, () -> sum);
        s.give(3, () -> b.neg(b.mul(slope, sum)));
        s.give(4, () -> b.mul(b.mul(b.mul(slope, inverse), along), -0.5));
    }
}

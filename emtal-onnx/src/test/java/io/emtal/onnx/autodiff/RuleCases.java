package io.emtal.onnx.autodiff;

import io.emtal.onnx.autodiff.RuleCase.Operand;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

import static io.emtal.onnx.autodiff.RuleCase.BOTH;
import static io.emtal.onnx.autodiff.RuleCase.FLOAT;
import static io.emtal.onnx.autodiff.RuleCase.node;

/** The table of cases: every operator with a backward rule, its attributes and its broadcasting variants. */
final class RuleCases {

    static final List<RuleCase> ALL;

    private static final String FUSED_MATMUL = Node.CONTRIB + ".FusedMatMul";

    static {
        List<RuleCase> all = new ArrayList<>();
        elementwise(all);
        updatedProducts(all);
        repeatedRows(all);
        activations(all);
        matrices(all);
        convolutions(all);
        normalizations(all);
        reductions(all);
        layout(all);
        ALL = List.copyOf(all);
    }

    private RuleCases() {
    }

    private static void elementwise(List<RuleCase> all) {
        for (String op : List.of("Add", "Sub", "Mul", "Div")) {
            boolean divides = op.equals("Div");
            for (long[][] shapes : new long[][][] {{{2, 3}, {2, 3}}, {{2, 3}, {3}}, {{3}, {2, 3}}, {{2, 1, 3}, {4, 1}},
                    {{2, 3}, {}}, {{}, {2, 3}}, {{2, 3, 4}, {1, 3, 1}}}) {
                Operand right = divides ? Operand.positive(shapes[1]) : Operand.of(shapes[1]);
                all.add(RuleCase.of(op, shapes(shapes), BOTH, Map.of(), Operand.of(shapes[0]), right));
            }
        }
        for (String op : List.of("Min", "Max")) {
            all.add(RuleCase.of(op, "same shape", BOTH, Map.of(), Operand.of(2, 3), Operand.of(2, 3)));
            all.add(RuleCase.of(op, "broadcast", BOTH, Map.of(), Operand.of(2, 3), Operand.of(2, 1)));
        }
        for (String op : List.of("Neg", "Exp", "Identity", "Sigmoid", "Tanh")) {
            all.add(RuleCase.of(op, "", BOTH, Map.of(), Operand.of(2, 3)));
        }
        for (String op : List.of("Sqrt", "Reciprocal", "Log")) {
            all.add(RuleCase.of(op, "", BOTH, Map.of(), Operand.positive(2, 3)));
        }
        all.add(RuleCase.of("Abs", "", BOTH, Map.of(), Operand.of(2, 3).awayFrom(0)));
        all.add(RuleCase.of("Erf", "", FLOAT, Map.of(), Operand.of(2, 3)));
        all.add(RuleCase.of("Pow", "both operands", BOTH, Map.of(), Operand.positive(2, 3), Operand.of(3)));
        for (double exponent : new double[] {2, 3, -1, 0.5}) {
            all.add(RuleCase.with("Pow", "exponent " + exponent, BOTH,
                    (b, in) -> node(b, "Pow", Map.of(), 1, in[0], b.constant(exponent, in[0])),
                    exponent == 0.5 ? Operand.positive(2, 3) : Operand.of(2, 3).awayFrom(0, 0.3, -0.3)));
        }
        all.add(RuleCase.with("Clip", "both limits", BOTH, (b, in) -> node(b, "Clip", Map.of(), 1, in[0],
                b.constant(-1, in[0]), b.constant(1, in[0])), Operand.of(3, 4).awayFrom(-1, 1)));
        all.add(RuleCase.with("Clip", "upper limit", BOTH, (b, in) -> node(b, "Clip", Map.of(), 1, in[0], null,
                b.constant(1, in[0])), Operand.of(3, 4).awayFrom(1)));
        all.add(RuleCase.of("Clip", "no limit", BOTH, Map.of(), Operand.of(2, 3)));
        all.add(RuleCase.with("Cast", "to the other real type and back", FLOAT, (b, in) -> {
            Value wide = b.cast(in[0], ElementType.DOUBLE);
            return List.of(b.cast(b.mul(wide, wide), ElementType.FLOAT));
        }, Operand.of(2, 3)));
        all.add(RuleCase.with("Where", "same shape", BOTH, (b, in) -> List.of(b.where(
                b.apply("Less", Map.of(), in[0], b.constant(0, in[0])), b.mul(in[0], in[1]), in[1])),
                Operand.of(2, 3).awayFrom(0), Operand.of(2, 3)));
        all.add(RuleCase.with("Where", "broadcast", BOTH, (b, in) -> List.of(b.where(
                b.constant(new Tensor(ElementType.BOOL, Shape.of(2, 1), new boolean[] {true, false})), in[0], in[1])),
                Operand.of(3), Operand.of(2, 3)));
    }

    /** x·(W + s·A·B), which differentiates as if it were x·W + s·(x·A)·B. */
    private static void updatedProducts(List<RuleCase> all) {
        for (boolean transposed : new boolean[] {false, true}) {
            for (double scale : new double[] {1, 0.5}) {
                Tensor weight = Tensor.of(new float[] {1, -2, 3, 0.5f, 2, -1, 0, 1.5f, -0.5f, 2.5f, 1, -3},
                        transposed ? new long[] {4, 3} : new long[] {3, 4});
                all.add(RuleCase.with(UpdatedProduct.OP, "scale " + scale + (transposed ? ", transposed" : ""), FLOAT,
                        (b, in) -> {
                            Value update = b.matMul(in[1], false, in[2], false, scale);
                            Value sum = b.add(b.constant(weight), transposed ? b.transpose(update, 1, 0) : update);
                            return List.of(b.matMul(in[0], false, sum, transposed, 1));
                        }, Operand.of(2, 5, 3), Operand.of(3, 2), Operand.of(2, 4)));
            }
        }
    }

    /** A sum that repeats rows is no updated product. */
    private static void repeatedRows(List<RuleCase> all) {
        Tensor weight = Tensor.of(new float[] {1, -2, 3, 0.5f, 2, -1, 0, 1.5f, -0.5f, 2.5f, 1, -3}, 3, 4);
        Tensor row = Tensor.of(new float[] {1, -2, 3, 0.5f}, 1, 4);
        all.add(RuleCase.with("MatMul", "by a matrix and one row's update", FLOAT, (b, in) -> List.of(
                b.matMul(in[0], b.add(b.constant(weight), b.matMul(in[1], in[2])))), Operand.of(2, 5, 3),
                Operand.of(1, 2), Operand.of(2, 4)));
        all.add(RuleCase.with("MatMul", "by one row and a matrix's update", FLOAT, (b, in) -> List.of(
                b.matMul(in[0], b.add(b.constant(row), b.matMul(in[1], in[2])))), Operand.of(2, 5, 3),
                Operand.of(3, 2), Operand.of(2, 4)));
    }

    private static void activations(List<RuleCase> all) {
        all.add(RuleCase.of("Relu", "", BOTH, Map.of(), Operand.of(2, 3).awayFrom(0)));
        all.add(RuleCase.of("LeakyRelu", "", FLOAT, Map.of("alpha", 0.2f), Operand.of(2, 3).awayFrom(0)));
        all.add(RuleCase.of("Elu", "", FLOAT, Map.of("alpha", 1.5f), Operand.of(3, 4).awayFrom(0)));
        all.add(RuleCase.of("HardSigmoid", "", FLOAT, Map.of("alpha", 0.4f, "beta", 0.5f),
                Operand.of(4, 4).awayFrom(-1.25, 1.25)));
        all.add(RuleCase.of("HardSwish", "", FLOAT, Map.of(), new Operand(Shape.of(4, 4), -5, 5, -3, 3)));
        all.add(RuleCase.of("Softplus", "", FLOAT, Map.of(), Operand.of(2, 3)));
        all.add(RuleCase.with(ErfGelu.OP, "as the builder writes it", FLOAT, (b, in) -> List.of(b.gelu(in[0])),
                Operand.of(3, 4)));
        all.add(RuleCase.with(ErfGelu.OP, "other factors first, a quotient", FLOAT, (b, in) -> {
            Value erf = b.erf(b.div(in[0], b.constant(Math.sqrt(2), in[0])));
            return List.of(b.mul(b.add(b.constant(1, in[0]), erf), b.mul(b.constant(0.5, in[0]), in[0])));
        }, Operand.of(3, 4)));
        all.add(RuleCase.with(ErfGelu.OP, "an inner value is used elsewhere", FLOAT, (b, in) -> {
            Value erf = b.erf(b.mul(in[0], Math.sqrt(0.5)));
            return List.of(b.mul(b.mul(in[0], b.add(erf, b.constant(1, erf))), 0.5), erf);
        }, Operand.of(3, 4)));
        all.add(RuleCase.with(ErfGelu.OP, "of two values", FLOAT, (b, in) -> List.of(b.mul(b.mul(in[1],
                b.add(b.erf(b.mul(in[0], Math.sqrt(0.5))), b.constant(1, in[0]))), 0.5)),
                Operand.of(3, 4), Operand.of(3, 4)));
        all.add(RuleCase.of(Node.CONTRIB + ".Gelu", "", FLOAT, Map.of(), Operand.of(3, 4)));
        all.add(RuleCase.of(Node.CONTRIB + ".FastGelu", "", FLOAT, Map.of(), Operand.of(3, 4)));
        all.add(RuleCase.of(Node.CONTRIB + ".FastGelu", "with bias", FLOAT, Map.of(), Operand.of(2, 3, 4),
                Operand.of(4)));
        all.add(RuleCase.of(Node.CONTRIB + ".QuickGelu", "", FLOAT, Map.of(), Operand.of(3, 4)));
        all.add(RuleCase.of(Node.CONTRIB + ".QuickGelu", "alpha 1", FLOAT, Map.of("alpha", 1f), Operand.of(3, 4)));
    }

    private static void matrices(List<RuleCase> all) {
        for (long[][] shapes : new long[][][] {{{2, 3}, {3, 4}}, {{2, 3, 4}, {4, 5}}, {{2, 2, 3, 4}, {4, 5}},
                {{2, 3, 4}, {2, 4, 2}}, {{3, 4}, {2, 4, 2}}, {{1, 3, 4}, {2, 4, 2}}, {{2, 1, 3, 4}, {3, 4, 2}},
                {{2, 3, 4}, {1, 4, 2}}, {{2, 3, 9}, {9, 2}}}) {
            all.add(RuleCase.of("MatMul", shapes(shapes), BOTH, Map.of(), Operand.of(shapes[0]),
                    Operand.of(shapes[1])));
        }
        for (long transA = 0; transA < 2; transA++) {
            for (long transB = 0; transB < 2; transB++) {
                Map<String, Object> attributes = Map.of("transA", transA, "transB", transB, "alpha", 0.5f);
                String variant = (transA == 1 ? "transA " : "") + (transB == 1 ? "transB " : "");
                long[] left = transA == 1 ? new long[] {4, 3} : new long[] {3, 4};
                long[] right = transB == 1 ? new long[] {5, 4} : new long[] {4, 5};
                long[] batchedLeft = {2, left[0], left[1]};
                long[] batchedRight = {2, right[0], right[1]};
                for (long[][] shapes : new long[][][] {{left, right}, {batchedLeft, right}, {left, batchedRight},
                        {batchedLeft, batchedRight}}) {
                    all.add(RuleCase.of(FUSED_MATMUL, variant + shapes(shapes), FLOAT, attributes,
                            Operand.of(shapes[0]), Operand.of(shapes[1])));
                }
                Map<String, Object> scaled = Map.of("transA", transA, "transB", transB, "alpha", 0.5f, "beta", 2f);
                for (long[] c : new long[][] {{3, 5}, {5}, {1, 5}, {3, 1}, {}}) {
                    all.add(RuleCase.of("Gemm", variant + "C " + shapes(c), BOTH, scaled, Operand.of(left),
                            Operand.of(right), Operand.of(c)));
                }
                all.add(RuleCase.of("Gemm", variant + "no C", BOTH, attributes, Operand.of(left), Operand.of(right)));
            }
        }
    }

    private static void convolutions(List<RuleCase> all) {
        all.add(RuleCase.of("Conv", "2 x 2 patches with bias", FLOAT, Map.of("strides", List.of(2L, 2L)),
                Operand.of(2, 3, 4, 6), Operand.of(5, 3, 2, 2), Operand.of(5)));
        all.add(RuleCase.of("Conv", "oblong patches that leave a rest", FLOAT, Map.of("strides", List.of(2L, 3L)),
                Operand.of(2, 2, 5, 7), Operand.of(3, 2, 2, 3)));
        all.add(RuleCase.of("Conv", "one dimension", FLOAT, Map.of("strides", List.of(3L), "kernel_shape", List.of(3L)),
                Operand.of(2, 2, 6), Operand.of(3, 2, 3), Operand.of(3)));
        all.add(RuleCase.of("Conv", "1 x 1", FLOAT, Map.of(), Operand.of(2, 2, 2, 3), Operand.of(3, 2, 1, 1)));
    }

    private static void normalizations(List<RuleCase> all) {
        for (String op : List.of("Softmax", "LogSoftmax")) {
            all.add(RuleCase.of(op, "default axis", BOTH, Map.of(), Operand.of(2, 4)));
            all.add(RuleCase.of(op, "axis 1 of 3", BOTH, Map.of("axis", 1L), Operand.of(2, 4, 3)));
            all.add(RuleCase.of(op, "axis −1", BOTH, Map.of("axis", -1L), Operand.of(2, 2, 4)));
        }
        all.add(RuleCase.with("Softmax", "attention", BOTH, (b, in) -> List.of(b.matMul(b.softmax(in[0], -1), in[1])),
                Operand.of(2, 4, 5), Operand.of(2, 5, 2)));
        all.add(RuleCase.with("Softmax", "attention, fused product", FLOAT, (b, in) -> List.of(
                b.matMul(b.softmax(in[0], -1), false, in[1], true, 0.5)), Operand.of(2, 4, 5), Operand.of(2, 2, 5)));
        all.add(RuleCase.with("Softmax", "attention, whose weights are used twice", BOTH, (b, in) -> {
            Value weights = b.softmax(in[0], -1);
            return List.of(b.matMul(weights, in[1]), b.mul(weights, weights));
        }, Operand.of(2, 4, 5), Operand.of(2, 5, 2)));
        all.add(RuleCase.with("Softmax", "attention, whose weights are an output too", BOTH, (b, in) -> {
            Value weights = b.softmax(in[0], -1);
            return List.of(b.matMul(weights, in[1]), weights);
        }, Operand.of(2, 4, 5), Operand.of(2, 5, 2)));
        all.add(RuleCase.with("Softmax", "attention, broadcast over values", BOTH, (b, in) -> List.of(
                b.matMul(b.softmax(in[0], -1), in[1])), Operand.of(4, 5), Operand.of(2, 5, 2)));
        for (long[] shape : new long[][] {{3, 4}, {2, 4, 3}, {2, 4, 2, 3}}) {
            all.add(RuleCase.of("BatchNormalization", shapes(shape), FLOAT, Map.of("epsilon", 1e-2f),
                    Operand.of(shape), Operand.of(4), Operand.of(4), Operand.of(4), Operand.positive(4)));
        }
        for (long[] shape : new long[][] {{3, 6}, {2, 2, 6}}) {
            all.add(RuleCase.of("LayerNormalization", shapes(shape), BOTH, Map.of("epsilon", 1e-3f), Operand.of(shape),
                    Operand.of(6), Operand.of(6)));
            all.add(RuleCase.of("LayerNormalization", shapes(shape) + " without bias", BOTH,
                    Map.of("axis", (long) shape.length - 1), Operand.of(shape), Operand.of(6)));
            all.add(RuleCase.with("LayerNormalization", shapes(shape) + " with its statistics", FLOAT, (b, in) ->
                    node(b, "LayerNormalization", Map.of("epsilon", 1e-3f), 3, in), Operand.of(shape), Operand.of(6),
                    Operand.of(6)));
            for (int i = 1; i < 3; i++) {
                int statistic = i;
                all.add(RuleCase.with("LayerNormalization", shapes(shape) + ", statistic " + i + " alone", FLOAT,
                        (b, in) -> List.of(node(b, "LayerNormalization", Map.of(), 3, in[0],
                                b.constant(Tensor.filled(in[0].type(), Shape.of(6), 2))).get(statistic)),
                        Operand.of(shape)));
            }
            all.add(RuleCase.with(NormalRows.OP, shapes(shape), BOTH, (b, in) -> List.of(
                    NormalRows.write(b, in[0], 1e-3).units()), Operand.of(shape)));
            String variant = shapes(shape) + ", an inner value is used elsewhere";
            all.add(RuleCase.with(NormalRows.OP, variant, BOTH, (b, in) -> {
                NormalRows.Rows rows = NormalRows.write(b, in[0], 1e-3);
                return List.of(rows.units(), rows.inverse());
            }, Operand.of(shape)));
        }
    }

    private static void reductions(List<RuleCase> all) {
        for (String op : List.of("ReduceSum", "ReduceMean", "ReduceSumSquare")) {
            for (long keep = 0; keep < 2; keep++) {
                Map<String, Object> attributes = Map.of("keepdims", keep);
                all.add(RuleCase.of(op, "all, keepdims " + keep, BOTH, attributes, Operand.of(2, 3)));
                for (long[] axes : new long[][] {{}, {1}, {-1}, {0, 2}}) {
                    String variant = "axes " + shapes(axes) + ", keepdims " + keep;
                    all.add(RuleCase.with(op, variant, BOTH, (b, in) -> reduced(b, op, attributes, axes, in[0]),
                            Operand.of(2, 3, 4)));
                    all.add(RuleCase.with(op, variant + ", then squared", BOTH, (b, in) -> {
                        Value r = reduced(b, op, attributes, axes, in[0]).get(0);
                        return List.of(b.mul(r, r), in[0]);
                    }, Operand.of(2, 3, 4)));
                }
            }
        }
        for (long[] axes : new long[][] {{1}, {0, 2}}) {
            // Far enough apart that no step changes which element is the largest.
            float[] apart = new float[24];
            for (int i = 0; i < apart.length; i++) {
                apart[i] = 5 * (i * 7 % apart.length);
            }
            all.add(RuleCase.with("ReduceMax", "axes " + shapes(axes), FLOAT, (b, in) -> reduced(b, "ReduceMax",
                    Map.of("keepdims", axes.length % 2L), axes, b.add(in[0], b.constant(Tensor.of(apart, 2, 3, 4)))),
                    Operand.of(2, 3, 4)));
        }
        all.add(RuleCase.with("ReduceMax", "equal elements of all", FLOAT, (b, in) -> node(b, "ReduceMax", Map.of(), 1,
                b.expand(in[0], 2, 3)), Operand.of(1, 1)));
    }

    private static List<Value> reduced(GraphBuilder b, String op, Map<String, Object> attributes, long[] axes,
                                       Value x) {
        if (op.equals("ReduceSum")) {
            return node(b, op, attributes, 1, x, b.integers(axes));
        }
        Map<String, Object> all = new HashMap<>(attributes);
        all.put("axes", Arrays.stream(axes).boxed().toList());
        return node(b, op, all, 1, x);
    }

    private static void layout(List<RuleCase> all) {
        all.add(RuleCase.with("Reshape", "", BOTH, (b, in) -> List.of(b.reshape(in[0], 0, -1, 2)),
                Operand.of(2, 3, 4)));
        all.add(RuleCase.of("Flatten", "axis 2", BOTH, Map.of("axis", 2L), Operand.of(2, 3, 2)));
        all.add(RuleCase.with("Squeeze", "", BOTH, (b, in) -> List.of(b.squeeze(in[0], 1)), Operand.of(2, 1, 3)));
        all.add(RuleCase.with("Unsqueeze", "", BOTH, (b, in) -> List.of(b.unsqueeze(in[0], 0, 2)), Operand.of(2, 3)));
        all.add(RuleCase.of("Transpose", "reversed", BOTH, Map.of(), Operand.of(2, 3, 4)));
        all.add(RuleCase.with("Transpose", "cyclic", BOTH, (b, in) -> List.of(b.transpose(in[0], 1, 2, 0)),
                Operand.of(2, 3, 4)));
        all.add(RuleCase.with("Transpose", "of a mean", BOTH, (b, in) -> List.of(
                b.reduceMean(b.transpose(in[0], 1, 2, 0), true, 1)), Operand.of(2, 3, 4)));
        all.add(RuleCase.with("Expand", "", BOTH, (b, in) -> List.of(b.expand(in[0], 2, 3, 4)), Operand.of(3, 1)));
        all.add(RuleCase.with("Expand", "of a mean's gradient", BOTH, (b, in) -> List.of(
                b.reduceMean(b.expand(in[0], 2, 3, 4), false, 0, 1)), Operand.of(3, 1)));
        all.add(RuleCase.with("Concat", "", BOTH, (b, in) -> List.of(b.concat(1, List.of(in[0], in[1]))),
                Operand.of(2, 2), Operand.of(2, 3)));
        all.add(RuleCase.with("Concat", "with a constant and a repeated part", BOTH, (b, in) -> {
            Value ones = b.constant(Tensor.filled(in[0].type(), Shape.of(2, 1), 1));
            return List.of(b.concat(-1, List.of(in[0], ones, in[1], in[0])));
        }, Operand.of(2, 2), Operand.of(2, 3)));
        all.add(RuleCase.with("Split", "", BOTH, (b, in) -> b.split(in[0], 1, 2, 1, 3), Operand.of(2, 6)));
        all.add(RuleCase.with("Split", "one part unused", BOTH, (b, in) -> List.of(b.split(in[0], 1, 2, 1, 3).get(1)),
                Operand.of(2, 6)));
        all.add(RuleCase.with("Slice", "one axis", BOTH, (b, in) -> List.of(b.slice(in[0], 1, 1, 3)),
                Operand.of(2, 4)));
        all.add(RuleCase.with("Slice", "parts that overlap", BOTH, (b, in) -> List.of(b.slice(in[0], 1, 0, 3),
                b.slice(in[0], -1, 1, 3), b.slice(in[0], 1, 3, 4), b.slice(in[0], 0, -1, 100)), Operand.of(2, 4)));
        all.add(RuleCase.with("Slice", "two axes with steps", BOTH, (b, in) -> node(b, "Slice", Map.of(), 1, in[0],
                b.integers(0, 1), b.integers(5, 4), b.integers(1, 2), b.integers(2, 3)), Operand.of(2, 5, 4)));
        all.add(RuleCase.with("Slice", "leading axes", BOTH, (b, in) -> node(b, "Slice", Map.of(), 1, in[0],
                b.integers(1, -2), b.integers(2, 4)), Operand.of(2, 4, 2)));
        all.add(RuleCase.with("Pad", "", BOTH, (b, in) -> node(b, "Pad", Map.of(), 1, in[0], b.integers(1, 0, 2, 1)),
                Operand.of(2, 3)));
        for (long[] pads : new long[][] {{-1, 0, 0, -2}, {-1, 2, 3, -2}, {2, -1, -2, 0}}) {
            all.add(RuleCase.with("Pad", Arrays.toString(pads), BOTH, (b, in) -> node(b, "Pad", Map.of(), 1, in[0],
                    b.integers(pads)), Operand.of(3, 4)));
        }
        all.add(RuleCase.with("Gather", "one entry", BOTH, (b, in) -> node(b, "Gather", Map.of("axis", 1L), 1, in[0],
                b.constant(new Tensor(ElementType.INT64, Shape.SCALAR, new long[] {-1}))), Operand.of(2, 3, 2)));
        all.add(RuleCase.with("Gather", "each entry once", BOTH, (b, in) -> {
            List<Value> entries = new ArrayList<>();
            for (long i = 0; i < 3; i++) {
                entries.addAll(node(b, "Gather", Map.of(), 1, in[0],
                        b.constant(new Tensor(ElementType.INT64, Shape.SCALAR, new long[] {i}))));
            }
            return entries;
        }, Operand.of(3, 2)));
        all.add(RuleCase.with("Gather", "repeated entries", BOTH, (b, in) -> List.of(b.gather(in[0], 0, 2, 0, 2, -1)),
                Operand.of(4, 2)));
        all.add(RuleCase.with("Gather", "repeated entries of a middle axis, a matrix of indices", BOTH,
                (b, in) -> node(b, "Gather", Map.of("axis", 1L), 1, in[0], b.constant(
                        new Tensor(ElementType.INT64, Shape.of(2, 2), new long[] {1, 1, 0, 3}))), Operand.of(2, 4, 3)));
        all.add(RuleCase.with("Gather", "repeated entries of 32 bits", BOTH, (b, in) -> node(b, "Gather", Map.of(), 1,
                in[0], b.constant(new Tensor(ElementType.INT32, Shape.of(3), new int[] {2, 0, 2}))),
                Operand.of(4, 2)));
        all.add(RuleCase.with("Gather", "computed indices", BOTH, (b, in) -> node(b, "Gather", Map.of(), 1, in[0],
                b.cast(b.constant(Tensor.of(new float[] {1, 1, 2}, 3)), ElementType.INT64)), Operand.of(3, 2)));
    }

    private static String shapes(long[]... shapes) {
        return Arrays.deepToString(shapes);
    }
}

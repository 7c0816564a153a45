package io.emtal.onnx.autodiff;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.GraphSession;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class GradientsTest {

    private final GraphBuilder b = new GraphBuilder();

    @Test
    void severalUsesAreSummed() throws Exception {
        Value x = b.input("x", ElementType.FLOAT, 2);
        Value y = b.add(b.mul(x, x), b.add(x, b.mul(x, 3)));
        Value loss = b.reduceSum(y, false);
        b.output("gradient", Gradients.of(b, loss, List.of(x)).get(0));
        try (GraphSession session = new GraphSession(b.build())) {
            Tensor gradient = session.run(Map.of("x", Tensor.of(new float[] {1, -2}, 2))).get("gradient");
            assertArrayEquals(new float[] {6, 0}, gradient.floats());
        }
    }

    @Test
    void computedValuesAndTheLossItselfHaveGradients() throws Exception {
        Value x = b.input("x", ElementType.FLOAT, 3);
        Value hidden = b.mul(x, x);
        Value loss = b.reduceMean(b.mul(hidden, 5), false, 0);
        List<Value> gradients = Gradients.of(b, loss, List.of(x, hidden, loss));
        for (int i = 0; i < 3; i++) {
            b.output("g" + i, gradients.get(i));
        }
        assertEquals(List.of(x.shape(), hidden.shape(), Shape.SCALAR), gradients.stream().map(Value::shape).toList());
        try (GraphSession session = new GraphSession(b.build())) {
            Map<String, Tensor> found = session.run(Map.of("x", Tensor.of(new float[] {1, 2, 3}, 3)));
            assertArrayEquals(new float[] {10f / 3, 20f / 3, 10}, found.get("g0").floats(), 1e-5f);
            assertArrayEquals(new float[] {5f / 3, 5f / 3, 5f / 3}, found.get("g1").floats(), 1e-6f);
            assertArrayEquals(new float[] {1}, found.get("g2").floats());
        }
    }

    @Test
    void frozenBranchesAreNotVisited() {
        Value x = b.input("x", ElementType.FLOAT, 2, 2);
        Value frozen = b.input("frozen", ElementType.FLOAT, 2, 2);
        // IsNaN and Not have no rule: they must not matter where nothing differentiable passes.
        Value mask = b.apply("Not", Map.of(), b.isNaN(b.apply("ReduceMax", Map.of("keepdims", 0L), frozen)));
        Value loss = b.reduceSum(b.where(mask, b.matMul(x, frozen), frozen), false);
        int before = b.nodes().size();
        Gradients.of(b, loss, List.of(x));
        assertTrue(b.nodes().stream().skip(before).noneMatch(n -> n.op().equals("Gemm")),
                "a product for the frozen operand");
    }

    @Test
    void valuesThatTheLossDoesNotDependOnAreNamed() {
        Value x = b.input("x", ElementType.FLOAT, 2);
        Value alone = b.input("alone", ElementType.FLOAT, 2);
        Value other = b.input("other", ElementType.FLOAT, 2);
        b.add(alone, x);
        Value loss = b.reduceSum(x, false);
        EmtalException e = assertThrows(EmtalException.class, () -> Gradients.of(b, loss, List.of(x, alone, other)));
        assertTrue(e.getMessage().contains("'alone', 'other'"), e.getMessage());
    }

    @Test
    void allNodesWithoutARuleAreNamed() {
        Value x = b.input("x", ElementType.FLOAT, 2, 3);
        Value signed = b.sign(x);
        Value rounded = b.reduceSum(b.apply("Round", Map.of(), b.exp(x)), false);
        Value kernel = b.constant(Tensor.of(new float[4], 1, 1, 2, 2));
        Value conv = b.apply("Conv", Map.of(), b.reshape(x, 1, 1, 2, 3), kernel);
        Value loss = b.add(b.add(b.reduceSum(signed, false), rounded), b.reduceSum(conv, false));
        EmtalException e = assertThrows(EmtalException.class, () -> Gradients.of(b, loss, List.of(x)));
        for (Node node : b.nodes()) {
            boolean refused = List.of("Sign", "Round", "Conv").contains(node.op());
            assertEquals(refused, e.getMessage().contains("'" + node.name() + "'"), e.getMessage());
        }
        assertTrue(e.getMessage().endsWith("the operators " + String.join(" ", BackwardRules.operators())),
                e.getMessage());
    }

    @Test
    void powersOfAnotherTypeAreRefusedByName() {
        Value x = b.input("x", ElementType.FLOAT, 2);
        Value power = b.apply("Pow", Map.of(), x, b.input("exponent", ElementType.INT64));
        EmtalException e = assertThrows(EmtalException.class,
                () -> Gradients.of(b, b.reduceSum(power, false), List.of(x)));
        assertTrue(e.getMessage().contains("node '" + power.name() + "': operator Pow with an exponent of type INT64,"
                + " allowed is FLOAT"), e.getMessage());
    }

    /** y = x·(W + A·B) + 3 W, by the W that is a constant, too. */
    @Test
    void constantsOfPatternsHaveGradients() throws Exception {
        Value x = b.input("x", ElementType.FLOAT, 1, 1);
        Value first = b.input("a", ElementType.FLOAT, 1, 1);
        Value second = b.input("b", ElementType.FLOAT, 1, 1);
        Value w = b.constant(Tensor.of(new float[] {2}, 1, 1));
        Value y = b.add(b.matMul(x, b.add(w, b.matMul(first, second))), b.mul(w, 3));
        List<Value> gradients = Gradients.of(b, b.reduceSum(y, false), List.of(x, first, second, w));
        for (int i = 0; i < 4; i++) {
            b.output("g" + i, gradients.get(i));
        }
        try (GraphSession session = new GraphSession(b.build())) {
            Map<String, Tensor> found = session.run(Map.of("x", Tensor.of(new float[] {5}, 1, 1),
                    "a", Tensor.of(new float[] {3}, 1, 1), "b", Tensor.of(new float[] {4}, 1, 1)));
            assertEquals(List.of(14f, 20f, 15f, 8f), List.of(found.get("g0").floats()[0],
                    found.get("g1").floats()[0], found.get("g2").floats()[0], found.get("g3").floats()[0]));
        }
    }

    /** The ½ of a GELU that is written out. */
    @Test
    void factorsOfPatternsHaveGradients() throws Exception {
        Value x = b.input("x", ElementType.FLOAT, 2);
        Value half = b.constant(Tensor.of(new float[] {0.5f}, 1));
        Value f = b.add(b.erf(b.mul(x, Math.sqrt(0.5))), b.constant(1, x));
        Value loss = b.reduceSum(b.mul(b.mul(x, f), half), false);
        b.output("gradient", Gradients.of(b, loss, List.of(x, half)).get(1));
        try (GraphSession session = new GraphSession(b.build())) {
            Tensor gradient = session.run(Map.of("x", Tensor.of(new float[] {1, 0}, 2))).get("gradient");
            assertArrayEquals(new float[] {1.6826895f}, gradient.floats(), 1e-5f);
        }
    }

    /** One lean gradient, [1, 1], is spelled out to the shapes of both products. */
    @Test
    void leanGradientsAreSpelledOutForEachShape() throws Exception {
        Value x = b.input("x", ElementType.FLOAT, 2, 3);
        Value w = b.input("w", ElementType.FLOAT, 3, 1);
        Value u = b.input("u", ElementType.FLOAT, 2, 1);
        Value v = b.input("v", ElementType.FLOAT, 1, 2);
        Value loss = b.reduceSum(b.add(b.matMul(x, w), b.reduceSum(b.matMul(u, v), true, 1)), false);
        List<Value> gradients = Gradients.of(b, loss, List.of(x, w, u, v));
        for (int i = 0; i < 4; i++) {
            b.output("g" + i, gradients.get(i));
        }
        try (GraphSession session = new GraphSession(b.build())) {
            Map<String, Tensor> found = session.run(Map.of("x", Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3),
                    "w", Tensor.of(new float[] {7, 8, 9}, 3, 1), "u", Tensor.of(new float[] {1, 2}, 2, 1),
                    "v", Tensor.of(new float[] {3, 5}, 1, 2)));
            assertEquals(Tensor.of(new float[] {7, 8, 9, 7, 8, 9}, 2, 3), found.get("g0"));
            assertEquals(Tensor.of(new float[] {5, 7, 9}, 3, 1), found.get("g1"));
            assertEquals(Tensor.of(new float[] {8, 8}, 2, 1), found.get("g2"));
            assertEquals(Tensor.of(new float[] {3, 3}, 1, 2), found.get("g3"));
        }
    }

    @Test
    void lossesOfSeveralElementsAreRefused() {
        Value x = b.input("x", ElementType.FLOAT, 2);
        assertThrows(EmtalException.class, () -> Gradients.of(b, x, List.of(x)));
    }

    @Test
    void openShapesAreRefused() {
        Value x = b.input("x", ElementType.FLOAT, Shape.BATCH, 2);
        Value loss = b.reduceSum(b.exp(x), false);
        EmtalException e = assertThrows(EmtalException.class, () -> Gradients.of(b, loss, List.of(x)));
        assertTrue(e.getMessage().contains("[batch, 2]"), e.getMessage());
    }

    /** One Gemm over flattened rows for a weight under batched activations, and no copy that transposes. */
    @Test
    void weightsUnderBatchedActivationsTakeOneProduct() {
        Value x = b.input("x", ElementType.FLOAT, 4, 5, 6);
        Value w = b.input("w", ElementType.FLOAT, 6, 7);
        Value loss = b.reduceSum(b.matMul(x, w), false);
        int before = b.nodes().size();
        Gradients.of(b, loss, List.of(x, w));
        List<String> ops = b.nodes().stream().skip(before).map(Node::op).filter(o -> !o.equals("Reshape")).toList();
        assertEquals(List.of("Expand", "FusedMatMul", "Gemm"), ops);
    }
}

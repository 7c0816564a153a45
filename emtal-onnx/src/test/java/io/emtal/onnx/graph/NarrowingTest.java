package io.emtal.onnx.graph;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.BiFunction;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

class NarrowingTest {

    private static final int TOKENS = 6;
    private static final int WIDTH = 4;

    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);

    /** One attention with two heads and a layer behind it, then what is read of it. */
    private Graph network(BiFunction<GraphBuilder, Value, Value> read) {
        GraphBuilder b = new GraphBuilder();
        Value x = b.input("x", ElementType.FLOAT, Shape.BATCH, TOKENS, WIDTH);
        Value placed = b.add(x, b.initializer("positions", random(TOKENS, WIDTH)));
        List<Value> parts = b.split(b.matMul(placed, b.initializer("qkv", random(WIDTH, 3 * WIDTH))), -1, WIDTH, WIDTH, WIDTH);
        Value scores = b.matMul(heads(b, parts.get(0), 0, 2, 1, 3), heads(b, parts.get(1), 0, 2, 3, 1));
        Value mixed = b.matMul(b.softmax(scores, -1), heads(b, parts.get(2), 0, 2, 1, 3));
        Value joined = b.reshape(b.transpose(mixed, 0, 2, 1, 3), 0, TOKENS, WIDTH);
        Value y = b.add(placed, b.apply("Identity", Map.of(), b.add(joined, b.initializer("places", random(1, TOKENS, WIDTH)))));
        Value z = b.gelu(b.matMul(b.layerNorm(y, b.initializer("scale", random(WIDTH)), b.initializer("shift", random(WIDTH)),
                1e-5), b.initializer("w", random(WIDTH, 5))));
        Value normal = b.mul(z, b.reciprocal(b.sqrt(b.add(b.reduceSum(b.mul(z, z), true, 2), b.constant(1)))));
        b.output("out", read.apply(b, normal));
        return b.build();
    }

    private static Value heads(GraphBuilder b, Value x, long... order) {
        return b.transpose(b.reshape(x, 0, TOKENS, 2, WIDTH / 2), order);
    }

    private Tensor random(long... extents) {
        Tensor tensor = Tensor.filled(ElementType.FLOAT, Shape.of(extents), 0);
        for (int i = 0; i < tensor.floats().length; i++) {
            tensor.floats()[i] = (float) random.nextGaussian();
        }
        return tensor;
    }

    private Graph assertSameResult(Graph graph, Set<String> whole) throws Exception {
        Graph narrow = Narrowing.of(graph, whole);
        Map<String, Tensor> fed = Map.of("x", random(3, TOKENS, WIDTH));
        try (GraphSession first = new GraphSession(graph); GraphSession second = new GraphSession(narrow)) {
            Tensor expected = first.run(fed).get("out");
            Tensor found = second.run(fed).get("out");
            assertEquals(expected.shape(), found.shape());
            assertArrayEquals(expected.floats(), found.floats(), 1e-5f, "seed " + seed);
        }
        return narrow;
    }

    private static long extent(Graph graph, String op, int count, int axis) {
        return graph.nodes().stream().filter(n -> n.op().equals(op)).skip(count).findFirst().orElseThrow().output()
                .extent(axis);
    }

    @ParameterizedTest
    @ValueSource(longs = {0, 2, -1, -TOKENS})
    void oneTokenIsGathered(long token) throws Exception {
        Graph narrow = assertSameResult(network((b, y) -> b.squeeze(b.gather(y, 1, token), 1)), Set.of());
        // Products of the graph: queries, keys and values; scores; what is mixed; the layer.
        assertEquals(TOKENS, extent(narrow, "MatMul", 0, 1));
        assertEquals(1, extent(narrow, "MatMul", 1, 2));
        assertEquals(TOKENS, extent(narrow, "MatMul", 1, 3));
        assertEquals(1, extent(narrow, "MatMul", 2, 2));
        assertEquals(1, extent(narrow, "MatMul", 3, 1));
    }

    @Test
    void twoTokensAreSliced() throws Exception {
        Graph narrow = assertSameResult(network((b, y) -> b.slice(y, 1, 3, 5)), Set.of());
        assertEquals(2, extent(narrow, "MatMul", 1, 2));
        assertEquals(2, extent(narrow, "MatMul", 3, 1));
    }

    @Test
    void whatHasToStayWholeStays() throws Exception {
        Graph graph = network((b, y) -> b.slice(y, 1, 0, 1));
        String layer = graph.nodes().stream().filter(n -> n.op().equals("MatMul")).skip(3).findFirst().orElseThrow()
                .output().name();
        Graph narrow = assertSameResult(graph, Set.of(layer));
        assertEquals(TOKENS, extent(narrow, "MatMul", 1, 2));
        assertEquals(TOKENS, extent(narrow, "MatMul", 3, 1));
        assertEquals(1, extent(narrow, "Erf", 0, 1));
    }

    @Test
    void differentRangesNeedAll() throws Exception {
        Graph narrow = assertSameResult(network((b, y) -> b.concat(1, List.of(b.slice(y, 1, 0, 1), b.slice(y, 1, 4, 5)))),
                Set.of());
        assertEquals(TOKENS, extent(narrow, "MatMul", 3, 1));
    }

    @Test
    void aMeanNeedsAll() {
        Graph graph = network((b, y) -> b.reduceMean(y, false, 1));
        assertSame(graph, Narrowing.of(graph, Set.of()));
    }

    @Test
    void mostOfTheTokensIsNotWorthIt() {
        Graph graph = network((b, y) -> b.slice(y, 1, 1, TOKENS));
        assertSame(graph, Narrowing.of(graph, Set.of()));
    }

    /** With rows and tokens in one axis of open extent, a token's range is no range of as many columns. */
    @Test
    void tokensAreNoColumns() throws Exception {
        GraphBuilder b = new GraphBuilder();
        Value x = b.input("x", ElementType.FLOAT, Shape.BATCH, TOKENS, TOKENS);
        Value rows = b.gemm(b.reshape(b.mul(x, x), -1, TOKENS), b.initializer("w", random(TOKENS, TOKENS)),
                b.initializer("bias", random(TOKENS)));
        b.output("out", b.squeeze(b.slice(b.exp(b.reshape(rows, -1, TOKENS, TOKENS)), 1, 0, 1), 1));
        Graph graph = b.build();
        Graph narrow = Narrowing.of(graph, Set.of());
        Map<String, Tensor> fed = Map.of("x", random(3, TOKENS, TOKENS));
        try (GraphSession first = new GraphSession(graph); GraphSession second = new GraphSession(narrow)) {
            assertArrayEquals(first.run(fed).get("out").floats(), second.run(fed).get("out").floats(), 1e-5f,
                    "seed " + seed);
        }
        assertEquals(1, extent(narrow, "Exp", 0, 1));
    }

    @Test
    void whatIsFedIsTakenAsItIs() throws Exception {
        GraphBuilder b = new GraphBuilder();
        Value x = b.input("x", ElementType.FLOAT, Shape.BATCH, TOKENS, WIDTH);
        b.output("out", b.squeeze(b.slice(b.mul(x, 2), 1, 1, 2), 1));
        Graph narrow = assertSameResult(b.build(), Set.of());
        assertEquals(1, extent(narrow, "Mul", 0, 1));
    }
}

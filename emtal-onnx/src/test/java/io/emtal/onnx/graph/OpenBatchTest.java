package io.emtal.onnx.graph;

import io.emtal.onnx.EmtalException;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.BiFunction;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Graphs for one row, opened: every row of a batch gives what it gives alone. */
class OpenBatchTest {

    private static final int ROWS = 3;

    /** Graphs on an input x [1, 4, 6]. */
    private static final Map<String, BiFunction<GraphBuilder, Value, Value>> GOOD = new LinkedHashMap<>();

    /** Graphs on the same input that mix rows, or whose rows cannot be followed. */
    private static final Map<String, BiFunction<GraphBuilder, Value, Value>> BAD = new LinkedHashMap<>();

    /** Graphs on an input x [batch, 4, 6] that do for every row what they do for one. */
    private static final Map<String, BiFunction<GraphBuilder, Value, Value>> ROWWISE = new LinkedHashMap<>();

    /** Graphs on the same input that mix rows, none of which one row alone shows. */
    private static final Map<String, BiFunction<GraphBuilder, Value, Value>> MIXING = new LinkedHashMap<>();

    static {
        GOOD.put("a batch and its sizes as constants", (b, x) ->
                b.reshape(b.transpose(b.reshape(x, 1, 4, 2, 3), 0, 2, 1, 3), 1, 2, 12));
        GOOD.put("rows and tokens in one axis", (b, x) -> b.reshape(b.gemm(b.reshape(x, 4, 6), numbers(b, 6, 5),
                numbers(b, 5)), 1, 4, 5));
        GOOD.put("rows and tokens in one axis, transposed weight", (b, x) -> b.apply("Gemm", Map.of("transB", 1L),
                b.reshape(x, -1, 6), numbers(b, 5, 6)));
        GOOD.put("tokens first", (b, x) -> {
            Value turned = b.transpose(x, 1, 0, 2);
            Value projected = b.add(b.matMul(turned, numbers(b, 6, 6)), numbers(b, 6));
            Value heads = b.transpose(b.reshape(projected, 4, 2, 3), 1, 0, 2);
            Value weights = b.softmax(b.matMul(heads, b.transpose(heads, 0, 2, 1)), -1);
            Value mixed = b.reshape(b.transpose(b.matMul(weights, heads), 1, 0, 2), 4, 6);
            return b.transpose(b.reshape(b.gemm(mixed, numbers(b, 6, 6), numbers(b, 6)), 4, 1, 6), 1, 0, 2);
        });
        GOOD.put("parts in front of the rows", (b, x) -> {
            Value all = b.transpose(b.reshape(x, 1, 4, 3, 2), 2, 0, 1, 3);
            return b.add(b.squeeze(b.slice(all, 0, 0, 1), 0), b.apply("Gather", Map.of("axis", 0L), all,
                    b.constant(new Tensor(ElementType.INT64, Shape.SCALAR, new long[] {2}))));
        });
        GOOD.put("a learned token in front", (b, x) -> b.concat(1, List.of(b.expand(numbers(b, 1, 1, 6), 1, 1, 6), x)));
        GOOD.put("a learned token behind, tokens first", (b, x) -> b.concat(0, List.of(b.transpose(x, 1, 0, 2),
                numbers(b, 1, 1, 6))));
        GOOD.put("integers joined with a learned one", (b, x) -> b.cast(b.concat(1, List.of(b.constant(Tensor.of(
                new long[] {5, 5, 5, 5, 5, 5}, 1, 1, 6)), b.cast(b.mul(x, 9), ElementType.INT64))), ElementType.FLOAT));
        GOOD.put("a number joined with infinities", (b, x) -> b.concat(1, List.of(numbers(b, 1, 1, 6),
                b.where(b.apply("Greater", Map.of(), x, b.constant(0)), b.constant(Double.NEGATIVE_INFINITY), x))));
        GOOD.put("a learned query", (b, x) ->
                b.matMul(b.softmax(b.matMul(numbers(b, 1, 2, 6), b.transpose(x, 0, 2, 1)), -1), x));
        GOOD.put("no rows at all", (b, x) -> b.add(b.squeeze(x, 0), numbers(b, 4, 6)));
        GOOD.put("an axis of 1 more", (b, x) -> b.mul(b.unsqueeze(x, 0, 3), numbers(b, 1, 1, 4, 1, 6)));
        GOOD.put("positions tokens first", (b, x) -> b.add(b.transpose(x, 1, 0, 2), numbers(b, 4, 1, 6)));
        GOOD.put("a mean keeps or drops its axis", (b, x) -> b.mul(b.reduceMean(b.transpose(x, 1, 0, 2), true, 0),
                b.reduceSum(x, false, 1)));
        GOOD.put("a norm of tokens first", (b, x) ->
                b.layerNorm(b.transpose(x, 1, 0, 2), numbers(b, 6), numbers(b, 6), 1e-5));
        GOOD.put("all of the rows sliced", (b, x) -> b.apply("Slice", Map.of(), x, b.integers(0, 1),
                b.integers(Long.MAX_VALUE, 3), b.integers(0, 1)));
        GOOD.put("flattened", (b, x) -> b.apply("Flatten", Map.of(), x));
        GOOD.put("padded tokens first", (b, x) -> b.apply("Pad", Map.of(), b.transpose(x, 1, 0, 2),
                b.integers(1, 0, 0, 2, 0, 1)));
        GOOD.put("operands of several ranks", (b, x) -> b.add(b.transpose(x, 1, 0, 2), b.reduceMean(x, false, 1)));

        BAD.put("a mean over the rows", (b, x) -> b.reduceMean(x, true, 0));
        BAD.put("a sum of everything", (b, x) -> b.reduceSum(x, false));
        BAD.put("a softmax over the rows", (b, x) -> b.softmax(x, 0));
        BAD.put("a softmax over rows and heads", (b, x) -> b.softmax(b.reshape(x, 4, 6), 0));
        BAD.put("rows joined", (b, x) -> b.concat(0, List.of(x, x)));
        BAD.put("rows joined with a constant", (b, x) -> b.concat(0, List.of(x, numbers(b, 1, 4, 6))));
        BAD.put("the first row", (b, x) -> b.gather(x, 0, 0));
        BAD.put("a constant for every row", (b, x) -> b.add(x, numbers(b, 2, 4, 6)));
        BAD.put("products of rows", (b, x) -> {
            Value flat = b.reshape(x, 1, 24);
            return b.matMul(b.transpose(flat, 1, 0), flat);
        });
        BAD.put("rows that lie differently", (b, x) -> b.add(b.reshape(x, 1, 24), b.reshape(x, 24, 1)));
        BAD.put("truths joined with a constant", (b, x) -> b.cast(b.concat(1, List.of(b.isNaN(x), b.constant(new Tensor(
                ElementType.BOOL, Shape.of(1, 1, 6), new boolean[6])))), ElementType.FLOAT));
        BAD.put("rows repeated", (b, x) -> b.expand(x, 2, 4, 6));
        BAD.put("an operator that scatters", (b, x) -> b.apply("ScatterND", Map.of(), x,
                b.constant(Tensor.of(new long[] {0}, 1, 1)), numbers(b, 1, 4, 6)));

        ROWWISE.put("rows behind a new axis, joined with tokens first", (b, x) -> {
            Value flat = b.reshape(b.slice(x, 1, 0, 1), 1, -1, 6);
            return b.transpose(b.concat(0, List.of(flat, b.transpose(x, 1, 0, 2))), 1, 0, 2);
        });
        ROWWISE.put("tokens first in one axis with the rows", (b, x) -> {
            Value flat = b.reshape(b.transpose(x, 1, 0, 2), -1, 6);
            Value norm = b.softmax(b.gemm(flat, numbers(b, 6, 6), numbers(b, 6)), -1);
            return b.transpose(b.reshape(norm, 4, -1, 6), 1, 0, 2);
        });
        ROWWISE.put("a learned token for every row", (b, x) -> b.concat(1, List.of(b.softmax(b.add(
                b.expand(numbers(b, 1, 1, 6), x.extent(0), 1, 1), numbers(b, 1, 6)), -1), x)));
        ROWWISE.put("zeros for every row", (b, x) -> b.add(x, b.constant(Tensor.filled(ElementType.FLOAT,
                Shape.of(x.extent(0), 4, 1), 2))));

        MIXING.put("the first row", (b, x) -> b.sub(x, b.slice(x, 0, 0, 1)));
        MIXING.put("a softmax over the rows", (b, x) ->
                b.reshape(b.softmax(b.reshape(b.slice(x, 1, 0, 1), 1, -1, 6), 1), -1, 6));
        MIXING.put("a softmax over rows and tokens", (b, x) -> b.softmax(b.reshape(b.transpose(x, 1, 0, 2), -1, 6), 0));
        MIXING.put("entries of other rows", (b, x) -> b.transpose(b.reshape(x, 4, -1, 6), 1, 0, 2));
        MIXING.put("a sum that grows with the rows", (b, x) -> b.mul(x, b.reduceSum(
                b.expand(numbers(b, 1, 1, 6), x.extent(0), 1, 1), true, 0)));
        MIXING.put("a softmax of a constant over the rows", (b, x) -> b.mul(x, b.softmax(
                b.expand(numbers(b, 1, 1, 6), x.extent(0), 1, 1), 0)));
        MIXING.put("a part behind as many as there are rows", (b, x) -> b.slice(x, 1, x.extent(0) - 1, x.extent(0)));
    }

    static List<String> good() {
        return List.copyOf(GOOD.keySet());
    }

    static List<String> bad() {
        return List.copyOf(BAD.keySet());
    }

    private static Value numbers(GraphBuilder b, long... extents) {
        return b.constant(random(Arrays.hashCode(extents), extents));
    }

    private static Tensor random(long seed, long... extents) {
        float[] elements = new float[Shape.of(extents).size()];
        Random random = new Random(seed);
        for (int i = 0; i < elements.length; i++) {
            elements[i] = (float) random.nextGaussian();
        }
        return Tensor.of(elements, extents);
    }

    private static Graph graph(BiFunction<GraphBuilder, Value, Value> body) {
        GraphBuilder builder = new GraphBuilder();
        builder.output("y", body.apply(builder, builder.input("x", ElementType.FLOAT, 1, 4, 6)));
        return builder.build();
    }

    @ParameterizedTest
    @MethodSource("good")
    void rowsGiveWhatTheyGiveAlone(String name) throws Exception {
        Graph one = graph(GOOD.get(name));
        Graph open = OpenBatch.of(one);
        assertEquals(Shape.of(Shape.BATCH, 4, 6), open.inputs().get(0).shape());
        assertEquals(Shape.BATCH, open.outputs().get(0).extent(0));
        Tensor rows = random(1, ROWS, 4, 6);
        try (GraphSession single = new GraphSession(one); GraphSession together = new GraphSession(open)) {
            float[] found = together.run(Map.of("x", rows)).get("y").floats();
            for (int row = 0; row < ROWS; row++) {
                Tensor own = Tensor.of(Arrays.copyOfRange(rows.floats(), row * 24, row * 24 + 24), 1, 4, 6);
                float[] expected = single.run(Map.of("x", own)).get("y").floats();
                int size = expected.length;
                float[] part = Arrays.copyOfRange(found, row * size, (row + 1) * size);
                assertArrayEquals(expected, part, 1e-5f, "row " + row);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("bad")
    void mixedRowsAreRefused(String name) {
        Graph graph = graph(BAD.get(name));
        EmtalException e = assertThrows(EmtalException.class, () -> OpenBatch.of(graph));
        assertTrue(e.getMessage().contains("cannot be written for many rows") && graph.nodes().stream()
                .anyMatch(n -> e.getMessage().startsWith("node '" + n.name() + "'")), e.getMessage());
    }

    @Test
    void fixedBatchesOfSeveralRowsAreRefused() {
        GraphBuilder builder = new GraphBuilder();
        builder.output("y", builder.exp(builder.input("x", ElementType.FLOAT, 2, 3)));
        EmtalException e = assertThrows(EmtalException.class, () -> OpenBatch.of(builder.build()));
        assertTrue(e.getMessage().contains("input 'x': found shape [2, 3]"), e.getMessage());
    }

    /** One row does not show what a graph computes with the number of rows; three do. */
    @Test
    void computingWithTheNumberOfRowsIsRefused() {
        EmtalException e = assertThrows(EmtalException.class, () -> OpenBatch.of(scaled(1, 1), scaled(3, 3)));
        assertTrue(e.getMessage().startsWith("node 'Mul_0' (Mul): operand 1 is another constant"), e.getMessage());
        OpenBatch.of(scaled(1, 1), scaled(3, 1));
    }

    private static Graph scaled(int rows, int factor) {
        GraphBuilder builder = new GraphBuilder();
        Value x = builder.input("x", ElementType.FLOAT, rows, 3);
        builder.output("y", builder.mul(x, builder.constant(factor + 0.5)));
        return builder.build();
    }

    static List<String> rowwise() {
        return List.copyOf(ROWWISE.keySet());
    }

    static List<String> mixing() {
        return List.copyOf(MIXING.keySet());
    }

    private static Graph graph(int rows, BiFunction<GraphBuilder, Value, Value> body) {
        GraphBuilder builder = new GraphBuilder();
        builder.output("y", body.apply(builder, builder.input("x", ElementType.FLOAT, rows, 4, 6)));
        return builder.build();
    }

    @ParameterizedTest
    @MethodSource("rowwise")
    void openModelsGiveWhatTheyGive(String name) throws Exception {
        Graph model = graph(5, ROWWISE.get(name));
        Graph open = OpenBatch.of(graph(1, ROWWISE.get(name)), graph(3, ROWWISE.get(name)));
        Map<String, Tensor> rows = Map.of("x", random(1, 5, 4, 6));
        try (GraphSession expected = new GraphSession(model); GraphSession actual = new GraphSession(open)) {
            assertArrayEquals(expected.run(rows).get("y").floats(), actual.run(rows).get("y").floats(), 1e-5f);
        }
    }

    @ParameterizedTest
    @MethodSource("mixing")
    void openModelsThatMixRowsAreRefused(String name) {
        Graph one = graph(1, MIXING.get(name));
        EmtalException e = assertThrows(EmtalException.class, () -> OpenBatch.of(one, graph(3, MIXING.get(name))));
        assertTrue(one.nodes().stream().anyMatch(n -> e.getMessage().startsWith("node '" + n.name() + "'")),
                e.getMessage());
    }
}

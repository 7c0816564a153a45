package io.emtal.onnx.predict;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

/** What the fused form makes of linear layers, of what scales and shifts their inputs, and of GELUs. */
class LinearRowsTest {

    private static final int ROWS = 3;
    private static final int TOKENS = 4;
    private static final int WIDTH = 5;
    private static final int OUT = 6;

    private final long seed = System.nanoTime();
    private final Random random = new Random(seed);
    private final GraphBuilder b = new GraphBuilder();

    private Tensor numbers(long... extents) {
        float[] elements = new float[(int) Shape.of(extents).size()];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = (float) random.nextGaussian();
        }
        return Tensor.of(elements, extents);
    }

    private Value constant(long... extents) {
        return b.constant(numbers(extents));
    }

    private Value layer(Value x) {
        return b.add(b.matMul(x, constant(WIDTH, OUT)), constant(OUT));
    }

    private Value affine(Value x) {
        return b.add(constant(WIDTH), b.mul(x, constant(WIDTH)));
    }

    private Map<String, Long> fused(Function<Value, Value> network) {
        return fused(Shape.BATCH, network);
    }

    /** How many nodes of each operator the fused form of a network of tokens [batch, N, D] has besides views. */
    private Map<String, Long> fused(long batch, Function<Value, Value> network) {
        Value x = b.input("x", ElementType.FLOAT, batch, TOKENS * WIDTH);
        Value y = network.apply(b.reshape(x, 0, TOKENS, WIDTH));
        b.output("output", b.reshape(y, 0, TOKENS * y.extent(-1)));
        OnnxMl.ModelProto model = OnnxFile.toModel(b.build(), "test");
        float[] rows = numbers(ROWS, TOKENS * WIDTH).floats();
        try (DensePredictor portable = new DensePredictor(model.toByteString(), 1);
             DensePredictor fast = new DensePredictor(model.toByteString(), 1, Optimise.FUSED)) {
            assertArrayEquals(portable.predict(rows, ROWS), fast.predict(rows, ROWS), 1e-4f, "seed " + seed);
        }
        return Optimise.FUSED.apply(model).getGraph().getNodeList().stream().map(OnnxMl.NodeProto::getOpType)
                .filter(op -> !Set.of("Reshape", "Identity").contains(op))
                .collect(Collectors.groupingBy(op -> op, Collectors.counting()));
    }

    @Test
    void aLayerAddsItsBiasAsItMultiplies() {
        assertEquals(Map.of("Gemm", 1L), fused(this::layer));
    }

    @Test
    void aFixedBatchStays() {
        assertEquals(Map.of("Gemm", 1L), fused(2, x -> layer(affine(x))));
    }

    @Test
    void aScaleAndAShiftGoIntoAllLayersThatReadThem() {
        assertEquals(Map.of("Gemm", 2L, "Mul", 1L), fused(x -> {
            Value y = affine(x);
            return b.mul(layer(y), b.matMul(y, constant(WIDTH, OUT)));
        }));
    }

    @Test
    void aScaleAloneLeavesALayerWithoutBias() {
        assertEquals(Map.of("MatMul", 1L), fused(x -> b.matMul(b.mul(constant(WIDTH), x), constant(WIDTH, OUT))));
    }

    @Test
    void aNormsScaleAndShiftGoIntoTheLayerBehindIt() {
        Map<String, Long> nodes = fused(x -> layer(b.layerNorm(x, constant(WIDTH), constant(WIDTH), 1e-5)));
        assertEquals(1, nodes.get("Mul"), nodes.toString());
        assertEquals(1, nodes.get("Add"), nodes.toString());
        assertEquals(1, nodes.get("Gemm"), nodes.toString());
    }

    @Test
    void whatIsReadElsewhereStays() {
        assertEquals(Map.of("Gemm", 1L, "Mul", 1L, "Add", 1L, "Concat", 1L), fused(x -> {
            Value y = affine(x);
            return b.concat(-1, List.of(layer(y), y));
        }));
    }

    @Test
    void whatDiffersFromTokenToTokenStays() {
        assertEquals(Map.of("MatMul", 1L, "Mul", 1L, "Add", 2L), fused(x -> {
            Value y = b.add(b.mul(x, constant(TOKENS, WIDTH)), constant(TOKENS, WIDTH));
            return b.add(b.matMul(y, constant(WIDTH, OUT)), constant(TOKENS, OUT));
        }));
    }

    @Test
    void aProductThatIsReadTwiceIsKept() {
        assertEquals(Map.of("MatMul", 1L, "Add", 1L, "Mul", 1L), fused(x -> {
            Value product = b.matMul(x, constant(WIDTH, OUT));
            return b.mul(product, b.add(product, constant(OUT)));
        }));
    }

    @Test
    void aGeluIsWrittenAsTheRuntimeKnowsIt() {
        assertEquals(Map.of("Div", 1L, "Erf", 1L, "Add", 1L, "Mul", 2L), fused(b::gelu));
    }
}

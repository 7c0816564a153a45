package io.emtal.onnx.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import java.nio.FloatBuffer;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class NativeSessionTest {

    private static final int ROWS = 3;
    private static final int WIDTH = 40;
    private static final long SEED = 5;

    private static float[] random(int size) {
        Random random = new Random(SEED);
        float[] values = new float[size];
        for (int i = 0; i < size; i++) {
            values[i] = (float) random.nextGaussian();
        }
        return values;
    }

    /** Products with a large constant, its transpose and a part of it that ONNX Runtime computes beforehand. */
    private static Graph graph() {
        GraphBuilder graph = new GraphBuilder();
        Value x = graph.input("x", ElementType.FLOAT, ROWS, WIDTH);
        Value large = graph.initializer("large", Tensor.of(random(WIDTH * WIDTH), WIDTH, WIDTH));
        Value small = graph.initializer("small", Tensor.of(random(WIDTH), WIDTH));
        Value folded = graph.mul(graph.transpose(large, 1, 0), small);
        graph.output("y", graph.add(graph.matMul(graph.matMul(x, large), folded), small));
        return graph.build();
    }

    private static float[] run(NativeSession session) throws OrtException {
        FloatBuffer input = ParameterBuffer.direct(ROWS * WIDTH).put(0, random(ROWS * WIDTH));
        FloatBuffer output = ParameterBuffer.direct(ROWS * WIDTH);
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        long[] shape = {ROWS, WIDTH};
        try (session; OnnxTensor x = OnnxTensor.createTensor(environment, input, shape);
             OnnxTensor y = OnnxTensor.createTensor(environment, output, shape)) {
            session.run(Map.of("x", x), Map.of("y", y), true);
            session.run(Map.of("x", x), Map.of("y", y), false);
        }
        float[] values = new float[ROWS * WIDTH];
        output.get(0, values);
        return values;
    }

    @Test
    void constantsBesideTheModelComputeTheSameBits() throws OrtException {
        NativeSession inside = new NativeSession(OnnxFile.toModel(graph(), "inside"), "inside", 1);
        NativeSession beside = new NativeSession(graph(), "beside", 1);
        assertEquals(Set.of(), inside.constants());
        assertEquals(Set.of("large"), beside.constants());
        assertArrayEquals(run(inside), run(beside));
    }

    @Test
    void constantsBesideTheModelAreNotInItsBytes() {
        OnnxMl.ModelProto model = OnnxFile.toModel(graph(), "beside", Set.of("large"));
        assertTrue(model.getSerializedSize() < WIDTH * WIDTH, () -> model.getSerializedSize() + " bytes");
        assertThrows(EmtalException.class, () -> new NativeSession(model, "alone", 1));
    }

    @Test
    void shapesAndNamesAreKnown() {
        try (NativeSession session = new NativeSession(graph(), "known", 1)) {
            assertEquals(Set.of("x"), session.inputs());
            assertArrayEquals(new long[] {ROWS, WIDTH}, session.inputShape("x"));
            assertEquals("y", session.output().getKey());
            assertArrayEquals(new long[] {ROWS, WIDTH}, session.output().getValue());
        }
    }
}

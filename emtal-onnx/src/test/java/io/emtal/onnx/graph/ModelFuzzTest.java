package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl.ModelProto;
import com.google.protobuf.ByteString;
import io.emtal.onnx.EmtalException;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Whatever the bytes, reading them gives a graph that can be written and read again, or an {@link EmtalException}:
 * never another exception, and never more memory than the limits say.
 */
class ModelFuzzTest {

    private static final ReadLimits LIMITS = new ReadLimits(8 << 20, 64 << 20, 64 << 20, 2000, false);

    /** Every bit of a small file is flipped once, and the file is cut at every length. */
    @ParameterizedTest
    @ValueSource(strings = {"deeploy/Kernels/FP32/GELU/network.onnx", "deeploy/Kernels/FP32/LayerNorm/network.onnx",
            "deeploy/Kernels/FP32/MatMul/network.onnx", "deeploy/Kernels/FP32/Softmax/Regular/network.onnx"})
    void everyBitOfAKernel(String file) throws IOException {
        byte[] bytes = SharedData.model(file).toByteArray();
        for (int i = 0; i < 8 * bytes.length; i++) {
            byte[] flipped = bytes.clone();
            flipped[i / 8] ^= (byte) (1 << i % 8);
            check(flipped, "bit " + i);
            if (i % 8 == 0) {
                check(Arrays.copyOf(bytes, i / 8), "cut at " + i / 8);
            }
        }
    }

    @Test
    void writtenModels() {
        long seed = seed();
        for (Graph graph : BuiltGraphs.all()) {
            mutate(BuiltGraphs.model(graph), seed, 500);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"deeploy/Models/CCT/FP32/CCT_1_16_16_8/network.onnx",
            "deeploy/Kernels/FP32/LayerNorm/network.onnx", "deeploy/Kernels/FP32/Softmax/Grad/network.onnx",
            "vit-mnist-onnx/vit-mnist-opset12.onnx",
            "vit-mnist-onnx/vit-mnist-opset17.onnx", "deeploy/Models/CCT/FP32/CCT_2_32_32_128_Opset20/network.onnx",
            "tinybert-onnx/tinybert.onnx"})
    void exportedModels(String file) throws IOException {
        mutate(SharedData.model(file), seed(), 60);
    }

    @Test
    @Tag("long")
    void manyChanges() throws IOException {
        long seed = seed();
        for (Graph graph : BuiltGraphs.all()) {
            mutate(BuiltGraphs.model(graph), seed, 10_000);
        }
        for (String file : List.of("vit-mnist-onnx/vit-mnist-opset12.onnx", "tinybert-onnx/tinybert.onnx",
                "deeploy/Models/CCT/FP32/CCT_1_16_16_8/network.onnx")) {
            mutate(SharedData.model(file), seed, 2000);
        }
    }

    @Test
    void randomBytes() {
        long seed = seed();
        Random random = new Random(seed);
        for (int i = 0; i < 2000; i++) {
            byte[] bytes = new byte[random.nextInt(200)];
            random.nextBytes(bytes);
            check(bytes, "seed " + seed + ", file " + i);
        }
    }

    private static long seed() {
        return Long.getLong("emtal.seed", System.nanoTime());
    }

    private static void mutate(ModelProto model, long seed, int times) {
        byte[] file = model.toByteArray();
        for (int i = 0; i < times; i++) {
            ModelMutator mutator = new ModelMutator(new Random(seed + i), model);
            byte[] bytes = i % 3 == 0 ? mutator.bytes(file) : mutator.fields(model).toByteArray();
            check(bytes, "seed " + (seed + i) + ", change " + i % 3);
        }
    }

    private static void check(byte[] bytes, String where) {
        Graph graph;
        try {
            ModelProto model = OnnxFile.load(ByteString.copyFrom(bytes), LIMITS);
            graph = OnnxFile.read(model, 2, Map.of("sequence", 5L), LIMITS);
        } catch (EmtalException e) {
            assertTrue(e.getMessage().length() < 5000, () -> where + ": message of " + e.getMessage().length()
                    + " characters");
            return;
        } catch (Throwable e) {
            throw new AssertionError(where + ": " + e + " for the file " + HexFormat.of().formatHex(bytes, 0,
                    Math.min(bytes.length, 4000)), e);
        }
        assertEquals(graph, OnnxFile.read(OnnxFile.toModel(graph, "again"), Shape.BATCH), where);
    }
}

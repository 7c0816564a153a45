package io.emtal.onnx.backbone;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.GraphSession;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.SharedData;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.Map;
import java.util.Random;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Transformers of the shared data, exported by others. */
class OnnxBackboneTest {

    private static final String MNIST = "vit-mnist-onnx/vit-mnist-";
    private static final String CCT = "deeploy/Models/CCT/FP32/";

    private static Backbone backbone(String file) {
        return OnnxBackbone.of(SharedData.path(file)).read();
    }

    private static float[] run(Graph graph, Tensor input) throws Exception {
        try (GraphSession session = new GraphSession(graph)) {
            return session.run(Map.of(graph.inputs().get(0).name(), input)).get(graph.outputs().get(0).name()).floats();
        }
    }

    /** A head behind a backbone, x·Wᵀ + b. */
    private static float[] run(Backbone backbone, Tensor weight, Tensor bias, Tensor input) throws Exception {
        GraphBuilder builder = new GraphBuilder();
        Value rows = builder.input("rows", backbone.input().type(), backbone.input().shape().extents());
        Value pooled = builder.inline(backbone.graph(), Map.of(backbone.input().name(), rows),
                GraphBuilder.Replacement.NONE).apply(backbone.graph().outputs().get(0));
        builder.output("result", builder.apply("Gemm", Map.of("transB", 1L), pooled, builder.constant(weight),
                builder.constant(bias)));
        return run(builder.build(), input);
    }

    private static Tensor images(long seed, long... extents) {
        Tensor images = Tensor.filled(ElementType.FLOAT, Shape.of(extents), 0);
        Random random = new Random(seed);
        for (int i = 0; i < images.floats().length; i++) {
            images.floats()[i] = (float) random.nextGaussian();
        }
        return images;
    }

    @ParameterizedTest
    @CsvSource({"opset12, value of the file, 10 outputs", "opset17, value of the file, 10 outputs",
            "features, class token, none"})
    void describesTheThreeFiles(String file, String pooling, String head) {
        List<String> lines = backbone(MNIST + file + ".onnx").describe().toString().lines().toList();
        for (String line : List.of("blocks: 6", "tokens: 50", "width: 64", "heads: 4 of width 64", "hidden: 128",
                "activation: ReLU", "norm: before", "pooling: " + pooling + ", width 64", "old head: " + head,
                "input: pixel_values [batch, 1, 28, 28] NCHW")) {
            assertTrue(lines.contains(line), line + " in\n" + String.join("\n", lines));
        }
        assertEquals(24, lines.stream().filter(l -> l.startsWith("target: ")).count());
    }

    @ParameterizedTest
    @ValueSource(strings = {"opset12", "opset17"})
    void theOldHeadOnTheBackboneGivesTheLogits(String file) throws Exception {
        Tensor input = images(1, 5, 1, 28, 28);
        Graph original = OnnxFile.read(SharedData.model(MNIST + file + ".onnx"), 5);
        float[] actual = run(backbone(MNIST + file + ".onnx"), original.initializers().get("mlp_head.1.weight"),
                original.initializers().get("mlp_head.1.bias"), input);
        assertArrayEquals(run(original, input), actual, 1e-5f);
    }

    /** The file gives 50 tokens, of which the first is the class token. */
    @Test
    void theClassTokenOfTheFeatures() throws Exception {
        Tensor input = images(2, 2, 1, 28, 28);
        float[] tokens = run(OnnxFile.read(SharedData.model(MNIST + "features.onnx"), 2), input);
        float[] pooled = run(backbone(MNIST + "features.onnx").graph(), input);
        for (int row = 0; row < 2; row++) {
            for (int d = 0; d < 64; d++) {
                assertEquals(tokens[row * 50 * 64 + d], pooled[row * 64 + d], 1e-5f);
            }
        }
    }

    /** Made for one image at a time; opened, they give the same for every image of a batch. */
    @ParameterizedTest
    @CsvSource({"CCT_1_16_16_8, 1, classifier_fc_weight, classifier_fc_bias",
            "CCT_1_32_32_32, 1, classifier_fc_weight, classifier_fc_bias",
            "CCT_2_32_32_128_Opset20, 2, classifier.fc.weight, classifier.fc.bias"})
    void convolutionalTransformersGiveTheirGoldenOutputs(String folder, int blocks, String weight, String bias)
            throws Exception {
        Backbone backbone = backbone(CCT + folder + "/network.onnx");
        assertEquals(blocks, backbone.blocks().size());
        Tensor one = SharedData.arrays(CCT + folder + "/inputs.npz").get("input");
        float[] expected = SharedData.arrays(CCT + folder + "/outputs.npz").get("output").floats();
        float[] three = new float[3 * one.shape().size()];
        for (int row = 0; row < 3; row++) {
            System.arraycopy(one.floats(), 0, three, row * one.shape().size(), one.shape().size());
        }
        Graph original = OnnxFile.read(SharedData.model(CCT + folder + "/network.onnx"), 1);
        float[] actual = run(backbone, original.initializers().get(weight), original.initializers().get(bias),
                new Tensor(one.type(), one.shape().with(0, 3), three));
        for (int i = 0; i < actual.length; i++) {
            assertEquals(expected[i % expected.length], actual[i], 1e-5f);
        }
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
            "tinybert-onnx/tinybert.onnx | input 'input_ids': found axis 1 ('sequence') open",
            "deeploy/Models/CCT_Train/CCT2_LoRA1/network_infer.onnx | node"
                    + " 'node_85_classifier_blocks_0_self_attn_MatMul_6' (MatMul): found queries from the values",
            "deeploy/Models/CCT_Train/CCT2_LP/network_infer.onnx | node 'node_96_classifier_blocks_0_Add_1' (Add):"
                    + " found Add behind the first layer",
            "deeploy/Models/CCT_Train/CCT2_LP/network.onnx | operator sets 19 and 12",
            "deeploy/Kernels/FP32/GELU/network.onnx | node 'gelu_node' (com.microsoft.Gelu): found a graph without"
                    + " Softmax",
            "deeploy/Kernels/FP32/Softmax/Regular/network.onnx | node 'softmax_node' (Softmax): found a softmax that is"
                    + " not over products"})
    void otherGraphsAreRefusedByTheirFirstNode(String file, String message) {
        SharedData.path(file);
        EmtalException e = assertThrows(EmtalException.class, () -> backbone(file));
        assertTrue(e.getMessage().startsWith("model ") && e.getMessage().contains(message), e.getMessage());
    }
}

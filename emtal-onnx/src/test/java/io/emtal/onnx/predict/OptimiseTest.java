package io.emtal.onnx.predict;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.backbone.FeatureTransformer;
import io.emtal.onnx.backbone.VisionTransformer;
import io.emtal.onnx.graph.SharedData;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

class OptimiseTest {

    private static final int ROWS = 5;
    private static final int WIDTH = 64;

    private final long seed = System.nanoTime();
    private final RowNetworks networks = new RowNetworks(WIDTH, seed);

    @Test
    void aClassTokensNetworkIsNarrowed() {
        OnnxMl.ModelProto model = networks.model(VisionTransformer.builder().image(8, 8, 1).patch(4).width(16)
                .heads(2).depth(2).hidden(32).build());
        OnnxMl.ModelProto fused = assertSamePredictions(model);
        assertTrue(fused.getGraph().getNodeList().stream().noneMatch(n -> n.getOpType().equals("LayerNormalization")));
        assertTrue(fused.getGraph().getNodeList().stream().allMatch(n -> n.getDomain().isEmpty()));
        assertTrue(fused.getGraph().getInitializerList().stream()
                .noneMatch(t -> t.getName().matches("blocks\\.\\d\\.norm\\d\\..*")), "norms go into layers");
    }

    @Test
    void tablesPredictTheSame() {
        assertSamePredictions(networks.model(FeatureTransformer.builder().width(16).depth(2).hidden(32).build()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"vit-mnist-opset12", "vit-mnist-opset17"})
    void filesOfOthersPredictTheSame(String name) throws IOException {
        OnnxMl.ModelProto model = SharedData.model("vit-mnist-onnx/" + name + ".onnx");
        float[] rows = networks.numbers(ROWS * 28 * 28);
        try (DensePredictor portable = new DensePredictor(model.toByteString(), 1);
             DensePredictor fast = new DensePredictor(model.toByteString(), 1, Optimise.FUSED)) {
            assertArrayEquals(portable.predict(rows, ROWS), fast.predict(rows, ROWS), 1e-4f, "seed " + seed);
        }
        List<OnnxMl.NodeProto> nodes = Optimise.FUSED.apply(model).getGraph().getNodeList();
        assertTrue(nodes.stream().allMatch(n -> n.getDomain().isEmpty()));
        // Of each of six blocks the four linear layers, and the head.
        assertEquals(25, nodes.stream().filter(n -> n.getOpType().equals("Gemm")).count());
    }

    @Test
    void portableIsTheNetworkItself() {
        OnnxMl.ModelProto model = networks.model(FeatureTransformer.builder().width(16).depth(1).hidden(32).build());
        assertSame(model, Optimise.PORTABLE.apply(model));
    }

    private OnnxMl.ModelProto assertSamePredictions(OnnxMl.ModelProto model) {
        OnnxMl.ModelProto fused = Optimise.FUSED.apply(model);
        assertEquals(model.getMetadataPropsList(), fused.getMetadataPropsList());
        assertEquals(model.getGraph().getInput(0).getName(), fused.getGraph().getInput(0).getName());
        assertEquals(model.getGraph().getOutput(0).getName(), fused.getGraph().getOutput(0).getName());
        float[] rows = networks.numbers(ROWS * WIDTH);
        try (DensePredictor portable = new DensePredictor(model.toByteString(), 1);
             DensePredictor fast = new DensePredictor(model.toByteString(), 1, Optimise.FUSED)) {
            assertArrayEquals(portable.predict(rows, ROWS), fast.predict(rows, ROWS), 1e-4f, "seed " + seed);
            assertEquals(model.toByteString(), fast.model());
        }
        return fused;
    }
}

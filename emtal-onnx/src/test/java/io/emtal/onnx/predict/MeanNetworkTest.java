package io.emtal.onnx.predict;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.FeatureTransformer;
import io.emtal.onnx.backbone.VisionTransformer;
import io.emtal.onnx.graph.SharedData;
import org.junit.jupiter.api.Test;

import java.io.IOException;
import java.util.List;

class MeanNetworkTest {

    private static final int ROWS = 5;
    private static final int WIDTH = 64;

    private final long seed = System.nanoTime();

    private OnnxMl.ModelProto transformer(int width, int depth, long own) {
        return new RowNetworks(WIDTH, own)
                .model(FeatureTransformer.builder().width(width).depth(depth).hidden(32).build());
    }

    private float[] predicted(OnnxMl.ModelProto model, int width, int rows) {
        try (DensePredictor predictor = new DensePredictor(model.toByteString(), 1)) {
            return predictor.predict(new RowNetworks(width, seed).numbers(rows * width), rows);
        }
    }

    private void assertMean(List<OnnxMl.ModelProto> models, int width) {
        OnnxMl.ModelProto mean = MeanNetwork.of(models);
        float[] expected = predicted(models.get(0), width, ROWS);
        for (OnnxMl.ModelProto other : models.subList(1, models.size())) {
            float[] more = predicted(other, width, ROWS);
            for (int i = 0; i < expected.length; i++) {
                expected[i] += more[i];
            }
        }
        for (int i = 0; i < expected.length; i++) {
            expected[i] /= models.size();
        }
        assertArrayEquals(expected, predicted(mean, width, ROWS), 1e-4f, "seed " + seed);
        assertEquals(models.get(0).getGraph().getInput(0).getName(), mean.getGraph().getInput(0).getName());
        assertEquals(models.get(0).getGraph().getOutput(0).getName(), mean.getGraph().getOutput(0).getName());
        assertEquals(models.get(0).getMetadataPropsList(), mean.getMetadataPropsList());
    }

    @Test
    void networksOfDifferentSizesPredictTheirMean() {
        assertMean(List.of(transformer(16, 1, seed), transformer(16, 2, seed + 1), transformer(16, 3, seed + 2)),
                WIDTH);
    }

    @Test
    void nodesWithSeveralOutputsAreCopied() {
        assertMean(List.of(vision(seed), vision(seed + 1)), WIDTH);
    }

    private static OnnxMl.ModelProto vision(long own) {
        return new RowNetworks(WIDTH, own).model(VisionTransformer.builder().image(8, 8, 1).patch(4).width(16).heads(2)
                .depth(2).hidden(32).build());
    }

    @Test
    void filesOfOthersPredictTheirMean() throws IOException {
        assertMean(List.of(SharedData.model("vit-mnist-onnx/vit-mnist-opset17.onnx"),
                SharedData.model("vit-mnist-onnx/vit-mnist-opset12.onnx")), 28 * 28);
    }

    @Test
    void aMeanIsANetworkLikeOthers() {
        OnnxMl.ModelProto first = transformer(16, 1, seed);
        OnnxMl.ModelProto second = transformer(16, 1, seed + 1);
        OnnxMl.ModelProto mean = MeanNetwork.of(List.of(first, second));
        assertMean(List.of(mean, first), WIDTH);
        assertMean(List.of(mean, Optimise.FUSED.apply(mean)), WIDTH);
        assertArrayEquals(predicted(mean, WIDTH, 1), predicted(Optimise.FUSED.apply(mean), WIDTH, 1), 1e-4f,
                "seed " + seed);
    }

    @Test
    void aSingleNetworkStaysAsItIs() {
        OnnxMl.ModelProto model = transformer(16, 1, seed);
        assertSame(model, MeanNetwork.of(List.of(model)));
    }

    @Test
    void networksThatDifferInInputOrOutputAreRefused() {
        OnnxMl.ModelProto model = transformer(16, 1, seed);
        var none = assertThrows(EmtalException.class, () -> MeanNetwork.of(List.of()));
        assertTrue(none.getMessage().contains("no network"), none.getMessage());
        var wide = assertThrows(EmtalException.class, () -> MeanNetwork.of(List.of(model, transformer(32, 1, seed))));
        assertTrue(wide.getMessage().contains("network 1") && wide.getMessage().contains("outputs"), wide.getMessage());
        OnnxMl.ModelProto other = new RowNetworks(WIDTH / 2, seed)
                .model(FeatureTransformer.builder().width(16).depth(1).hidden(32).build());
        var narrow = assertThrows(EmtalException.class, () -> MeanNetwork.of(List.of(model, other)));
        assertTrue(narrow.getMessage().contains("inputs"), narrow.getMessage());
    }
}

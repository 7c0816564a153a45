package io.emtal.onnx.backbone;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnxruntime.OrtException;
import io.emtal.onnx.data.NumericColumns;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.graph.GraphSession;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.task.OneTask;
import org.junit.jupiter.api.Test;

import java.util.Map;
import java.util.SplittableRandom;

class FeatureTransformerTest {

    /** Of columns that no training row misses, nothing can be learnt about missing them. */
    @Test
    void numbersThatWereNeverMissingCountAsTheMean() throws OrtException {
        for (long seed = 0; seed < 5; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            Backbone backbone = FeatureTransformer.builder().width(8).heads(2).depth(1).bins(4).build().create(
                    NumericColumns.layout(2), OneTask.LAYOUT, PackedExamples.pack(40, 2, 1, (row, inputs, labels) -> {
                        inputs[0] = (float) random.nextDouble();
                        inputs[1] = (float) random.nextDouble();
                        labels[0] = row % 2;
                    }), seed);
            float[] mean = backbone.graph().initializers().get("input.mean").floats();
            try (GraphSession session = new GraphSession(backbone.graph())) {
                assertArrayEquals(
                        session.run(Map.of("input", Tensor.of(new float[] {mean[0], 0.3f}, 1, 2))).get("pooled").floats(),
                        session.run(Map.of("input", Tensor.of(new float[] {Float.NaN, 0.3f}, 1, 2))).get("pooled").floats(),
                        1e-5f, "seed " + seed);
            }
        }
    }

    @Test
    void whatIsBuiltIsNotChangedByItsBuilder() {
        FeatureTransformer.Builder builder = FeatureTransformer.builder().width(16);
        FeatureTransformer first = builder.build();
        FeatureTransformer second = builder.width(32).build();
        assertEquals(FeatureTransformer.builder().width(16).build().getProvenance(), first.getProvenance());
        assertEquals(FeatureTransformer.builder().width(32).build().getProvenance(), second.getProvenance());
    }
}

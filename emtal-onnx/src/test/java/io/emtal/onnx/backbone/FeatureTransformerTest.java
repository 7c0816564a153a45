package io.emtal.onnx.backbone;

import static org.junit.jupiter.api.Assertions.assertEquals;

import org.junit.jupiter.api.Test;

class FeatureTransformerTest {

    @Test
    void whatIsBuiltIsNotChangedByItsBuilder() {
        FeatureTransformer.Builder builder = FeatureTransformer.builder().width(16);
        FeatureTransformer first = builder.build();
        FeatureTransformer second = builder.width(32).build();
        assertEquals(FeatureTransformer.builder().width(16).build().getProvenance(), first.getProvenance());
        assertEquals(FeatureTransformer.builder().width(32).build().getProvenance(), second.getProvenance());
    }
}

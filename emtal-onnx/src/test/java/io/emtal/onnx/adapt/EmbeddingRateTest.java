package io.emtal.onnx.adapt;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.LinearLayer;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Low-rank methods that also train what is outside the blocks' linear layers. */
class EmbeddingRateTest {

    private static final double RATE = 0.25;

    @Nested
    class OfEmtal extends AdaptationMethodContract {

        @Override
        AdaptationMethod method() {
            return Emtal.builder().experts(4).rank(2).embeddingRate(RATE).build();
        }
    }

    @Nested
    class OfLora extends AdaptationMethodContract {

        @Override
        AdaptationMethod method() {
            return Lora.builder().rank(2).embeddingRate(RATE).build();
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void allWeightsButTheLayersAreTrainedAtTheirRateAndMerged(long seed) {
        for (Backbone backbone : List.of(Backbones.vision(seed), Backbones.exported(seed))) {
            Adaptation adaptation = Lora.builder().embeddingRate(RATE).build().adapt(backbone, seed);
            List<Parameter> outside = adaptation.parameters().stream().filter(p -> p.part().equals("backbone"))
                    .toList();
            assertFalse(outside.isEmpty());
            assertTrue(outside.stream().allMatch(p -> p.learningRateFactor() == RATE));
            Set<String> layers = backbone.layers().map(LinearLayer::weight).collect(Collectors.toSet());
            assertTrue(outside.stream().noneMatch(p -> layers.contains(p.name())));
            Map<String, Tensor> values = AdaptedNetwork.trained(adaptation, seed);
            Map<String, Tensor> merged = adaptation.merge(backbone, values::get, 1).graph().initializers();
            for (Parameter p : outside) {
                assertEquals(values.get(p.name()), merged.get(p.name()), p.name());
                assertNotEquals(p.initial(), merged.get(p.name()), p.name());
            }
        }
    }

    @Test
    void backbonesWithNothingToTrainOutsideTheLayersAreRefused() {
        Backbone backbone = Backbones.exported(1);
        Set<String> norms = Set.of("scale1", "shift1");
        Backbone frozen = new Backbone(backbone.graph(), backbone.blocks(), norms);
        for (AdaptationMethod method : List.of(Emtal.builder().embeddingRate(RATE).build(),
                Lora.builder().embeddingRate(RATE).build())) {
            EmtalException e = assertThrows(EmtalException.class, () -> method.adapt(frozen, 1));
            assertTrue(e.getMessage().contains("embeddingRate: found 0.25, allowed is 0"), e.getMessage());
        }
    }

    @Test
    void rateIsAFraction() {
        EmtalException e = assertThrows(EmtalException.class, () -> Emtal.builder().embeddingRate(1.5).build());
        assertTrue(e.getMessage().contains("embeddingRate: found 1.5, allowed is 0 to 1"), e.getMessage());
    }
}

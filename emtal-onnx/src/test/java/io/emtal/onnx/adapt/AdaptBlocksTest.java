package io.emtal.onnx.adapt;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.LinearLayer;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

import java.util.Map;
import java.util.Set;
import java.util.function.IntFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Methods that adapt upper blocks only. */
class AdaptBlocksTest {

    private static final int RANK = 2;
    private static final int EXPERTS = 4;

    private static AdaptationMethod emtal(int adaptBlocks) {
        return Emtal.builder().experts(EXPERTS).rank(RANK).adaptBlocks(adaptBlocks).build();
    }

    private static AdaptationMethod lora(int adaptBlocks) {
        return Lora.builder().rank(RANK).adaptBlocks(adaptBlocks).build();
    }

    @Nested
    class EmtalContract extends AdaptationMethodContract {
        @Override
        AdaptationMethod method() {
            return emtal(1);
        }
    }

    @Nested
    class LoraContract extends AdaptationMethodContract {
        @Override
        AdaptationMethod method() {
            return lora(1);
        }
    }

    @Test
    void weightsOfLowerBlocksStayAsTheyAre() {
        for (long seed = 1; seed <= 3; seed++) {
            Backbone backbone = Backbones.vision(seed);
            for (AdaptationMethod method : new AdaptationMethod[] {emtal(1), lora(1)}) {
                Adaptation adaptation = method.adapt(backbone, seed);
                Map<String, Tensor> trained = AdaptedNetwork.trained(adaptation, seed);
                Map<String, Tensor> merged = adaptation.merge(backbone, trained::get, 1).graph().initializers();
                Set<String> changed = backbone.graph().initializers().entrySet().stream()
                        .filter(e -> !e.getValue().equals(merged.get(e.getKey()))).map(Map.Entry::getKey)
                        .collect(Collectors.toSet());
                Set<String> upper = backbone.blocks().get(Backbones.DEPTH - 1).layers().map(LinearLayer::weight)
                        .collect(Collectors.toSet());
                assertEquals(upper, changed, "seed " + seed);
                assertEquals(upper, backbone.layers().filter(adaptation::trains).map(LinearLayer::weight)
                        .collect(Collectors.toSet()), "seed " + seed);
            }
        }
    }

    @Test
    void onlyAdaptedBlocksHaveParameters() {
        Backbone backbone = Backbones.vision(4);
        // 4D for qkv, 2D for the output, D + H each for fc1 and fc2.
        long updates = (long) RANK * (8 * Backbones.WIDTH + 2 * Backbones.HIDDEN);
        long router = (long) Backbones.WIDTH * EXPERTS;
        for (int blocks = 1; blocks <= Backbones.DEPTH; blocks++) {
            assertEquals(blocks * (updates + router), size(emtal(blocks), backbone));
            assertEquals(blocks * updates, size(lora(blocks), backbone));
        }
        assertEquals(size(emtal(Backbones.DEPTH), backbone), size(emtal(0), backbone));
        assertEquals(size(lora(Backbones.DEPTH), backbone), size(lora(0), backbone));
    }

    private static long size(AdaptationMethod method, Backbone backbone) {
        return method.adapt(backbone, 5).parameters().stream().mapToLong(Parameter::size).sum();
    }

    @Test
    void numbersThatTheBackboneDoesNotHaveAreRefused() {
        Backbone backbone = Backbones.vision(6);
        for (IntFunction<AdaptationMethod> method : Stream.<IntFunction<AdaptationMethod>>of(AdaptBlocksTest::emtal,
                AdaptBlocksTest::lora).toList()) {
            String negative = assertThrows(EmtalException.class, () -> method.apply(-1)).getMessage();
            assertTrue(negative.contains("adaptBlocks: found -1, allowed is 1 or more, or 0"), negative);
            String above = assertThrows(EmtalException.class, () -> method.apply(3).adapt(backbone, 6)).getMessage();
            assertTrue(above.contains("adaptBlocks: found 3, allowed are 1 to 2"), above);
        }
    }
}

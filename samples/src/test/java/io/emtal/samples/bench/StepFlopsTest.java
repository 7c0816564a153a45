package io.emtal.samples.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Map;
import org.junit.jupiter.api.Test;

class StepFlopsTest {
    /** 17 tokens, D 64, H 256, 4 blocks: 12·D² products a token and block; two gradients of each, in dense training. */
    @Test
    void denseTrainingTakesThreeTimesTheForwardPass() {
        Map<String, Double> parts = StepFlops.ofRow(BenchShape.SMALL17, BenchMode.DENSE, 20);
        assertEquals(3 * 2.0 * 17 * 12 * 64 * 64 * 4, parts.get("linear layers"));
        assertEquals(3 * 4.0 * 17 * 17 * 64 * 4, parts.get("attention"));
        assertEquals(2 * 2.0 * 16 * 48 * 64, parts.get("embedding"));
        assertEquals(3 * 2.0 * 64 * 20, parts.get("heads"));
        assertEquals(4, parts.size());
    }

    @Test
    void frozenWeightsTakeNoGradient() {
        Map<String, Double> gated = StepFlops.ofRow(BenchShape.SMALL17, BenchMode.EMTAL_GATED, 20);
        assertEquals(2.0 * 17 * (2 * 12 * 64 * 64 * 4 - 3 * 64 * 64), gated.get("linear layers"));
        assertEquals(3 * 2.0 * 17 * 64 * 16 * 4, gated.get("routers"));
        Map<String, Double> heads = StepFlops.ofRow(BenchShape.SMALL17, BenchMode.HEADS, 20);
        assertEquals(2.0 * 17 * 12 * 64 * 64 * 4, heads.get("linear layers"));
        assertTrue(total(heads) < total(gated));
    }

    /** 16 members of width 64 that scale 32 numbers' encodings in front of their embedding, and a linear map. */
    @Test
    void scalesInFrontOfATablesEmbeddingTakeItsInputGradient() {
        double product = 2.0 * 32 * 10 * 64;
        assertEquals((3 * 16 + 2) * product, StepFlops.ofRow(BenchShape.TABLE, BenchMode.DENSE, 20).get("embedding"));
        assertEquals((16 + 1) * product, StepFlops.ofRow(BenchShape.TABLE, BenchMode.EMTAL_GATED, 20).get("embedding"));
    }

    private static double total(Map<String, Double> parts) {
        return parts.values().stream().mapToDouble(Double::doubleValue).sum();
    }
}

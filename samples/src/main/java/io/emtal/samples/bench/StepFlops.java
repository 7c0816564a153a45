package io.emtal.samples.bench;

import io.emtal.samples.bench.BenchShape.Vision;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Counts the floating-point operations of the matrix products that a training step needs: two a multiplication, only
 * what the gradients of the trained weights depend on, nothing for activations, norms and element-wise passes.
 *
 * <p>With N tokens of width D, hidden width H, L blocks, rank r, K experts and C classes, a row's forward pass takes
 * 2·N·(4·D² + 2·D·H) in the linear layers of a block, 4·N²·D in its attention, 2·N·r·(the widths on both sides of each
 * linear layer) in its updates and 2·N·D·K in its router. Backward, a frozen weight takes as much again, a trained one
 * and the attention twice as much; in front of the first trained weight nothing is needed.
 */
final class StepFlops {
    private StepFlops() {
    }

    /**
     * Counts.
     *
     * @param shape the network
     * @param mode what is trained
     * @param columns the columns of all heads
     * @return operations of one row by part
     */
    static Map<String, Double> ofRow(BenchShape shape, BenchMode mode, int columns) {
        return shape.isVision() ? vision(shape.vision(), mode, columns) : table(shape, mode, columns);
    }

    private static Map<String, Double> vision(Vision v, BenchMode mode, int columns) {
        double n = v.tokens();
        double d = v.width();
        double h = v.hidden();
        double blocks = v.depth();
        double linear = 2 * n * (4 * d * d + 2 * d * h) * blocks;
        double attention = 4 * n * n * d * blocks;
        double embedding = 2.0 * v.patches() * v.patch() * v.patch() * BenchShape.CHANNELS * d;
        double updates = 2 * n * BenchMode.RANK * (4 * d + 2 * d + 2 * (d + h)) * blocks;
        double router = 2 * n * d * BenchMode.EXPERTS * blocks;
        // The first block's query-key-value layer reads nothing that is trained.
        double first = 2 * n * 3 * d * d;
        return parts(mode, linear, first, attention, embedding, 0, updates, router, 2 * d * columns);
    }

    private static Map<String, Double> table(BenchShape shape, BenchMode mode, int columns) {
        double n = BenchShape.MEMBERS;
        double d = BenchShape.TABLE_WIDTH;
        double h = BenchShape.TABLE_HIDDEN;
        double blocks = BenchShape.TABLE_DEPTH;
        double linear = 4 * n * d * h * blocks;
        // A number's eight bins, its standardised value and whether it is missing; once for each member, whose scales
        // in front of it are trained too, and once for all.
        double members = 2 * n * shape.inputWidth() * 10.0 * d;
        double embedding = members + members / n;
        double updates = 4 * n * BenchMode.RANK * (d + h) * blocks;
        double router = 2 * n * d * BenchMode.EXPERTS * blocks;
        return parts(mode, linear, 2 * n * d * h, 0, embedding, members, updates, router, 2 * n * d * columns);
    }

    /** Of the embedding's operations, {@code scaled} are those behind weights that dense training trains. */
    private static Map<String, Double> parts(BenchMode mode, double linear, double first, double attention,
                                             double embedding, double scaled, double updates, double router,
                                             double heads) {
        Map<String, Double> parts = new LinkedHashMap<>();
        boolean through = mode != BenchMode.HEADS;
        parts.put("linear layers", mode == BenchMode.DENSE ? 3 * linear : through ? 2 * linear - first : linear);
        parts.put("attention", through ? 3 * attention : attention);
        parts.put("embedding", mode == BenchMode.DENSE ? 2 * embedding + scaled : embedding);
        parts.put("low-rank updates", mode.lowRank() ? 3 * updates : 0);
        parts.put("routers", mode == BenchMode.EMTAL_GATED ? 3 * router : 0);
        parts.put("heads", through ? 3 * heads : 2 * heads);
        parts.values().removeIf(flops -> flops == 0);
        return parts;
    }
}

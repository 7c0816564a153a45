package io.emtal.samples.bench;

import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.FeatureEnsemble;
import io.emtal.onnx.backbone.VisionTransformer;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.task.TaskLayout;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** The networks that are measured. */
enum BenchShape {
    /** ViT-Tiny: images of 224 × 224 in 197 tokens of width 192, 12 blocks. */
    VIT_TINY(16, new Vision(224, 16, 192, 12, 3, 768)),
    /** Images of 32 × 32 in 65 tokens of width 64, 4 blocks. */
    SMALL65(64, new Vision(32, 4, 64, 4, 4, 256)),
    /** Images of 16 × 16 in 17 tokens of width 64, 4 blocks. */
    SMALL17(64, new Vision(16, 4, 64, 4, 4, 256)),
    /** The default backbone of tables, 16 members of width 64 with 2 feed-forward blocks, for 32 numbers. */
    TABLE(256, null);

    static final int CHANNELS = 3;
    /** The members of a table's ensemble, its token width, its blocks and their hidden width. */
    static final int MEMBERS = 16;
    static final int TABLE_WIDTH = 64;
    static final int TABLE_DEPTH = 2;
    static final int TABLE_HIDDEN = 128;
    private static final int NUMBERS = 32;
    private static final int TABLE_ROWS = 2048;
    private static final long SEED = 1;

    /**
     * Sizes of a vision transformer.
     *
     * @param side of an image in pixels
     * @param patch side of a patch in pixels
     * @param width D
     * @param depth L
     * @param heads attention heads
     * @param hidden H
     */
    record Vision(int side, int patch, int width, int depth, int heads, int hidden) {
        int patches() {
            return side / patch * (side / patch);
        }

        int tokens() {
            return patches() + 1;
        }
    }

    private final int batch;
    private final Vision vision;

    BenchShape(int batch, Vision vision) {
        this.batch = batch;
        this.vision = vision;
    }

    /** The rows of a step unless the user says otherwise. */
    int batch() {
        return batch;
    }

    boolean isVision() {
        return vision != null;
    }

    /** The sizes of a vision transformer; {@code null} for a table. */
    Vision vision() {
        return vision;
    }

    int inputWidth() {
        return vision == null ? NUMBERS : vision.side * vision.side * CHANNELS;
    }

    /** The hidden width of the feed-forward networks. */
    int hidden() {
        return vision == null ? TABLE_HIDDEN : vision.hidden;
    }

    /** Normally distributed inputs and a random class for each task. */
    PackedExamples examples(int rows, int tasks, int classes) {
        SplittableRandom random = new SplittableRandom(SEED);
        return PackedExamples.pack(rows, inputWidth(), tasks, (row, inputs, labels) -> {
            for (int i = 0; i < inputs.length; i++) {
                inputs[i] = (float) random.nextGaussian();
            }
            for (int t = 0; t < labels.length; t++) {
                labels[t] = random.nextInt(classes);
            }
        });
    }

    /** A fresh backbone with the statistics of the examples, or of so many that a table has bins whatever they are. */
    Backbone backbone(TaskLayout tasks, PackedExamples examples) {
        if (vision == null) {
            FeatureLayout layout = new FeatureLayout(IntStream.range(0, NUMBERS)
                    .mapToObj(i -> new FeatureColumn("x" + i, FeatureColumn.Kind.NUMERIC, i, 1)).toList());
            return FeatureEnsemble.builder().members(MEMBERS).width(TABLE_WIDTH).depth(TABLE_DEPTH).hidden(TABLE_HIDDEN)
                    .build().create(layout, tasks, examples(TABLE_ROWS, tasks.size(), 2), SEED);
        }
        FeatureLayout layout = new FeatureLayout(List.of(
                new FeatureColumn("image", FeatureColumn.Kind.PIXELS, 0, inputWidth())));
        return VisionTransformer.builder().image(vision.side, vision.side, CHANNELS).patch(vision.patch)
                .width(vision.width).depth(vision.depth).heads(vision.heads).hidden(vision.hidden).build()
                .create(layout, tasks, examples, SEED);
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}

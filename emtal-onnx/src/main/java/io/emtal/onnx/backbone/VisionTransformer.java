package io.emtal.onnx.backbone;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.ImageInput;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.task.TaskLayout;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * A fresh vision transformer (Dosovitskiy et al. 2021, arXiv 2010.11929) for images whose pixels are the numbers of a
 * row, as features or read from files: position (y·width + x)·channels + c of a row is channel c of the pixel in line y and column x. Square patches
 * that do not overlap become tokens; a class token reads the result.
 *
 * <p>The graph takes raw pixel values and standardises every channel with its mean and deviation over the training
 * rows. A missing pixel is 0, as in sparse image data.
 */
public final class VisionTransformer implements BackboneSource {

    private static final double EMBEDDING_DEVIATION = 0.02;

    @Config(description = "Height of the images in pixels; a multiple of the patch.")
    private int imageHeight = 28;

    @Config(description = "Width of the images in pixels; a multiple of the patch.")
    private int imageWidth = 28;

    @Config(description = "Channels of a pixel: 1 for grey, 3 for colour.")
    private int channels = 1;

    @Config(description = "Side of a square patch in pixels.")
    private int patch = 4;

    @Config(description = "Token width D.")
    private int width = 64;

    @Config(description = "Number of transformer blocks L.")
    private int depth = 4;

    @Config(description = "Attention heads of a block; must divide the token width.")
    private int heads = 4;

    @Config(description = "Width H of the feed-forward networks.")
    private int hidden = 256;

    /** For OLCUT and the builder. */
    private VisionTransformer() {
    }

    /**
     * Starts from the defaults: 28 × 28 grey pixels in patches of 4 × 4, D = 64, L = 4, 4 heads, H = 256.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Sets what differs from the defaults. */
    public static final class Builder {

        private final List<Consumer<VisionTransformer>> settings = new ArrayList<>();

        private Builder() {
        }

        private Builder set(Consumer<VisionTransformer> setting) {
            settings.add(setting);
            return this;
        }

        /**
         * Sets the images' size.
         *
         * @param height in pixels, a multiple of the patch
         * @param width in pixels, a multiple of the patch
         * @param channels of a pixel
         * @return this builder
         */
        public Builder image(int height, int width, int channels) {
            return set(made -> {
                made.imageHeight = height;
                made.imageWidth = width;
                made.channels = channels;
            });
        }

        /**
         * Sets the size of a patch.
         *
         * @param patch its side in pixels
         * @return this builder
         */
        public Builder patch(int patch) {
            return set(made -> made.patch = patch);
        }

        /**
         * Sets the token width.
         *
         * @param width D
         * @return this builder
         */
        public Builder width(int width) {
            return set(made -> made.width = width);
        }

        /**
         * Sets the number of blocks.
         *
         * @param depth L
         * @return this builder
         */
        public Builder depth(int depth) {
            return set(made -> made.depth = depth);
        }

        /**
         * Sets the number of attention heads.
         *
         * @param heads must divide the token width
         * @return this builder
         */
        public Builder heads(int heads) {
            return set(made -> made.heads = heads);
        }

        /**
         * Sets the width of the feed-forward networks.
         *
         * @param hidden H
         * @return this builder
         */
        public Builder hidden(int hidden) {
            return set(made -> made.hidden = hidden);
        }

        /**
         * Makes the source.
         *
         * @return the source
         * @throws EmtalException if a value is out of its range
         */
        public VisionTransformer build() {
            VisionTransformer made = new VisionTransformer();
            settings.forEach(setting -> setting.accept(made));
            made.invalid().ifPresent(message -> {
                throw new EmtalException(message);
            });
            return made;
        }
    }

    @Override
    public void postConfig() {
        invalid().ifPresent(message -> {
            throw new PropertyException("", "vision transformer", message);
        });
    }

    private Optional<String> invalid() {
        if (channels < 1 || depth < 1 || hidden < 1) {
            return Optional.of("VisionTransformer: found " + channels + " channels, depth " + depth + ", hidden "
                    + hidden + "; allowed are 1 and more");
        }
        if (patch < 1 || imageHeight < 1 || imageWidth < 1 || imageHeight % patch != 0 || imageWidth % patch != 0) {
            return Optional.of("VisionTransformer: found images of " + imageHeight + " × " + imageWidth
                    + " pixels with patches of " + patch + " × " + patch
                    + ", allowed are patches that divide both sides");
        }
        if (width < 1 || heads < 1 || width % heads != 0) {
            return Optional.of("VisionTransformer: found width " + width + " with " + heads
                    + " heads, allowed are heads that divide the width");
        }
        return Optional.empty();
    }

    /** {@inheritDoc} Grey or RGB images, a pixel behind the other, channels from 0 to 1. */
    @Override
    public Optional<ImageInput> images() {
        if (channels != 1 && channels != 3) {
            return Optional.empty();
        }
        return Optional.of(new ImageInput(imageHeight, imageWidth,
                channels == 1 ? ImageInput.Channels.GREY : ImageInput.Channels.RGB, ImageInput.Layout.NHWC,
                ImageInput.Interpolation.BILINEAR, 1, Collections.nCopies(channels, 0.0),
                Collections.nCopies(channels, 1.0)));
    }

    @Override
    public boolean pretrained() {
        return false;
    }

    @Override
    public Backbone create(FeatureLayout layout, TaskLayout tasks, Examples rows, long seed) {
        int pixels = Math.multiplyExact(imageHeight, imageWidth);
        EmtalException.check(layout.width() == Math.multiplyExact(pixels, channels)
                        && layout.columns().stream().noneMatch(c -> c.kind() == FeatureColumn.Kind.NOMINAL),
                "VisionTransformer: found %d features in %d columns, allowed are %d numbers: %d × %d pixels of"
                        + " %d channels", layout.width(), layout.columns().size(), pixels * channels, imageHeight,
                imageWidth, channels);
        EmtalException.check(rows.size() > 0, "VisionTransformer: found no training rows, at least one is needed");
        GraphBuilder graph = new GraphBuilder();
        EncoderWriter encoder = new EncoderWriter(graph, width, hidden, depth, new SplittableRandom(seed));
        Value input = graph.input("input", ElementType.FLOAT, Shape.BATCH, layout.width());
        Value patches = patches(graph, input, rows);
        int size = (int) patches.extent(-1);
        Value embedded = graph.add(graph.matMul(patches, encoder.weight("patch_embed.weight", size, width, 1)),
                encoder.trainable("patch_embed.bias", Tensor.of(new float[width], width)));
        Value classToken = encoder.trainable("cls_token", embedding(encoder, 1));
        // One zero a row spreads the class token over the batch without the batch's size.
        Value zero = graph.mul(graph.slice(graph.slice(patches, 1, 0, 1), 2, 0, 1), graph.constant(0));
        Value tokens = graph.concat(1, List.of(graph.add(zero, classToken), embedded));
        Value placed = graph.add(tokens, encoder.trainable("pos_embed", embedding(encoder, (int) tokens.extent(1))));
        graph.output("pooled", graph.squeeze(graph.slice(encoder.encode(placed, heads, true), 1, 0, 1), 1));
        return encoder.backbone(graph.build(), false);
    }

    private Tensor embedding(EncoderWriter encoder, int tokens) {
        return Tensor.of(encoder.gaussian(tokens * width, EMBEDDING_DEVIATION), 1, tokens, width);
    }

    /** The standardised patches, line by line, each with its pixels line by line [batch, patches, patch²·channels]. */
    private Value patches(GraphBuilder graph, Value input, Examples rows) {
        Value present = graph.where(graph.isNaN(input), graph.constant(0), input);
        int down = imageHeight / patch;
        int across = imageWidth / patch;
        long size = (long) patch * patch * channels;
        Value grid = graph.reshape(present, -1, down, patch, across, (long) patch * channels);
        Value patches = graph.reshape(graph.transpose(grid, 0, 1, 3, 2, 4), -1, (long) down * across, size);
        double[][] statistics = channelStatistics(rows);
        float[] mean = new float[(int) size];
        float[] scale = new float[(int) size];
        for (int i = 0; i < size; i++) {
            mean[i] = (float) statistics[i % channels][0];
            scale[i] = (float) (1 / statistics[i % channels][1]);
        }
        return graph.mul(graph.sub(patches, graph.initializer("input.mean", Tensor.of(mean, size))),
                graph.initializer("input.scale", Tensor.of(scale, size)));
    }

    /** Mean and deviation of every channel; the deviation of a constant one is 1. */
    private double[][] channelStatistics(Examples rows) {
        double[] sums = new double[channels];
        double[] squares = new double[channels];
        FloatBuffer buffer = FloatBuffer.allocate(rows.width());
        Examples inOrder = rows.inOrder(IntStream.range(0, rows.size()).toArray());
        for (int row = 0; row < rows.size(); row++) {
            inOrder.inputs(row, buffer.clear());
            for (int i = 0; i < buffer.capacity(); i++) {
                float value = Float.isNaN(buffer.get(i)) ? 0 : buffer.get(i);
                sums[i % channels] += value;
                squares[i % channels] += (double) value * value;
            }
        }
        double count = (double) rows.size() * imageHeight * imageWidth;
        double[][] statistics = new double[channels][];
        for (int c = 0; c < channels; c++) {
            double mean = sums[c] / count;
            double deviation = Math.sqrt(Math.max(0, squares[c] / count - mean * mean));
            statistics[c] = new double[] {mean, deviation > 1e-6 * Math.abs(mean) && deviation > 0 ? deviation : 1};
        }
        return statistics;
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "BackboneSource");
    }
}

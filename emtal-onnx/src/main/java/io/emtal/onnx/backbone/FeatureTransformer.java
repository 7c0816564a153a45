package io.emtal.onnx.backbone;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.task.TaskLayout;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.stream.IntStream;

/**
 * A fresh transformer for tables. Columns become tokens: a number is standardised, also encoded piecewise-linearly over
 * quantile bins (Gorishniy et al. 2022, arXiv 2203.05556), and mapped to the token width; a nominal column has a
 * learned vector a value; a missing value has a learned vector of its own. Where there are more columns than tokens,
 * neighbouring columns share a token. A class token reads the result, and a linear map of all encoded columns, zero at
 * first, is added to what it reads: what is linear in a table need not pass through the blocks. The first block has no
 * norm before its attention, which would hide the size of the numbers (Gorishniy et al. 2021, arXiv 2106.11959).
 *
 * <p>All preprocessing, with the statistics of the training rows, is part of the graph: it takes raw values, with
 * not-a-number for a missing one.
 */
public final class FeatureTransformer implements BackboneSource {

    @Config(description = "Token width D.")
    private int width = 64;

    @Config(description = "Number of transformer blocks L.")
    private int depth = 2;

    @Config(description = "Attention heads of a block; must divide the token width.")
    private int heads = 4;

    @Config(description = "Width H of the feed-forward networks.")
    private int hidden = 128;

    @Config(description = "The most tokens that columns are mapped to; with more columns, neighbours share a token.")
    private int maxTokens = 16;

    @Config(description = "The most bins of the piecewise-linear encoding of a number; 0 for none.")
    private int bins = 8;

    /** For OLCUT, and {@link #builder()}. */
    private FeatureTransformer() {
    }

    /**
     * Starts from the defaults.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Sets what differs from the defaults. */
    public static final class Builder {

        private final List<Consumer<FeatureTransformer>> settings = new ArrayList<>();

        private Builder() {
        }

        private Builder set(Consumer<FeatureTransformer> setting) {
            settings.add(setting);
            return this;
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
         * @param heads must divide the width
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
         * Bounds the number of tokens.
         *
         * @param maxTokens the most tokens that columns are mapped to
         * @return this builder
         */
        public Builder maxTokens(int maxTokens) {
            return set(made -> made.maxTokens = maxTokens);
        }

        /**
         * Bounds the number of bins of a numeric column.
         *
         * @param bins the most bins; 0 for a linear map alone
         * @return this builder
         */
        public Builder bins(int bins) {
            return set(made -> made.bins = bins);
        }

        /**
         * Makes the source.
         *
         * @return the source
         * @throws EmtalException if a value is out of its range
         */
        public FeatureTransformer build() {
            FeatureTransformer made = new FeatureTransformer();
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
            throw new PropertyException("", "feature transformer", message);
        });
    }

    private Optional<String> invalid() {
        if (width < 1 || heads < 1 || width % heads != 0) {
            return Optional.of("FeatureTransformer: found width " + width + " with " + heads
                    + " heads, allowed are heads that divide the width");
        }
        if (depth < 1 || hidden < 1 || maxTokens < 1 || bins < 0) {
            return Optional.of("FeatureTransformer: found depth " + depth + ", hidden " + hidden + ", maxTokens "
                    + maxTokens + ", bins " + bins + "; allowed are 1 and more, for bins 0 and more");
        }
        return Optional.empty();
    }

    @Override
    public boolean pretrained() {
        return false;
    }

    @Override
    public Backbone create(FeatureLayout layout, TaskLayout tasks, Examples rows, long seed) {
        EmtalException.check(rows.size() > 0, "FeatureTransformer: found no training rows, at least one is needed");
        GraphBuilder graph = new GraphBuilder();
        EncoderWriter encoder = new EncoderWriter(graph, width, hidden, depth, new SplittableRandom(seed));
        Value input = graph.input("input", ElementType.FLOAT, Shape.BATCH, layout.width());
        FeatureEncoding encoding = FeatureEncoding.write(graph, input, layout, rows, Optional.empty(),
                NumberEncoding.ofValue(bins));
        Value tokens = tokens(graph, encoder, encoding);
        Value read = graph.squeeze(graph.slice(encoder.encode(tokens, heads, false), 1, 0, 1), 1);
        int encoded = (int) encoding.values().extent(1);
        Value linear = encoder.trainable("linear.weight", Tensor.of(new float[encoded * width], encoded, width));
        Value pooled = graph.add(read, graph.matMul(encoding.values(), linear));
        graph.output("pooled", pooled);
        return encoder.backbone(graph.build(), true);
    }

    /** The class token and one token for every group of neighbouring columns, [batch, 1 + G, D]. */
    private Value tokens(GraphBuilder graph, EncoderWriter encoder, FeatureEncoding encoding) {
        int columns = encoding.columns().size();
        int groups = Math.min(columns, maxTokens);
        List<int[]> members = new ArrayList<>();
        int widest = 0;
        for (int g = 0; g < groups; g++) {
            int[] group = encoding.columns().subList(columns * g / groups, columns * (g + 1) / groups).stream()
                    .flatMapToInt(Arrays::stream).toArray();
            members.add(group);
            widest = Math.max(widest, group.length);
        }
        Value values = encoding.values();
        int padding = (int) values.extent(1);
        Value zero = graph.mul(graph.slice(values, 1, 0, 1), graph.constant(0));
        long[] indices = new long[groups * widest];
        Arrays.fill(indices, padding);
        float[] weights = new float[groups * widest * width];
        BitSet missing = new BitSet();
        Arrays.stream(encoding.missing()).forEach(missing::set);
        for (int g = 0; g < groups; g++) {
            int[] group = members.get(g);
            float[] drawn = encoder.gaussian(group.length * width, 1 / Math.sqrt(group.length));
            for (int i = 0; i < group.length; i++) {
                int at = g * widest + i;
                indices[at] = group[i];
                if (!missing.get(group[i])) {
                    System.arraycopy(drawn, i * width, weights, at * width, width);
                }
            }
        }
        Value grouped = graph.reshape(graph.gather(graph.concat(1, List.of(values, zero)), 1, indices), 0, groups, widest);
        Value projected = graph.matMul(graph.transpose(grouped, 1, 0, 2),
                encoder.trainable("tokens.weight", Tensor.of(weights, groups, widest, width)));
        Value bias = encoder.trainable("tokens.bias", Tensor.of(encoder.gaussian(groups * width, 0.02), groups, width));
        Value features = graph.add(graph.transpose(projected, 1, 0, 2), bias);
        Value classToken = encoder.trainable("tokens.class", Tensor.of(encoder.gaussian(width, 0.02), 1, 1, width));
        return graph.concat(1, List.of(graph.add(graph.unsqueeze(zero, 2), classToken), features));
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "BackboneSource");
    }
}

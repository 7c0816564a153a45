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
import io.emtal.onnx.task.MemberWeights;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.TaskLayout;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/**
 * A fresh backbone for tables: an ensemble of members that share the feed-forward blocks of a transformer (TabM-mini,
 * Gorishniy et al. 2025, arXiv 2410.24210). Every member is a token: it sees all columns with scales of its own, at
 * first random signs, passes the blocks without knowing of the others, and has heads of its own; the mean of the
 * members is the prediction. Where numbers and classes are learnt together, there are as many members for each kind,
 * and nearly the mean of these is the prediction.
 *
 * <p>A linear map of all encoded columns, zero at first, is added to what the heads read: what is linear in a table
 * need not pass through the blocks. Where numbers are learnt, what the blocks give is scaled down beside it. Adam moves
 * all weights alike, so that heads learn more slowly what is scaled down, and decay takes more of it: what a linear map
 * cannot say is to be learnt after what it can. Where all tasks are classes, both are learnt alike.
 *
 * <p>Numbers are standardised and also encoded piecewise-linearly over bins that end where the labels change (Gorishniy
 * et al. 2022, arXiv 2203.05556), with fewer bins in tables of hundreds of numbers. Of up to 1000 rows a linear map of
 * the encoded columns, fitted to four fifths of the rows, tells whether bins help to predict the others (ridge regression,
 * five-fold, the mean over the tasks); if not, there are none. It also tells whether these are predicted better by bins
 * alone, as they are where numbers have outliers or targets level off: so trees see them. The losses of real tasks may be
 * weighted by what that map leaves of each. Of as many rows, kernel ridge regression tells whether it helps that columns
 * count by how much they say of the labels, or less where many say the same; if so, the encoding is weighted.
 *
 * <p>What a missing value means is learned from the training rows that miss it; where none does, it counts as the
 * column's mean.
 *
 * <p>An encoding of more than 64 numbers is scaled by 64 / their count, and its embedding the other way. A step of Adam
 * moves every weight by the learning rate, so a wide table's tokens would otherwise move farther in each step than a
 * narrow one's (Yang et al. 2021, arXiv 2203.03466: a matrix's learning rate falls with the number of its inputs).
 *
 * <p>All preprocessing, with the statistics of the training rows, is part of the graph: it takes raw values, with
 * not-a-number for a missing one.
 */
public final class FeatureEnsemble implements BackboneSource {

    /** The most numbers that all columns' encodings take while there are bins to spare. */
    private static final int WIDEST = 2048;

    /** The widest encoding that is not scaled. */
    private static final int FULL_RATE_WIDTH = 64;

    /** What the blocks count beside the linear map where numbers are learnt. */
    private static final double SCALE_FOR_NUMBERS = 0.4;

    /** What a number's encoding has besides bins: its standardised value, and whether it is missing. */
    private static final int WITHOUT_BINS = 2;

    @Config(description = "The number of members M; twice as many where numbers and classes are learnt together.")
    private int members = 16;

    @Config(description = "Token width D.")
    private int width = 64;

    @Config(description = "Number of feed-forward blocks L.")
    private int depth = 2;

    @Config(description = "Width H of the feed-forward networks.")
    private int hidden = 128;

    @Config(description = "The most bins of the piecewise-linear encoding of a number; 0 for none. Fewer where hundreds of"
            + " numbers would make the encoding too wide, and none where they do not help to predict up to 1000 rows.")
    private int bins = 8;

    @Config(description = "What the blocks' output is multiplied by, above 0, where all tasks are classes, and 0.4 times that"
            + " where numbers are learnt; the linear map's is not.")
    private double blockScale = 1;

    /** For OLCUT, and {@link #builder()}. */
    private FeatureEnsemble() {
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

        private final List<Consumer<FeatureEnsemble>> settings = new ArrayList<>();

        private Builder() {
        }

        private Builder set(Consumer<FeatureEnsemble> setting) {
            settings.add(setting);
            return this;
        }

        /**
         * Sets the number of members.
         *
         * @param members M, 2 or more; there are twice as many where numbers and classes are learnt together
         * @return this builder
         */
        public Builder members(int members) {
            return set(made -> made.members = members);
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
         * Sets the width of the feed-forward networks.
         *
         * @param hidden H
         * @return this builder
         */
        public Builder hidden(int hidden) {
            return set(made -> made.hidden = hidden);
        }

        /**
         * Sets the most bins that a number is encoded with.
         *
         * @param bins 0 for none; there are none either where they do not help
         * @return this builder
         */
        public Builder bins(int bins) {
            return set(made -> made.bins = bins);
        }

        /**
         * Sets how much the blocks say beside the linear map.
         *
         * @param blockScale what the blocks' output is multiplied by, above 0, where all tasks are classes; where
         *     numbers are learnt it is multiplied by 0.4 of that
         * @return this builder
         */
        public Builder blockScale(double blockScale) {
            return set(made -> made.blockScale = blockScale);
        }

        /**
         * Makes the source.
         *
         * @return the source
         * @throws EmtalException if a size is out of its range
         */
        public FeatureEnsemble build() {
            FeatureEnsemble made = new FeatureEnsemble();
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
            throw new PropertyException("", "FeatureEnsemble", message);
        });
    }

    private Optional<String> invalid() {
        boolean valid = members >= 2 && width >= 1 && depth >= 1 && hidden >= 1 && bins >= 0 && blockScale > 0
                && Double.isFinite(blockScale);
        return valid ? Optional.empty() : Optional.of("FeatureEnsemble: found members " + members + ", width " + width
                + ", depth " + depth + ", hidden " + hidden + ", bins " + bins + ", block scale " + blockScale
                + "; allowed are 2 and more members, 0 and more bins, a block scale above 0, 1 and more of the others");
    }

    @Override
    public boolean pretrained() {
        return false;
    }

    @Override
    public Backbone create(FeatureLayout layout, TaskLayout tasks, Examples rows, long seed) {
        EmtalException.check(rows.size() > 0, "FeatureEnsemble: found no training rows, at least one is needed");
        SplittableRandom random = new SplittableRandom(seed);
        GraphBuilder graph = new GraphBuilder();
        EncoderWriter encoder = new EncoderWriter(graph, width, hidden, depth, random);
        Value input = graph.input("input", ElementType.FLOAT, Shape.BATCH, layout.width());
        EncodingChoice choice = EncodingChoice.of(layout, tasks, rows, bins(layout));
        FeatureEncoding encoding = FeatureEncoding.write(graph, input, layout, rows, Optional.of(tasks), choice.numbers());
        int encoded = (int) encoding.values().extent(1);
        double gain = Math.min(1, (double) FULL_RATE_WIDTH / encoded);
        Value values = graph.unsqueeze(weighted(graph, encoding.values(), gain, choice.weights()), 1);
        int all = members * Math.max(1, MemberWeights.kinds(tasks));
        Value scaled = graph.mul(values, encoder.perMember("members.scale", signs(all, encoded, random)));
        Value embedded = graph.matMul(scaled, encoder.trainable("embedding.weight", embedding(encoding, encoder, gain)));
        Value tokens = graph.add(embedded, encoder.perMember("members.bias",
                Tensor.of(new float[all * width], all, width)));
        Value linear = encoder.trainable("linear.weight", Tensor.of(new float[encoded * width], encoded, width));
        boolean numbers = tasks.learnt().stream().anyMatch(RealTask.class::isInstance);
        Value said = graph.mul(encoder.encodeApart(tokens), blockScale * (numbers ? SCALE_FOR_NUMBERS : 1));
        graph.output("pooled", graph.add(said, graph.matMul(values, linear)));
        return encoder.backbone(graph.build(), false).withLinearErrors(choice.errors());
    }

    private static Value weighted(GraphBuilder graph, Value encoded, double gain, Optional<float[]> weights) {
        if (weights.isEmpty()) {
            return graph.mul(encoded, gain);
        }
        float[] scaled = weights.get().clone();
        for (int i = 0; i < scaled.length; i++) {
            scaled[i] *= (float) gain;
        }
        return graph.mul(encoded, graph.initializer("input.weights", Tensor.of(scaled, scaled.length)));
    }

    private int bins(FeatureLayout layout) {
        long numbers = layout.columns().stream().filter(c -> c.kind() == FeatureColumn.Kind.NUMERIC).count();
        return numbers == 0 ? 0 : (int) Math.max(0, Math.min(bins, WIDEST / numbers - WITHOUT_BINS));
    }

    private static Tensor signs(int all, int encoded, SplittableRandom random) {
        float[] signs = new float[all * encoded];
        for (int i = 0; i < signs.length; i++) {
            signs[i] = random.nextBoolean() ? 1 : -1;
        }
        return Tensor.of(signs, all, encoded);
    }

    private Tensor embedding(FeatureEncoding encoding, EncoderWriter encoder, double gain) {
        int encoded = (int) encoding.values().extent(1);
        float[] weights = encoder.gaussian(encoded * width, 1 / (gain * Math.sqrt(encoded)));
        for (int position : encoding.missing()) {
            Arrays.fill(weights, position * width, (position + 1) * width, 0);
        }
        return Tensor.of(weights, encoded, width);
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "BackboneSource");
    }
}

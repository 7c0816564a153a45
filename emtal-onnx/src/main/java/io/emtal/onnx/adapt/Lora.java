package io.emtal.onnx.adapt;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.Block;
import io.emtal.onnx.backbone.LinearLayer;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import java.util.random.RandomGenerator;

/**
 * A control: plain LoRA (Hu et al. 2021, arXiv 2106.09685) on the query-key-value layers, the attention's output
 * projection and both layers of the FFN of every adapted block, W' = W + (alpha/r)·A·B. It trains 16·D·L·r parameters
 * where the query-key-value layer is joint, H = 4D and L blocks are adapted.
 */
public final class Lora implements AdaptationMethod {

    @Config(description = "Rank r of the updates.")
    private int rank = 4;

    @Config(description = "The updates are scaled by alpha / rank; 0 for alpha = rank.")
    private double alpha = 0;

    @Config(description = "How many blocks are adapted, counted from the top; 0 for all.")
    private int adaptBlocks = 0;

    @Config(description = "The learning rate of what is outside the blocks' linear layers (patch embedding, class token,"
            + " positions, norms) as a fraction of the updates'; 0 leaves it as it is.")
    private double embeddingRate = 0;

    /** For OLCUT and the builder. */
    private Lora() {
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

        private final List<Consumer<Lora>> settings = new ArrayList<>();

        private Builder() {
        }

        private Builder set(Consumer<Lora> setting) {
            settings.add(setting);
            return this;
        }

        /**
         * Sets the rank of the updates.
         *
         * @param rank r, at least 1
         * @return this builder
         */
        public Builder rank(int rank) {
            return set(made -> made.rank = rank);
        }

        /**
         * Sets the scale of the updates, alpha / rank.
         *
         * @param alpha above 0, or 0 for alpha = rank
         * @return this builder
         */
        public Builder alpha(double alpha) {
            return set(made -> made.alpha = alpha);
        }

        /**
         * Sets how many blocks are adapted.
         *
         * @param adaptBlocks their number, counted from the top, the last block's side; 0 for all
         * @return this builder
         */
        public Builder adaptBlocks(int adaptBlocks) {
            return set(made -> made.adaptBlocks = adaptBlocks);
        }

        /**
         * Trains what is outside the blocks' linear layers, too: patch embedding, class token, positions, norms. For
         * images unlike those of the pre-training; no prefix of the backbone stays frozen then.
         *
         * @param embeddingRate its learning rate as a fraction of the updates', 0 to 1; 0 leaves it as it is
         * @return this builder
         */
        public Builder embeddingRate(double embeddingRate) {
            return set(made -> made.embeddingRate = embeddingRate);
        }

        /**
         * Makes the method.
         *
         * @return the method
         * @throws EmtalException if a value is out of its range
         */
        public Lora build() {
            Lora made = new Lora();
            settings.forEach(setting -> setting.accept(made));
            return Settings.checked(made);
        }
    }

    @Override
    public void postConfig() {
        Settings.checkLowRank(rank, alpha);
        Settings.checkAdaptBlocks(adaptBlocks);
        Settings.checkEmbeddingRate(embeddingRate);
    }

    @Override
    public void check(Backbone backbone) {
        LowRank.checkTargets(backbone);
        Settings.adapted(backbone.blocks(), adaptBlocks);
    }

    @Override
    public Adaptation adapt(Backbone backbone, long seed) {
        check(backbone);
        RandomGenerator random = new SplittableRandom(seed);
        Map<LinearLayer, LowRank> updates = new LinkedHashMap<>();
        List<Parameter> outside = BackboneWeights.outsideLayers(backbone, embeddingRate);
        List<Parameter> parameters = new ArrayList<>(outside);
        Settings.adapted(backbone.blocks(), adaptBlocks).stream().flatMap(Block::layers).forEach(layer -> {
            LowRank update = LowRank.shared(layer, rank, LowRank.scale(rank, alpha));
            updates.put(layer, update);
            parameters.addAll(update.startingAtZero(random));
        });
        return new Adapted(backbone, List.copyOf(parameters), outside, updates);
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "AdaptationMethod");
    }

    private record Adapted(Backbone backbone, List<Parameter> parameters, List<Parameter> outside,
                           Map<LinearLayer, LowRank> updates) implements Adaptation {

        @Override
        public boolean trains(LinearLayer layer) {
            return updates.containsKey(layer);
        }

        @Override
        public boolean tokenwise(LinearLayer layer) {
            return true;
        }

        @Override
        public Value linear(Site site, LinearLayer layer, Value input) {
            return trains(layer) ? updates.get(layer).write(site, input) : site.dense(layer, input);
        }

        @Override
        public Backbone merge(Backbone into, Function<String, Tensor> values, double fade) {
            Map<String, Tensor> merged = BackboneWeights.values(outside, values);
            updates.forEach((layer, update) -> merged.put(layer.weight(), update.merged(backbone.graph().initializers(),
                    values, IntUnaryOperator.identity(), IntUnaryOperator.identity())));
            return Merge.of(backbone, into, fade, merged);
        }
    }
}

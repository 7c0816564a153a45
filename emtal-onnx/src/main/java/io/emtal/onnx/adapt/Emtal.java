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
import io.emtal.onnx.task.QualityRetaining;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import java.util.random.RandomGenerator;

/**
 * EMTAL's MoEfied LoRA with router fading (Zhong, Chen, Zhang, Huang, Wang: Transforming Vision Transformer, NeurIPS
 * 2024, arXiv 2501.06884). The hidden channels of every FFN are grouped into K experts of m = H/K channels; LoRA adapts
 * the query-key-value layers, the attention's output projection, fc1 and fc2; a router weights the experts'
 * pre-activations for every token:
 *
 * <pre>
 *     g   = softmax(h·W_r / τ)                    ω = (1 − a)·K·g + a
 *     pre = h·W1 + b1 + s·(h·A1)·B1               [B, N, H] seen as [B, N, K, m]
 *     u   = activation(ω[…, None] ∘ pre)
 *     y   = u·W2 + b2 + s·(u·A2)·B2
 * </pre>
 *
 * <p>The fade a rises to 1, where the router is gone and the updates merge into the dense weights exactly. With shared
 * scope, a joint query-key-value layer and H = 4D the method trains 16·D·L·r + D·L·K parameters besides the heads, where
 * L blocks are adapted.
 */
public final class Emtal implements AdaptationMethod {

    private static final double RELEASE_DEVIATION = 0.02;

    /**
     * With one over the running loss as its weight, distillation outweighs the losses many times once tasks are learnt,
     * and unlearns them.
     */
    private static final QualityRetaining GENTLE = QualityRetaining.builder()
            .weighting(QualityRetaining.Weighting.CONSTANT).constantWeight(0.1).build();

    /** Which experts share the low-rank updates of an FFN. */
    public enum Scope {
        /** One pair of factors a matrix, sliced by the experts; the authors' release and parameter counts. */
        SHARED,
        /** One pair an expert for fc1 and fc2; the paper's equations. */
        PER_EXPERT
    }

    /** What the router gives gates of their own. */
    public enum Granularity {
        /** Every token. */
        PER_TOKEN,
        /** Every image or row, by the mean of its tokens. */
        PER_IMAGE
    }

    /** The network of the first step. */
    public enum Start {
        /** The backbone exactly: every B and W_r is zero. */
        ZERO,
        /** As the authors' release: both factors and W_r normally distributed with deviation 0.02. */
        RELEASE
    }

    @Config(description = "Number of experts K; must divide the hidden width of every FFN.")
    private int experts = 16;

    @Config(description = "Rank r of the updates.")
    private int rank = 4;

    @Config(description = "The updates are scaled by alpha / rank; 0 for alpha = rank.")
    private double alpha = 0;

    @Config(description = "Which experts share the updates of fc1 and fc2.")
    private Scope scope = Scope.SHARED;

    @Config(description = "How hidden channels are grouped into experts.")
    private ExpertClustering.Grouping grouping = ExpertClustering.Grouping.CLUSTERED;

    @Config(description = "Whether there is a router; without it only the updates are trained.")
    private boolean router = true;

    @Config(description = "What the router gives gates of their own.")
    private Granularity granularity = Granularity.PER_TOKEN;

    @Config(description = "Temperature of the router's softmax.")
    private double temperature = 5;

    @Config(description = "Weight of the loss that keeps the mean gates of a row equal; 0 for none.")
    private double balanceLoss = 0;

    @Config(description = "The network of the first step.")
    private Start start = Start.ZERO;

    @Config(description = "How many blocks are adapted, counted from the top; 0 for all.")
    private int adaptBlocks = 0;

    @Config(description = "The learning rate of what is outside the blocks' linear layers (patch embedding, class token,"
            + " positions, norms) as a fraction of the updates'; 0 leaves it as it is.")
    private double embeddingRate = 0;

    @Config(description = "How the router fades.")
    private Fade fade = Fade.builder().build();

    @Config(description = "Quality Retaining, which protects tasks that are already good.")
    private QualityRetaining qualityRetaining = GENTLE;

    /** For OLCUT and the builder. */
    private Emtal() {
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

        private final List<Consumer<Emtal>> settings = new ArrayList<>();

        private Builder() {
        }

        private Builder set(Consumer<Emtal> setting) {
            settings.add(setting);
            return this;
        }

        /**
         * Sets the number of experts.
         *
         * @param experts K, at least 1; must divide the hidden width of every FFN
         * @return this builder
         */
        public Builder experts(int experts) {
            return set(made -> made.experts = experts);
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
         * Sets which experts share the updates of fc1 and fc2.
         *
         * @param scope shared, or a pair of factors an expert
         * @return this builder
         */
        public Builder scope(Scope scope) {
            Objects.requireNonNull(scope, "scope");
            return set(made -> made.scope = scope);
        }

        /**
         * Sets how hidden channels are grouped into experts.
         *
         * @param grouping clustered by weights, or an ablation
         * @return this builder
         */
        public Builder grouping(ExpertClustering.Grouping grouping) {
            Objects.requireNonNull(grouping, "grouping");
            return set(made -> made.grouping = grouping);
        }

        /**
         * Switches the router.
         *
         * @param router false for an ablation without it
         * @return this builder
         */
        public Builder router(boolean router) {
            return set(made -> made.router = router);
        }

        /**
         * Sets what the router gives gates of their own.
         *
         * @param granularity every token or every image
         * @return this builder
         */
        public Builder granularity(Granularity granularity) {
            Objects.requireNonNull(granularity, "granularity");
            return set(made -> made.granularity = granularity);
        }

        /**
         * Sets the temperature of the router's softmax.
         *
         * @param temperature τ, above 0
         * @return this builder
         */
        public Builder temperature(double temperature) {
            return set(made -> made.temperature = temperature);
        }

        /**
         * Sets the weight of the balance loss: the mean over rows and the sum over blocks of (1 − a)·(K·Σ ḡ² − 1),
         * where ḡ are a row's mean gates. The reference has none.
         *
         * @param balanceLoss the weight, 0 for none
         * @return this builder
         */
        public Builder balanceLoss(double balanceLoss) {
            return set(made -> made.balanceLoss = balanceLoss);
        }

        /**
         * Sets the network of the first step.
         *
         * @param start the backbone exactly, or as the authors' release
         * @return this builder
         */
        public Builder start(Start start) {
            Objects.requireNonNull(start, "start");
            return set(made -> made.start = start);
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
         * Sets how the router fades.
         *
         * @param fade the fade
         * @return this builder
         */
        public Builder fade(Fade fade) {
            Objects.requireNonNull(fade, "fade");
            return set(made -> made.fade = fade);
        }

        /**
         * Sets Quality Retaining.
         *
         * @param qualityRetaining its settings, or {@link QualityRetaining#off()}; by default a constant weight of 0.1
         * @return this builder
         */
        public Builder qualityRetaining(QualityRetaining qualityRetaining) {
            Objects.requireNonNull(qualityRetaining, "qualityRetaining");
            return set(made -> made.qualityRetaining = qualityRetaining);
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
        public Emtal build() {
            Emtal made = new Emtal();
            settings.forEach(setting -> setting.accept(made));
            return Settings.checked(made);
        }
    }

    @Override
    public void postConfig() {
        Settings.check(experts >= 1, "experts", experts, "1 or more");
        Settings.checkLowRank(rank, alpha);
        Settings.checkAdaptBlocks(adaptBlocks);
        Settings.checkEmbeddingRate(embeddingRate);
        Settings.check(temperature > 0 && Double.isFinite(temperature), "temperature", temperature, "a number above 0");
        Settings.check(balanceLoss >= 0 && Double.isFinite(balanceLoss), "balanceLoss", balanceLoss, "0 or more");
    }

    @Override
    public void check(Backbone backbone) {
        LowRank.checkTargets(backbone);
        Settings.adapted(backbone.blocks(), adaptBlocks)
                .forEach(block -> ExpertClustering.checkDivides(experts, block.fc1().out()));
    }

    @Override
    public Adaptation adapt(Backbone backbone, long seed) {
        check(backbone);
        Map<String, Tensor> initializers = backbone.graph().initializers();
        // A stream each: another rank or start does not change the clustering.
        SplittableRandom clustering = new SplittableRandom(seed);
        RandomGenerator factors = clustering.split();
        List<Parameter> outside = BackboneWeights.outsideLayers(backbone, embeddingRate);
        List<Parameter> parameters = new ArrayList<>(outside);
        Map<LinearLayer, LowRank> updates = new LinkedHashMap<>();
        Map<Integer, Experts> grouped = new HashMap<>();
        Map<Integer, Router> routers = new HashMap<>();
        for (Block block : Settings.adapted(backbone.blocks(), adaptBlocks)) {
            grouped.put(block.index(), Experts.of(block, initializers, experts, grouping, clustering));
            block.layers().map(this::update).forEach(update -> {
                updates.put(update.layer(), update);
                parameters.addAll(start == Start.ZERO ? update.startingAtZero(factors)
                        : update.starting(factors, RELEASE_DEVIATION));
            });
            if (router) {
                Router routing = new Router(block.index(), experts, temperature, granularity, balanceLoss);
                routers.put(block.index(), routing);
                parameters.add(start == Start.ZERO ? routing.startingAtZero(block.fc1().in())
                        : routing.starting(block.fc1().in(), factors, RELEASE_DEVIATION));
            }
        }
        return new MoefiedLora(backbone, List.copyOf(parameters), outside, updates, grouped, routers, fade);
    }

    private LowRank update(LinearLayer layer) {
        boolean perExpert = scope == Scope.PER_EXPERT;
        return new LowRank(layer, rank, LowRank.scale(rank, alpha),
                perExpert && layer.role() == LinearLayer.Role.FC1 ? experts : 1,
                perExpert && layer.role() == LinearLayer.Role.FC2 ? experts : 1);
    }

    @Override
    public QualityRetaining qualityRetaining() {
        return qualityRetaining;
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "AdaptationMethod");
    }

    private record MoefiedLora(Backbone backbone, List<Parameter> parameters, List<Parameter> outside,
                               Map<LinearLayer, LowRank> updates, Map<Integer, Experts> experts,
                               Map<Integer, Router> routers, Fade fade)
            implements Adaptation {

        @Override
        public Map<String, Tensor> rearranged() {
            Map<String, Tensor> all = new HashMap<>();
            experts.values().forEach(e -> all.putAll(e.rearranged(backbone.graph().initializers())));
            return all;
        }

        @Override
        public boolean trains(LinearLayer layer) {
            return updates.containsKey(layer);
        }

        @Override
        public boolean tokenwise(LinearLayer layer) {
            return layer.role() != LinearLayer.Role.FC1 || !routers.containsKey(layer.block())
                    || routers.get(layer.block()).isTokenwise();
        }

        @Override
        public Value linear(Site site, LinearLayer layer, Value input) {
            if (!trains(layer)) {
                return site.dense(layer, input);
            }
            Value output = updates.get(layer).write(site, input);
            Router router = layer.role() == LinearLayer.Role.FC1 ? routers.get(layer.block()) : null;
            return router == null ? output : router.gate(site, input, output);
        }

        @Override
        public double fade(double progress) {
            return routers.isEmpty() ? 1 : fade.at(progress);
        }

        @Override
        public Backbone merge(Backbone into, Function<String, Tensor> values, double at) {
            Map<String, Tensor> merged = BackboneWeights.values(outside, values);
            updates.forEach((layer, update) -> {
                int[] positions = experts.get(layer.block()).position();
                IntUnaryOperator position = i -> positions[i];
                merged.put(layer.weight(), update.merged(backbone.graph().initializers(), values,
                        layer.role() == LinearLayer.Role.FC2 ? position : IntUnaryOperator.identity(),
                        layer.role() == LinearLayer.Role.FC1 ? position : IntUnaryOperator.identity()));
            });
            return Merge.of(backbone, into, at, merged);
        }
    }
}

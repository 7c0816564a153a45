package io.emtal.samples.compare;

import io.emtal.onnx.adapt.AdaptationMethod;
import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.adapt.ExpertClustering;
import io.emtal.onnx.adapt.FullDense;
import io.emtal.onnx.adapt.HeadsOnly;
import io.emtal.onnx.adapt.Lora;
import io.emtal.onnx.task.QualityRetaining;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/** EMTAL, its controls and its ablations, by the names that they have in command lines and reports. */
public enum NamedMethod {
    /** EMTAL with its defaults. */
    EMTAL("emtal", true),
    /** Plain LoRA. */
    LORA("lora", true),
    /** All weights. */
    DENSE("dense", false),
    /** Only the heads. */
    HEADS("heads", false),
    /** EMTAL without Quality Retaining, in dense training, too. */
    EMTAL_NO_QR("emtal-no-qr", true),
    /** EMTAL without a router. */
    EMTAL_NO_ROUTER("emtal-no-router", true),
    /** EMTAL with experts of random channels. */
    EMTAL_RANDOM_EXPERTS("emtal-random-experts", true);

    /**
     * What may differ from a method's defaults, where it has such a setting.
     *
     * @param rank the rank of the updates
     * @param experts the number of experts
     * @param adaptBlocks how many blocks are adapted, counted from the top
     * @param embeddingRate the learning rate of embeddings and norms as a fraction of the updates'
     */
    public record Settings(OptionalInt rank, OptionalInt experts, OptionalInt adaptBlocks,
            OptionalDouble embeddingRate) {
        /** The defaults. */
        public static final Settings DEFAULT =
                new Settings(OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), OptionalDouble.empty());
    }

    private final String name;
    private final boolean lowRank;

    NamedMethod(String name, boolean lowRank) {
        this.name = name;
        this.lowRank = lowRank;
    }

    /**
     * Whether the method has a rank.
     *
     * @return whether it has
     */
    public boolean lowRank() {
        return lowRank;
    }

    /**
     * The method.
     *
     * @param settings what differs from its defaults
     * @return the method
     * @throws io.emtal.onnx.EmtalException if a number is out of its range
     */
    public AdaptationMethod method(Settings settings) {
        return switch (this) {
            case EMTAL -> emtal(settings).build();
            case LORA -> {
                Lora.Builder lora = Lora.builder();
                settings.rank.ifPresent(lora::rank);
                settings.adaptBlocks.ifPresent(lora::adaptBlocks);
                settings.embeddingRate.ifPresent(lora::embeddingRate);
                yield lora.build();
            }
            case DENSE -> new FullDense();
            case HEADS -> new HeadsOnly();
            case EMTAL_NO_QR -> emtal(settings).qualityRetaining(QualityRetaining.off()).build();
            case EMTAL_NO_ROUTER -> emtal(settings).router(false).build();
            case EMTAL_RANDOM_EXPERTS -> emtal(settings).grouping(ExpertClustering.Grouping.RANDOM).build();
        };
    }

    private static Emtal.Builder emtal(Settings settings) {
        Emtal.Builder builder = Emtal.builder();
        settings.rank.ifPresent(builder::rank);
        settings.experts.ifPresent(builder::experts);
        settings.adaptBlocks.ifPresent(builder::adaptBlocks);
        settings.embeddingRate.ifPresent(builder::embeddingRate);
        return builder;
    }

    @Override
    public String toString() {
        return name;
    }
}

package io.emtal.samples.compare;

import io.emtal.onnx.adapt.AdaptationMethod;
import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.adapt.ExpertClustering;
import io.emtal.onnx.adapt.FullDense;
import io.emtal.onnx.adapt.HeadsOnly;
import io.emtal.onnx.adapt.Lora;
import io.emtal.onnx.task.QualityRetaining;
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
    /** EMTAL without Quality Retaining. */
    EMTAL_NO_QR("emtal-no-qr", true),
    /** EMTAL without a router. */
    EMTAL_NO_ROUTER("emtal-no-router", true),
    /** EMTAL with experts of random channels. */
    EMTAL_RANDOM_EXPERTS("emtal-random-experts", true);

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
     * @param rank the rank, where it has one; empty for its default
     * @param experts the number of experts, where it has such; empty for its default
     * @return the method
     * @throws io.emtal.onnx.EmtalException if a number is out of its range
     */
    public AdaptationMethod method(OptionalInt rank, OptionalInt experts) {
        return switch (this) {
            case EMTAL -> emtal(rank, experts).build();
            case LORA -> {
                Lora.Builder lora = Lora.builder();
                rank.ifPresent(lora::rank);
                yield lora.build();
            }
            case DENSE -> new FullDense();
            case HEADS -> new HeadsOnly();
            case EMTAL_NO_QR -> emtal(rank, experts).qualityRetaining(QualityRetaining.off()).build();
            case EMTAL_NO_ROUTER -> emtal(rank, experts).router(false).build();
            case EMTAL_RANDOM_EXPERTS -> emtal(rank, experts).grouping(ExpertClustering.Grouping.RANDOM).build();
        };
    }

    private static Emtal.Builder emtal(OptionalInt rank, OptionalInt experts) {
        Emtal.Builder builder = Emtal.builder();
        rank.ifPresent(builder::rank);
        experts.ifPresent(builder::experts);
        return builder;
    }

    @Override
    public String toString() {
        return name;
    }
}

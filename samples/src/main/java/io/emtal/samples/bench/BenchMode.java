package io.emtal.samples.bench;

import io.emtal.onnx.adapt.AdaptationMethod;
import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.adapt.FullDense;
import io.emtal.onnx.adapt.HeadsOnly;
import io.emtal.onnx.adapt.Lora;
import java.util.Locale;

/** What is trained. */
enum BenchMode {
    /** All weights. */
    DENSE,
    /** The heads alone. */
    HEADS,
    /** Low-rank updates of all linear layers of all blocks. */
    LORA,
    /** Low-rank updates and routers whose fade is half way. */
    EMTAL_GATED,
    /** Low-rank updates after the fade. */
    EMTAL_FADED;

    static final int RANK = 8;
    static final int EXPERTS = 16;
    static final double TEMPERATURE = 5;

    AdaptationMethod method() {
        return switch (this) {
            case DENSE -> new FullDense();
            case HEADS -> new HeadsOnly();
            case LORA -> Lora.builder().rank(RANK).build();
            case EMTAL_GATED, EMTAL_FADED -> Emtal.builder().rank(RANK).experts(EXPERTS).temperature(TEMPERATURE).build();
        };
    }

    /** The fade a. */
    double fade() {
        return this == EMTAL_GATED ? 0.5 : 1;
    }

    boolean lowRank() {
        return this == LORA || this == EMTAL_GATED || this == EMTAL_FADED;
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
}

package io.emtal.onnx.adapt;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenancable;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

/**
 * How the fade a rises from 0, fully routed, to 1, dense, over the training. At least the last tenth of the steps runs
 * at exactly 1, so that the updates settle in the network that is deployed.
 */
public final class Fade implements Configurable, Provenancable<ConfiguredObjectProvenance> {

    private static final double LATEST_END = 0.9;

    /** The way from 0 to 1. */
    public enum Curve {
        /** At constant speed. */
        LINEAR,
        /** Half a cosine: slow at both ends. */
        COSINE
    }

    @Config(description = "The fraction of all steps until which a = 0.")
    private double start = 0;

    @Config(description = "The fraction of all steps from which a = 1; at most 0.9.")
    private double end = 0.5;

    @Config(description = "How a rises in between.")
    private Curve curve = Curve.LINEAR;

    /** For OLCUT and the builder. */
    private Fade() {
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

        private final List<Consumer<Fade>> settings = new ArrayList<>();

        private Builder() {
        }

        private Builder set(Consumer<Fade> setting) {
            settings.add(setting);
            return this;
        }

        /**
         * Sets when a starts to rise.
         *
         * @param start a fraction of all steps, 0 to {@code end}
         * @return this builder
         */
        public Builder start(double start) {
            return set(made -> made.start = start);
        }

        /**
         * Sets when a reaches 1.
         *
         * @param end a fraction of all steps, {@code start} to 0.9
         * @return this builder
         */
        public Builder end(double end) {
            return set(made -> made.end = end);
        }

        /**
         * Sets how a rises.
         *
         * @param curve the way from 0 to 1
         * @return this builder
         */
        public Builder curve(Curve curve) {
            Objects.requireNonNull(curve, "curve");
            return set(made -> made.curve = curve);
        }

        /**
         * Makes the fade.
         *
         * @return the fade
         * @throws EmtalException if a value is out of its range
         */
        public Fade build() {
            Fade made = new Fade();
            settings.forEach(setting -> setting.accept(made));
            return Settings.checked(made);
        }
    }

    @Override
    public void postConfig() {
        Settings.check(end >= 0 && end <= LATEST_END, "end", end, "a fraction of the steps from 0 to %s", LATEST_END);
        Settings.check(start >= 0 && start <= end, "start", start, "a fraction of the steps from 0 to %s", end);
    }

    /**
     * The fade after a part of the training.
     *
     * @param progress the fraction of all steps that are done, 0 to 1
     * @return a, from 0 to 1: never decreasing, exactly 1 from the end on
     */
    public double at(double progress) {
        if (progress >= end) {
            return 1;
        }
        if (progress <= start) {
            return 0;
        }
        double part = (progress - start) / (end - start);
        return switch (curve) {
            case LINEAR -> part;
            case COSINE -> (1 - Math.cos(Math.PI * part)) / 2;
        };
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "Fade");
    }
}

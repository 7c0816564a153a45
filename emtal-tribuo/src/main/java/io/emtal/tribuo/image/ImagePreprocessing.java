package io.emtal.tribuo.image;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenancable;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.ImageInput;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * What becomes of an image before a network reads it, where that differs from what the backbone says of itself. Size
 * and layout are always the backbone's.
 *
 * <p>From an image the largest centred region of the backbone's shape is taken, made smaller by the crop fraction, and
 * resized; then a channel's value v of 0 to 255 becomes (v / 255 − mean) / deviation. Transparency is put on white.
 */
public final class ImagePreprocessing implements Configurable, Provenancable<ConfiguredObjectProvenance> {

    @Config(description = "The channels in order, as many as the backbone reads; the backbone's if it is not set.")
    private ImageInput.Channels channels;

    @Config(description = "How images are resized; the backbone's if it is not set.")
    private ImageInput.Interpolation interpolation;

    @Config(description = "The share of the shorter side that is kept, up to 1; 0 for the backbone's.")
    private double cropFraction = 0;

    @Config(description = "The mean of every channel, with channels from 0 to 1; the backbone's if it is empty.")
    private double[] mean = {};

    @Config(description = "The deviation of every channel, with channels from 0 to 1; the backbone's if it is empty.")
    private double[] deviation = {};

    @Config(description = "The most pixels that an image may have before it is resized.")
    private long maxPixels = 1 << 26;

    /** For OLCUT and the builder. */
    private ImagePreprocessing() {
    }

    /**
     * Starts from what the backbone says, and at most 67 million pixels.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Sets what differs from the backbone's. */
    public static final class Builder {

        private final List<Consumer<ImagePreprocessing>> settings = new ArrayList<>();

        private Builder() {
        }

        private Builder set(Consumer<ImagePreprocessing> setting) {
            settings.add(setting);
            return this;
        }

        /**
         * Sets the channels.
         *
         * @param channels as many as the backbone reads
         * @return this builder
         */
        public Builder channels(ImageInput.Channels channels) {
            return set(made -> made.channels = channels);
        }

        /**
         * Sets how images are resized.
         *
         * @param interpolation the filter
         * @return this builder
         */
        public Builder interpolation(ImageInput.Interpolation interpolation) {
            return set(made -> made.interpolation = interpolation);
        }

        /**
         * Sets the centre crop.
         *
         * @param cropFraction the share of the shorter side that is kept, above 0 and up to 1
         * @return this builder
         */
        public Builder cropFraction(double cropFraction) {
            return set(made -> made.cropFraction = cropFraction);
        }

        /**
         * Sets the means.
         *
         * @param mean one a channel, with channels from 0 to 1
         * @return this builder
         */
        public Builder mean(double... mean) {
            double[] copy = mean.clone();
            return set(made -> made.mean = copy);
        }

        /**
         * Sets the deviations.
         *
         * @param deviation one a channel, with channels from 0 to 1
         * @return this builder
         */
        public Builder deviation(double... deviation) {
            double[] copy = deviation.clone();
            return set(made -> made.deviation = copy);
        }

        /**
         * Sets the limit on pixels, which holds before memory is allocated for them.
         *
         * @param maxPixels the most pixels that an image may have before it is resized, at least 1
         * @return this builder
         */
        public Builder maxPixels(long maxPixels) {
            return set(made -> made.maxPixels = maxPixels);
        }

        /**
         * Makes the preprocessing.
         *
         * @return the preprocessing
         * @throws EmtalException if a value is out of its range
         */
        public ImagePreprocessing build() {
            ImagePreprocessing made = new ImagePreprocessing();
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
            throw new PropertyException("", "image preprocessing", message);
        });
    }

    private Optional<String> invalid() {
        if (!(cropFraction >= 0 && cropFraction <= 1) || maxPixels < 1) {
            return Optional.of("ImagePreprocessing: found crop fraction " + cropFraction + " and a limit of "
                    + maxPixels + " pixels, allowed are fractions from 0 to 1 and limits from 1");
        }
        return Optional.empty();
    }

    /** The most pixels that an image may have before it is resized. */
    long maxPixels() {
        return maxPixels;
    }

    /**
     * Completes what a backbone says of itself.
     *
     * @param backbone what it says
     * @return with means and deviations
     * @throws EmtalException if neither says how values are scaled, or the two contradict each other
     */
    ImageInput resolve(ImageInput backbone) {
        EmtalException.check(channels == null || channels.count() == backbone.channels().count(),
                "ImagePreprocessing: found channels %s, allowed are those of a backbone that reads %d", channels,
                backbone.channels().count());
        ImageInput resolved = new ImageInput(backbone.height(), backbone.width(),
                channels == null ? backbone.channels() : channels, backbone.layout(),
                interpolation == null ? backbone.interpolation() : interpolation,
                cropFraction == 0 ? backbone.cropFraction() : cropFraction,
                mean.length == 0 ? backbone.mean() : Arrays.stream(mean).boxed().toList(),
                deviation.length == 0 ? backbone.deviation() : Arrays.stream(deviation).boxed().toList());
        EmtalException.check(!resolved.mean().isEmpty() && !resolved.deviation().isEmpty(),
                "ImagePreprocessing: found no mean or deviation, and the backbone states none; set what the backbone"
                        + " was trained with, for instance mean(0.5, 0.5, 0.5) and deviation(0.5, 0.5, 0.5)");
        return resolved;
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "ImagePreprocessing");
    }
}

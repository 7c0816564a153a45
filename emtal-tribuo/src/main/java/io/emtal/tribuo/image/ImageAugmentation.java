package io.emtal.tribuo.image;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenancable;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/**
 * How training images are varied, anew in every epoch; rows that are held out, and predictions, see none of it. All of
 * it is off unless asked for. What a row looks like is decided by the training's seed, the epoch and the row.
 */
public final class ImageAugmentation implements Configurable, Provenancable<ConfiguredObjectProvenance> {

    private static final int TRIES = 10;
    private static final double LOG_RATIO = Math.log(4.0 / 3);

    @Config(description = "The least share of an image's area that a random resized crop keeps, up to 1; 0 for none.")
    private double minCropArea = 0;

    @Config(description = "The probability that an image is mirrored left to right.")
    private double horizontalFlip = 0;

    @Config(description = "By how much the brightness is varied: its factor is 1 ± this, 0 to 1.")
    private double brightness = 0;

    @Config(description = "By how much the contrast is varied: its factor is 1 ± this, 0 to 1.")
    private double contrast = 0;

    @Config(description = "By how much the saturation of colours is varied: its factor is 1 ± this, 0 to 1.")
    private double saturation = 0;

    /** For OLCUT and the builder. */
    private ImageAugmentation() {
    }

    /**
     * Starts from none.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Sets what is varied. */
    public static final class Builder {

        private final List<Consumer<ImageAugmentation>> settings = new ArrayList<>();

        private Builder() {
        }

        private Builder set(Consumer<ImageAugmentation> setting) {
            settings.add(setting);
            return this;
        }

        /**
         * Takes, instead of the centre, a random region of a share of the image's area between this and 1, whose sides
         * are at most 4 : 3 longer or shorter than the network's image.
         *
         * @param minArea the least share, above 0 and up to 1; 0.08 is usual where networks are trained from scratch
         * @return this builder
         */
        public Builder randomResizedCrop(double minArea) {
            return set(made -> made.minCropArea = minArea);
        }

        /**
         * Mirrors images left to right.
         *
         * @param probability of each, 0 to 1
         * @return this builder
         */
        public Builder horizontalFlip(double probability) {
            return set(made -> made.horizontalFlip = probability);
        }

        /**
         * Varies brightness, contrast and saturation, in this order, by factors between 1 minus and 1 plus a number.
         *
         * @param brightness 0 to 1
         * @param contrast 0 to 1
         * @param saturation 0 to 1; without effect on grey images
         * @return this builder
         */
        public Builder colourJitter(double brightness, double contrast, double saturation) {
            return set(made -> {
                made.brightness = brightness;
                made.contrast = contrast;
                made.saturation = saturation;
            });
        }

        /**
         * Makes the augmentation.
         *
         * @return the augmentation
         * @throws EmtalException if a value is out of its range
         */
        public ImageAugmentation build() {
            ImageAugmentation made = new ImageAugmentation();
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
            throw new PropertyException("", "image augmentation", message);
        });
    }

    private Optional<String> invalid() {
        for (double value : new double[] {minCropArea, horizontalFlip, brightness, contrast, saturation}) {
            if (!(value >= 0 && value <= 1)) {
                return Optional.of("ImageAugmentation: found " + value + ", allowed are 0 to 1");
            }
        }
        return Optional.empty();
    }

    /** Whether images stay as they are. */
    boolean isOff() {
        return minCropArea + horizontalFlip + brightness + contrast + saturation == 0;
    }

    /** Whether regions are drawn, so that whole images are needed. */
    boolean crops() {
        return minCropArea > 0;
    }

    /**
     * Draws a region.
     *
     * @param image a whole image
     * @param height the network's
     * @param width the network's
     * @param random draws it
     */
    Resampler.Region region(Pixels image, int height, int width, SplittableRandom random) {
        double area = (double) image.height() * image.width();
        for (int i = 0; i < TRIES; i++) {
            double wanted = area * (minCropArea + (1 - minCropArea) * random.nextDouble());
            double ratio = Math.exp(LOG_RATIO * (2 * random.nextDouble() - 1)) * width / height;
            double across = Math.sqrt(wanted * ratio);
            double down = wanted / across;
            if (across <= image.width() && down <= image.height()) {
                return new Resampler.Region((image.height() - down) * random.nextDouble(),
                        (image.width() - across) * random.nextDouble(), down, across);
            }
        }
        return Resampler.Region.centre(image, height, width, 1);
    }

    /**
     * Mirrors an image and varies its colours.
     *
     * @param image of the network's size
     * @param random decides how
     */
    Pixels vary(Pixels image, SplittableRandom random) {
        Pixels varied = horizontalFlip > 0 && random.nextDouble() < horizontalFlip ? image.mirrored() : image;
        if (brightness + contrast + saturation == 0) {
            return varied;
        }
        double light = factor(brightness, random);
        double range = factor(contrast, random);
        double colour = factor(saturation, random);
        int channels = image.channels();
        double[] values = new double[varied.data().length];
        double grey = 0;
        for (int i = 0; i < values.length; i++) {
            values[i] = clamp((varied.data()[i] & 0xff) * light);
        }
        for (int i = 0; i < values.length; i += channels) {
            grey += luminance(values, i, channels);
        }
        double mean = grey / (values.length / channels);
        for (int i = 0; i < values.length; i++) {
            values[i] = clamp(mean + (values[i] - mean) * range);
        }
        Pixels result = new Pixels(image.height(), image.width(), channels);
        for (int i = 0; i < values.length; i += channels) {
            double own = luminance(values, i, channels);
            for (int c = 0; c < channels; c++) {
                result.data()[i + c] = (byte) Math.round(clamp(own + (values[i + c] - own) * colour));
            }
        }
        return result;
    }

    private static double factor(double by, SplittableRandom random) {
        return 1 + by * (2 * random.nextDouble() - 1);
    }

    private static double luminance(double[] values, int at, int channels) {
        return channels == 1 ? values[at] : 0.299 * values[at] + 0.587 * values[at + 1] + 0.114 * values[at + 2];
    }

    private static double clamp(double value) {
        return Math.max(0, Math.min(255, value));
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "ImageAugmentation");
    }
}

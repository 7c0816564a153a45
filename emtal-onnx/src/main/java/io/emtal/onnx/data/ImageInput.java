package io.emtal.onnx.data;

import io.emtal.onnx.EmtalException;

import java.util.List;
import java.util.Objects;

/**
 * What a backbone expects of an image: its size in pixels, the order of the numbers in a row, and how a pixel becomes a
 * number. A channel's value v of 0 to 255 becomes (v / 255 − mean) / deviation.
 *
 * @param height the height H in pixels
 * @param width the width W in pixels
 * @param channels which channels a pixel has, C of them
 * @param layout the order of the numbers
 * @param interpolation how an image of another size is resized
 * @param cropFraction the share of the shorter side that the centre crop keeps, above 0 and up to 1
 * @param mean a number a channel; empty where the backbone does not say
 * @param deviation a positive number a channel; empty where the backbone does not say
 */
public record ImageInput(int height, int width, Channels channels, Layout layout, Interpolation interpolation,
                         double cropFraction, List<Double> mean, List<Double> deviation) {

    /** The most elements of an image, far above what a vision transformer reads. */
    private static final int MAX_ELEMENTS = 1 << 26;

    /** The channels of a pixel, in order. */
    public enum Channels {
        /** One: luminance. */
        GREY(1),
        /** Three: red, green, blue. */
        RGB(3),
        /** Three: blue, green, red. */
        BGR(3);

        private final int count;

        Channels(int count) {
            this.count = count;
        }

        /**
         * How many there are.
         *
         * @return C
         */
        public int count() {
            return count;
        }
    }

    /** The order of an image's numbers. */
    public enum Layout {
        /** One plane a channel [C, H, W], as PyTorch's vision transformers read them. */
        NCHW,
        /** One pixel behind the other [H, W, C]. */
        NHWC
    }

    /** How an image is resized. Linear and cubic filters widen with the factor by which an image shrinks. */
    public enum Interpolation {
        /** The nearest pixel. */
        NEAREST,
        /** A triangle filter. */
        BILINEAR,
        /** A cubic filter with a = −0.5. */
        BICUBIC
    }

    /** Checks sizes and statistics. */
    public ImageInput {
        Objects.requireNonNull(channels, "channels");
        Objects.requireNonNull(layout, "layout");
        Objects.requireNonNull(interpolation, "interpolation");
        mean = List.copyOf(mean);
        deviation = List.copyOf(deviation);
        EmtalException.check(height > 0 && width > 0 && (long) height * width <= MAX_ELEMENTS / channels.count(),
                "image input: found %d × %d pixels of %d channels, allowed are 1 × 1 to %d numbers together", height,
                width, channels.count(), MAX_ELEMENTS);
        EmtalException.check(cropFraction > 0 && cropFraction <= 1,
                "image input: found crop fraction %s, allowed is above 0 and up to 1", cropFraction);
        EmtalException.check(mean.isEmpty() || mean.size() == channels.count(),
                "image input: found means %s, allowed is one a channel of %s, or none", mean, channels);
        EmtalException.check(deviation.isEmpty() || deviation.size() == channels.count(),
                "image input: found deviations %s, allowed is one a channel of %s, or none", deviation, channels);
        EmtalException.check(mean.stream().allMatch(Double::isFinite)
                        && deviation.stream().allMatch(d -> d > 0 && Double.isFinite(d)),
                "image input: found means %s and deviations %s, allowed are finite means and positive deviations", mean,
                deviation);
    }

    /**
     * Bilinear, without a crop, and with statistics that are not known.
     *
     * @param height the height H in pixels
     * @param width the width W in pixels
     * @param channels which channels a pixel has
     * @param layout the order of the numbers
     */
    public ImageInput(int height, int width, Channels channels, Layout layout) {
        this(height, width, channels, layout, Interpolation.BILINEAR, 1, List.of(), List.of());
    }

    /**
     * The number of numbers of an image, the width of a row.
     *
     * @return H·W·C
     */
    public int elements() {
        return height * width * channels.count();
    }
}

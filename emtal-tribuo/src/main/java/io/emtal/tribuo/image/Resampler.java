package io.emtal.tribuo.image;

import io.emtal.onnx.data.ImageInput.Interpolation;

/**
 * Resizes a region of an image. Filters widen with the factor by which it shrinks, so that no pixel is skipped, as the
 * Python Imaging Library does, with which most vision transformers were trained; Java2D's interpolation reads the
 * nearest two or four pixels whatever the factor.
 */
final class Resampler {

    /** One in fixed point, in which 255 times the largest sum of weights still fits an integer. */
    private static final int BITS = 22;
    private static final int ONE = 1 << BITS;

    private Resampler() {
    }

    /**
     * A region of an image in pixels, whose corners may lie between pixels.
     *
     * @param top the upper edge
     * @param left the left edge
     * @param height the height
     * @param width the width
     */
    record Region(double top, double left, double height, double width) {

        /** The largest centred region of a shape, made smaller by a factor. */
        static Region centre(Pixels image, int height, int width, double fraction) {
            boolean wide = (long) image.height() * width <= (long) image.width() * height;
            double down = wide ? image.height() * fraction : image.width() * fraction * height / width;
            double across = wide ? image.height() * fraction * width / height : image.width() * fraction;
            return new Region(Math.max(0, (image.height() - down) / 2), Math.max(0, (image.width() - across) / 2), down,
                    across);
        }
    }

    static Pixels resize(Pixels image, Region region, int height, int width, Interpolation interpolation) {
        if (region.height() == image.height() && region.width() == image.width() && image.height() == height
                && image.width() == width) {
            return image;
        }
        Taps across = Taps.of(region.left(), region.width(), image.width(), width, interpolation);
        Taps down = Taps.of(region.top(), region.height(), image.height(), height, interpolation);
        return columns(lines(image, across, down.from(), down.to()), down, down.from());
    }

    /** Every line that is needed, resized. */
    private static Pixels lines(Pixels image, Taps taps, int from, int to) {
        int channels = image.channels();
        Pixels result = new Pixels(to - from, taps.first.length, channels);
        int at = 0;
        for (int y = from; y < to; y++) {
            for (int x = 0; x < taps.first.length; x++) {
                int source = (y * image.width() + taps.first[x]) * channels;
                for (int c = 0; c < channels; c++) {
                    result.data()[at++] = sum(image.data(), source + c, channels, taps.weights[x]);
                }
            }
        }
        return result;
    }

    /** Every column, resized. */
    private static Pixels columns(Pixels image, Taps taps, int from) {
        int stride = image.width() * image.channels();
        Pixels result = new Pixels(taps.first.length, image.width(), image.channels());
        int at = 0;
        for (int y = 0; y < taps.first.length; y++) {
            int source = (taps.first[y] - from) * stride;
            for (int i = 0; i < stride; i++) {
                result.data()[at++] = sum(image.data(), source + i, stride, taps.weights[y]);
            }
        }
        return result;
    }

    private static byte sum(byte[] data, int start, int stride, int[] weights) {
        int sum = ONE / 2;
        for (int i = 0; i < weights.length; i++) {
            sum += weights[i] * (data[start + i * stride] & 0xff);
        }
        return (byte) Math.max(0, Math.min(255, sum >> BITS));
    }

    /** For every pixel of a result the first pixel of the source that it reads, and the weights from there on. */
    private record Taps(int[] first, int[][] weights) {

        private static Taps of(double start, double length, int size, int wanted, Interpolation interpolation) {
            double scale = length / wanted;
            double filterScale = Math.max(1, scale);
            double support = support(interpolation) * filterScale;
            Taps taps = new Taps(new int[wanted], new int[wanted][]);
            for (int i = 0; i < wanted; i++) {
                double centre = start + (i + 0.5) * scale;
                if (interpolation == Interpolation.NEAREST) {
                    taps.first[i] = Math.max(0, Math.min(size - 1, (int) Math.floor(centre)));
                    taps.weights[i] = new int[] {ONE};
                    continue;
                }
                int from = Math.max(0, Math.min(size - 1, (int) Math.floor(centre - support + 0.5)));
                int to = Math.max(from + 1, Math.min(size, (int) Math.floor(centre + support + 0.5)));
                double[] weights = new double[to - from];
                double sum = 0;
                for (int j = 0; j < weights.length; j++) {
                    weights[j] = weight(interpolation, Math.abs(from + j + 0.5 - centre) / filterScale);
                    sum += weights[j];
                }
                taps.first[i] = from;
                taps.weights[i] = new int[weights.length];
                for (int j = 0; j < weights.length; j++) {
                    taps.weights[i][j] = (int) Math.round(weights[j] / sum * ONE);
                }
            }
            return taps;
        }

        private int from() {
            int from = Integer.MAX_VALUE;
            for (int i : first) {
                from = Math.min(from, i);
            }
            return from;
        }

        private int to() {
            int to = 0;
            for (int i = 0; i < first.length; i++) {
                to = Math.max(to, first[i] + weights[i].length);
            }
            return to;
        }

        private static double support(Interpolation interpolation) {
            return interpolation == Interpolation.BICUBIC ? 2 : 1;
        }

        private static double weight(Interpolation interpolation, double distance) {
            if (interpolation == Interpolation.BILINEAR) {
                return Math.max(0, 1 - distance);
            }
            double a = -0.5;
            if (distance < 1) {
                return ((a + 2) * distance - (a + 3)) * distance * distance + 1;
            }
            return distance < 2 ? a * (((distance - 5) * distance + 8) * distance - 4) : 0;
        }
    }
}

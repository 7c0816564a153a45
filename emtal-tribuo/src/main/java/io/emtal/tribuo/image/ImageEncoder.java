package io.emtal.tribuo.image;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.ImageInput;
import io.emtal.tribuo.input.InputEncoder;
import io.emtal.tribuo.output.EncodedOutputs;
import io.emtal.tribuo.protos.EmtalModelProto;
import io.emtal.tribuo.protos.ImageEncoderProto;
import org.tribuo.Example;
import org.tribuo.Output;

import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/** Decodes the image that an example carries, resizes it and writes its channels as numbers. Thread-safe. */
public final class ImageEncoder implements InputEncoder {

    private final ImageInput input;
    private final ImageDecoder decoder;
    private final ImageAugmentation augmentation;
    private final float[][] numbers;

    private ImageEncoder(ImageInput input, long maxPixels, ImageAugmentation augmentation) {
        this.input = input;
        this.decoder = new ImageDecoder(input.channels().count(), maxPixels);
        this.augmentation = augmentation;
        this.numbers = new float[input.channels().count()][256];
        for (int c = 0; c < numbers.length; c++) {
            for (int value = 0; value < 256; value++) {
                numbers[c][value] = (float) ((value / 255.0 - input.mean().get(c)) / input.deviation().get(c));
            }
        }
    }

    /**
     * For a backbone.
     *
     * @param backbone what it says of its images
     * @param preprocessing what differs
     * @param augmentation how training images are varied
     * @return the encoder
     * @throws EmtalException if nobody says how values are scaled, or the two contradict each other
     */
    public static ImageEncoder of(ImageInput backbone, ImagePreprocessing preprocessing,
                                  ImageAugmentation augmentation) {
        return new ImageEncoder(preprocessing.resolve(backbone), preprocessing.maxPixels(), augmentation);
    }

    /**
     * Reads an encoder, which predicts but augments nothing.
     *
     * @param proto what {@link #serialize} wrote
     * @return the encoder
     * @throws EmtalException if it states impossible settings
     */
    public static ImageEncoder of(ImageEncoderProto proto) {
        EmtalException.check(proto.getMaxPixels() > 0 && proto.getMeanCount() > 0 && proto.getDeviationCount() > 0,
                "image settings: found %d means, %d deviations and a limit of %d pixels, none may be missing",
                proto.getMeanCount(), proto.getDeviationCount(), proto.getMaxPixels());
        ImageInput input = new ImageInput(proto.getHeight(), proto.getWidth(),
                constant(ImageInput.Channels.class, proto.getChannels()),
                constant(ImageInput.Layout.class, proto.getLayout()),
                constant(ImageInput.Interpolation.class, proto.getInterpolation()), proto.getCropFraction(),
                proto.getMeanList(), proto.getDeviationList());
        return new ImageEncoder(input, proto.getMaxPixels(), ImageAugmentation.builder().build());
    }

    private static <E extends Enum<E>> E constant(Class<E> type, String name) {
        try {
            return Enum.valueOf(type, name);
        } catch (IllegalArgumentException e) {
            throw new EmtalException("image settings: found '" + name + "', allowed are "
                    + List.of(type.getEnumConstants()), e);
        }
    }

    @Override
    public void serialize(EmtalModelProto.Builder model) {
        model.getImagesBuilder().setHeight(input.height()).setWidth(input.width())
                .setChannels(input.channels().name()).setLayout(input.layout().name())
                .setInterpolation(input.interpolation().name()).setCropFraction(input.cropFraction())
                .addAllMean(input.mean()).addAllDeviation(input.deviation()).setMaxPixels(decoder.maxPixels());
    }

    @Override
    public FeatureLayout layout() {
        return FeatureLayout.of(input);
    }

    @Override
    public Optional<int[]> featureIds() {
        return Optional.empty();
    }

    /** The preprocessing, under the keys that imported backbones take as hints. */
    @Override
    public Map<String, String> metadata() {
        return Map.of("image_mean", input.mean().toString(), "image_std", input.deviation().toString(),
                "channels", input.channels().name().toLowerCase(Locale.ROOT),
                "crop_pct", Double.toString(input.cropFraction()),
                "interpolation", input.interpolation().name().toLowerCase(Locale.ROOT));
    }

    @Override
    public int encode(String where, Example<?> example, float[] row, int offset) {
        write(centre(decode(where, example)), row, offset);
        return 1;
    }

    /** Decodes ahead of the training, on threads of its own, and keeps small images in memory. */
    @Override
    public <T extends Output<T>> Examples rows(List<Example<T>> training, EncodedOutputs outputs) {
        return new ImageRows(this, training, outputs, ImageRows.Limits.of(input.elements()));
    }

    /** What an example carries. */
    static Object image(String where, Example<?> example) {
        return example.getMetadataValue(ImageExample.METADATA).orElseThrow(() -> new EmtalException(where
                + ": found an example without an image, allowed are those that ImageExample or ImageTable makes"));
    }

    /** The width of a row. */
    int elements() {
        return input.elements();
    }

    Pixels decode(String where, Example<?> example) {
        return decoder.decode(where, image(where, example));
    }

    /** The image as a prediction sees it. */
    Pixels centre(Pixels image) {
        return Resampler.resize(image, Resampler.Region.centre(image, input.height(), input.width(),
                input.cropFraction()), input.height(), input.width(), input.interpolation());
    }

    /** A random region of the image. */
    Pixels crop(Pixels image, SplittableRandom random) {
        return Resampler.resize(image, augmentation.region(image, input.height(), input.width(), random),
                input.height(), input.width(), input.interpolation());
    }

    ImageAugmentation augmentation() {
        return augmentation;
    }

    /** Writes an image of the network's size. */
    void write(Pixels image, float[] row, int offset) {
        int channels = image.channels();
        int pixels = image.height() * image.width();
        boolean planes = input.layout() == ImageInput.Layout.NCHW;
        boolean reversed = input.channels() == ImageInput.Channels.BGR;
        for (int c = 0; c < channels; c++) {
            int from = reversed ? channels - 1 - c : c;
            int first = offset + (planes ? c * pixels : c);
            int stride = planes ? 1 : channels;
            for (int i = 0; i < pixels; i++) {
                row[first + i * stride] = numbers[c][image.data()[i * channels + from] & 0xff];
            }
        }
    }
}

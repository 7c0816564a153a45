package io.emtal.onnx.backbone;

import io.emtal.onnx.Quoted;
import io.emtal.onnx.data.ImageInput;
import io.emtal.onnx.data.ImageInput.Channels;
import io.emtal.onnx.data.ImageInput.Interpolation;
import io.emtal.onnx.data.ImageInput.Layout;
import io.emtal.onnx.graph.Shape;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.logging.Logger;

/**
 * What a file's metadata say of images, under the keys of timm and Hugging Face, and the order of channels under one of
 * our own. An entry that does not fit counts as absent: metadata are hints, which configuration may overrule. Of an
 * interpolation that is not known there is a warning.
 */
final class Preprocessing {

    private static final Logger LOGGER = Logger.getLogger(Preprocessing.class.getName());
    private static final String CHANNELS = "channels";
    private static final List<String> MEAN = List.of("image_mean", "mean");
    private static final List<String> DEVIATION = List.of("image_std", "std");
    private static final List<String> CROP = List.of("crop_pct", "crop_fraction");
    private static final List<String> INTERPOLATION = List.of("interpolation", "resample");

    private Preprocessing() {
    }

    static Optional<ImageInput> of(BackboneDescription description) {
        Shape shape = description.input().shape();
        boolean last = description.image() == BackboneDescription.ImageLayout.NHWC;
        if (description.image() == BackboneDescription.ImageLayout.NONE
                || shape.extent(last ? 3 : 1) != 1 && shape.extent(last ? 3 : 1) != 3) {
            return Optional.empty();
        }
        Map<String, String> metadata = description.metadata();
        Channels channels = shape.extent(last ? 3 : 1) == 1 ? Channels.GREY : colours(metadata);
        List<Double> mean = numbers(metadata, MEAN, channels.count());
        List<Double> deviation = numbers(metadata, DEVIATION, channels.count());
        // Statistics of channels from 0 to 255 are not meant for channels from 0 to 1.
        boolean known = mean.stream().allMatch(m -> m >= 0 && m <= 1)
                && deviation.stream().allMatch(d -> d > 0 && d <= 1);
        List<Double> crop = numbers(metadata, CROP, 1);
        return Optional.of(new ImageInput((int) shape.extent(last ? 1 : 2), (int) shape.extent(last ? 2 : 3), channels,
                last ? Layout.NHWC : Layout.NCHW, interpolation(metadata),
                crop.size() == 1 && crop.get(0) > 0 && crop.get(0) <= 1 ? crop.get(0) : 1,
                known ? mean : List.of(), known ? deviation : List.of()));
    }

    private static Channels colours(Map<String, String> metadata) {
        String text = metadata.getOrDefault(CHANNELS, "").strip().toLowerCase(Locale.ROOT);
        return text.equals("bgr") ? Channels.BGR : Channels.RGB;
    }

    /** As many numbers as there are channels, or none. */
    private static List<Double> numbers(Map<String, String> metadata, List<String> keys, int count) {
        String text = keys.stream().map(metadata::get).filter(v -> v != null).findFirst().orElse("");
        List<Double> numbers = new ArrayList<>();
        for (String word : text.replaceAll("[\\[\\]()]", " ").strip().split("[\\s,;]+")) {
            if (!word.matches("[-+]?[0-9]*\\.?[0-9]+([eE][-+]?[0-9]+)?")) {
                return List.of();
            }
            numbers.add(Double.valueOf(word));
        }
        return numbers.size() == count ? numbers : List.of();
    }

    /** By name, perhaps behind that of an enumeration, or by the numbers that Pillow has for them. */
    private static Interpolation interpolation(Map<String, String> metadata) {
        String key = INTERPOLATION.stream().filter(metadata::containsKey).findFirst().orElse("");
        String text = metadata.getOrDefault(key, "").strip().replaceAll("[\"']", "");
        return switch (text.toLowerCase(Locale.ROOT).replaceAll("^([a-z_]+\\.)+", "")) {
            case "nearest", "0" -> Interpolation.NEAREST;
            case "bilinear", "linear", "2", "" -> Interpolation.BILINEAR;
            case "bicubic", "cubic", "3" -> Interpolation.BICUBIC;
            default -> {
                LOGGER.warning("metadata '" + key + "': found " + Quoted.of(text) + ", allowed are nearest, bilinear"
                        + " and bicubic; images are resized bilinearly where their preprocessing does not set another"
                        + " interpolation");
                yield Interpolation.BILINEAR;
            }
        };
    }
}

package io.emtal.onnx.backbone;

import io.emtal.onnx.data.ImageInput;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * What was found in a backbone, for people and for defaults of what surrounds it.
 *
 * @param input the input with its shape; images lie as [batch, channels, height, width] or [batch, height, width,
 *     channels]
 * @param image how images lie in the input
 * @param blocks the transformer blocks, first to last
 * @param targets the linear layers that can be adapted, in the order of the computation
 * @param pooling what heads read
 * @param pooledWidth the width of what heads read
 * @param classes the outputs of the classification head that was cut off, if there was one
 * @param metadata what the file says of itself by keys, such as {@code image_mean}; empty for a fresh backbone
 */
public record BackboneDescription(Value input, ImageLayout image, List<BlockDescription> blocks,
                                  List<LinearLayer> targets, String pooling, int pooledWidth, OptionalInt classes,
                                  Map<String, String> metadata) {

    private static final int MOST_METADATA = 200;

    /** How images lie in an input. */
    public enum ImageLayout {
        /** [batch, channels, height, width]. */
        NCHW,
        /** [batch, height, width, channels]. */
        NHWC,
        /** No image, or none that can be told from its shape. */
        NONE
    }

    /** Makes the description immutable. */
    public BackboneDescription {
        Objects.requireNonNull(input, "input");
        Objects.requireNonNull(image, "image");
        Objects.requireNonNull(pooling, "pooling");
        Objects.requireNonNull(classes, "classes");
        blocks = List.copyOf(blocks);
        targets = List.copyOf(targets);
        metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    }

    /**
     * How images must lie in the rows, with what the metadata say of their preprocessing.
     *
     * @return empty if the input is none of images with one or three channels
     */
    public Optional<ImageInput> images() {
        return Preprocessing.of(this);
    }

    /**
     * The description as text: lines {@code key: value}. Where blocks differ, a value lists what they have.
     *
     * @return the lines, without a line feed behind the last
     */
    @Override
    public String toString() {
        List<String> lines = new ArrayList<>();
        lines.add("input: " + input.name() + " " + input.shape() + (image == ImageLayout.NONE ? "" : " " + image));
        lines.add("blocks: " + blocks.size());
        lines.add("tokens: " + each(BlockDescription::tokens));
        lines.add("width: " + each(BlockDescription::width));
        lines.add("heads: " + each(b -> b.heads() == 0 ? "unknown" : b.heads() + " of width " + b.headWidth()));
        lines.add("hidden: " + each(BlockDescription::hidden));
        lines.add("activation: " + each(BlockDescription::activation));
        lines.add("norm: " + each(b -> b.norm().name().toLowerCase(Locale.ROOT)));
        lines.add("pooling: " + pooling + ", width " + pooledWidth);
        lines.add("old head: " + (classes.isPresent() ? classes.getAsInt() + " outputs" : "none"));
        targets.forEach(t -> lines.add("target: " + t.name() + " " + t.in() + " → " + t.out() + " " + t.weight()));
        metadata.forEach((key, value) -> lines.add("metadata " + oneLine(key) + ": " + oneLine(value)));
        return String.join("\n", lines);
    }

    private static String oneLine(String text) {
        String flat = text.replaceAll("\\p{Cntrl}", " ");
        return flat.length() <= MOST_METADATA ? flat : flat.substring(0, MOST_METADATA) + "…";
    }

    private String each(Function<BlockDescription, Object> property) {
        return blocks.stream().map(property).map(Object::toString).distinct().collect(Collectors.joining(", "));
    }
}

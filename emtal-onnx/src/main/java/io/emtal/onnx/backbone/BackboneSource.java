package io.emtal.onnx.backbone;

import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenancable;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.ImageInput;
import io.emtal.onnx.task.TaskLayout;

import java.util.Optional;

/** Where a training gets its backbone from: fresh for the data at hand, or pre-trained. */
public interface BackboneSource extends Configurable, Provenancable<ConfiguredObjectProvenance> {

    /**
     * Makes the backbone.
     *
     * @param layout the columns of the rows; for images a single one of pixels, as {@link #images()} wants them
     * @param tasks whose labels the rows have
     * @param rows the training rows, for statistics; no others may be looked at
     * @param seed decides the initial weights
     * @return the backbone
     */
    Backbone create(FeatureLayout layout, TaskLayout tasks, Examples rows, long seed);

    /**
     * How images must lie in the rows.
     *
     * @return size, layout and whatever is known of the preprocessing; empty for a backbone that reads no images
     */
    default Optional<ImageInput> images() {
        return Optional.empty();
    }

    /**
     * Whether the weights are already trained, so that adaptation can start at once.
     *
     * @return false for a fresh backbone, which is trained densely on the same rows first
     */
    boolean pretrained();
}

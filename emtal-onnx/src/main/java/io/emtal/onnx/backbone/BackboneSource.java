package io.emtal.onnx.backbone;

import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenancable;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureLayout;

/** Where a training gets its backbone from: fresh for the data at hand, or pre-trained. */
public interface BackboneSource extends Configurable, Provenancable<ConfiguredObjectProvenance> {

    /**
     * Makes the backbone.
     *
     * @param layout the columns of the rows
     * @param rows the training rows, for statistics; no others may be looked at
     * @param seed decides the initial weights
     * @return the backbone
     */
    Backbone create(FeatureLayout layout, Examples rows, long seed);

    /**
     * Whether the weights are already trained, so that adaptation can start at once.
     *
     * @return false for a fresh backbone, which is trained densely on the same rows first
     */
    boolean pretrained();
}

package io.emtal.onnx.adapt;

import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenancable;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.task.QualityRetaining;

/** A way to adapt a backbone to tasks: what is trained, where it attaches, and how it merges into dense weights. */
public interface AdaptationMethod extends Configurable, Provenancable<ConfiguredObjectProvenance> {

    /**
     * Prepares the adaptation of one backbone.
     *
     * @param backbone the backbone, before any training step
     * @param seed decides initial values and clustering
     * @return the adaptation
     */
    Adaptation adapt(Backbone backbone, long seed);

    /**
     * The Quality Retaining that goes with the method.
     *
     * @return off by default
     */
    default QualityRetaining qualityRetaining() {
        return QualityRetaining.off();
    }
}

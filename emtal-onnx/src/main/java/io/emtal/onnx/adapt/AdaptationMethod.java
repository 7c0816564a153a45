package io.emtal.onnx.adapt;

import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenancable;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.task.QualityRetaining;

/** A way to adapt a backbone to tasks: what is trained, where it attaches, and how it merges into dense weights. */
public interface AdaptationMethod extends Configurable, Provenancable<ConfiguredObjectProvenance> {

    /**
     * Checks that a backbone can be adapted, which is worth knowing before it is trained for hours.
     *
     * @param backbone the backbone, of any weights
     * @throws io.emtal.onnx.EmtalException if {@link #adapt} would refuse it for its structure; never by default
     */
    default void check(Backbone backbone) {
    }

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

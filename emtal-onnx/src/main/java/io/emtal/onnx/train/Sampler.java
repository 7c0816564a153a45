package io.emtal.onnx.train;

import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenancable;
import io.emtal.onnx.data.Examples;

/** Chooses the rows of an epoch and their order. Thread-safe. */
public interface Sampler extends Configurable, Provenancable<ConfiguredObjectProvenance> {

    /**
     * Chooses rows.
     *
     * @param training the training rows, not to be changed
     * @param examples all rows, for their labels
     * @param tasks the number of tasks
     * @param seed the epoch's own: what an epoch draws depends on it alone, so that a training can go on from any epoch
     * @return as many training rows, of which some may be there more than once and others not at all
     */
    int[] epoch(int[] training, Examples examples, int tasks, long seed);
}

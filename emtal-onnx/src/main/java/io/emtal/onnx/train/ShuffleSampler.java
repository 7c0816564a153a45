package io.emtal.onnx.train;

import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.data.Examples;

import java.util.SplittableRandom;

/** Every row once, in another order in each epoch. */
public final class ShuffleSampler implements Sampler {

    /** Has no settings. */
    public ShuffleSampler() {
    }

    @Override
    public int[] epoch(int[] training, Examples examples, int tasks, long seed) {
        int[] rows = training.clone();
        shuffle(rows, new SplittableRandom(seed));
        return rows;
    }

    /** Fisher and Yates's. */
    static void shuffle(int[] rows, SplittableRandom random) {
        for (int i = rows.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int row = rows[i];
            rows[i] = rows[j];
            rows[j] = row;
        }
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "Sampler");
    }
}

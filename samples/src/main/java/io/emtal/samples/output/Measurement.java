package io.emtal.samples.output;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalLong;

/**
 * What a trainer scored on a set with a seed.
 *
 * @param set the set's name
 * @param trainer the trainer's name
 * @param seed the seed
 * @param metrics the metrics by name, in the order of the report
 * @param trainSeconds the time of all fits together, hyper-parameter search included
 * @param predictMicrosPerRow the prediction time of one test row, in batches
 * @param trainableParameters the parameters of the largest of its models, where it has such
 */
public record Measurement(String set, String trainer, long seed, Map<String, Double> metrics, double trainSeconds,
        double predictMicrosPerRow, OptionalLong trainableParameters) {
    /** Makes the metrics immutable. */
    public Measurement {
        metrics = Collections.unmodifiableMap(new LinkedHashMap<>(metrics));
    }

    /**
     * The same result under another seed, for a trainer that does not depend on it.
     *
     * @param other the seed
     * @return the same but for the seed
     */
    public Measurement withSeed(long other) {
        return new Measurement(set, trainer, other, metrics, trainSeconds, predictMicrosPerRow, trainableParameters);
    }
}

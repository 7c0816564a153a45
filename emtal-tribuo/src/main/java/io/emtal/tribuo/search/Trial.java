package io.emtal.tribuo.search;

import com.oracle.labs.mlrg.olcut.provenance.MapProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.DoubleProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.IntProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;

/**
 * What a rung of a search found out about a configuration.
 *
 * @param candidate which configuration, from 0 for that of the trainer as it is
 * @param rung the rung, from 0
 * @param configuration the value of each setting by its name
 * @param score the mean over its trainings of the {@link io.emtal.onnx.train.TaskMean} of
 *     {@link io.emtal.tribuo.TrainingReport#heldOutErrors}, less being better, though scores alone do not decide;
 *     not-a-number if training failed
 * @param seconds how long its trainings took
 * @param failure why training failed, if it did
 */
public record Trial(int candidate, int rung, Map<String, String> configuration, double score, double seconds,
                    Optional<String> failure) {

    /** Makes the configuration immutable. */
    public Trial {
        configuration = Collections.unmodifiableMap(new LinkedHashMap<>(configuration));
    }

    MapProvenance<Provenance> provenance() {
        Map<String, StringProvenance> values = new LinkedHashMap<>();
        configuration.forEach((name, value) -> values.put(name, new StringProvenance(name, value)));
        Map<String, Provenance> facts = new LinkedHashMap<>();
        facts.put("candidate", new IntProvenance("candidate", candidate));
        facts.put("rung", new IntProvenance("rung", rung));
        facts.put("configuration", new MapProvenance<>(values));
        facts.put("score", new DoubleProvenance("score", score));
        facts.put("seconds", new DoubleProvenance("seconds", seconds));
        failure.ifPresent(message -> facts.put("failure", new StringProvenance("failure", message)));
        return new MapProvenance<>(facts);
    }
}

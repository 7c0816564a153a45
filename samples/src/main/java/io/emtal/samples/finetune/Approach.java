package io.emtal.samples.finetune;

import io.emtal.onnx.adapt.AdaptationMethod;
import io.emtal.onnx.adapt.FullDense;
import io.emtal.samples.compare.NamedMethod;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;

/**
 * A way to fine-tune.
 *
 * @param name its name in reports
 * @param method how the backbone is adapted
 * @param rank the rank of its updates; empty for the method's own, and where it has none
 * @param separate whether each set gets a network of its own
 */
record Approach(String name, AdaptationMethod method, OptionalInt rank, boolean separate) {
    private static final String SEPARATE = "separate";

    /** Whether all weights are trained. */
    boolean dense() {
        return method instanceof FullDense;
    }

    /** The names in the command line. */
    static List<String> names() {
        return Stream.concat(Arrays.stream(NamedMethod.values()).map(NamedMethod::toString), Stream.of(SEPARATE))
                .toList();
    }

    /**
     * The approaches of a name: where it has a rank, one for each that is wanted.
     *
     * @param name one of {@link #names}
     * @param ranks the ranks; empty for that of the settings, which the approach's name does not tell then
     * @param settings what differs from a method's defaults
     */
    static List<Approach> of(String name, List<Integer> ranks, NamedMethod.Settings settings) {
        if (name.equals(SEPARATE)) {
            return List.of(new Approach(name, new FullDense(), OptionalInt.empty(), true));
        }
        NamedMethod named = Arrays.stream(NamedMethod.values()).filter(method -> method.toString().equals(name))
                .findFirst().orElseThrow();
        if (ranks.isEmpty() || !named.lowRank()) {
            return List.of(new Approach(name, named.method(settings), OptionalInt.empty(), false));
        }
        List<Approach> approaches = new ArrayList<>();
        for (int rank : ranks) {
            NamedMethod.Settings ranked = new NamedMethod.Settings(OptionalInt.of(rank), settings.experts(),
                    settings.adaptBlocks(), settings.embeddingRate());
            approaches.add(new Approach(name + "-r" + rank, named.method(ranked), OptionalInt.of(rank), false));
        }
        return approaches;
    }
}

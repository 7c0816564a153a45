package io.emtal.onnx.backbone;

import java.util.Objects;

/**
 * What was found of one transformer block.
 *
 * @param tokens N, the number of tokens that its attention reads
 * @param width D, the width of its tokens
 * @param heads attention heads; 0 where they were not looked for, as the layers were named
 * @param headWidth the width of a head's queries and keys, not always D / heads; 0 where it was not looked for
 * @param hidden H, the width of its feed-forward network
 * @param activation the function between fc1 and fc2, for instance {@code GELU}
 * @param norm where it normalises
 */
public record BlockDescription(int tokens, int width, int heads, int headWidth, int hidden, String activation,
                               Norm norm) {

    /** Where a block normalises its tokens. */
    public enum Norm {
        /** Each branch reads normalised tokens: x + f(norm(x)). */
        BEFORE,
        /** The sums are normalised: norm(x + f(x)). */
        AFTER,
        /** Nothing is normalised before the branches or after the sums. */
        NONE,
        /** It was not looked for, as the layers were named. */
        UNKNOWN
    }

    /** Checks that nothing is missing. */
    public BlockDescription {
        Objects.requireNonNull(activation, "activation");
        Objects.requireNonNull(norm, "norm");
    }
}

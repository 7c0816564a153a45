package io.emtal.samples.bench;

import java.util.Locale;

/** Who is measured. */
enum Side {
    /** EMTAL. */
    EMTAL,
    /** The same network in DJL's PyTorch engine. */
    RIVAL;

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}

package io.emtal.samples.table;

import io.emtal.onnx.EmtalException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;

/** What the targets of a table are. */
public enum Kind {
    /** Every target is a number. */
    REGRESSION,
    /** Every target is nominal with the values 0 and 1: a label that a row has or has not. */
    MULTILABEL,
    /** Every target is nominal: one of several classes. */
    CATEGORICAL;

    private static final Set<String> BINARY = Set.of("0", "1");

    /**
     * The kind that a schema names. A word other than the three names of this enumeration says nothing about the
     * targets, so it is the targets that decide.
     *
     * @param word the schema's word, in any case
     * @return the kind, or nothing if it is none of these
     */
    static Optional<Kind> named(String word) {
        return Arrays.stream(values()).filter(kind -> kind.name().equals(word.toUpperCase(Locale.ROOT))).findFirst();
    }

    /**
     * The kind that a list of targets is.
     *
     * @param targets the targets
     * @return regression if all are numbers, multi-label if all have just the values 0 and 1, else categorical
     * @throws EmtalException if numbers and nominal targets are mixed
     */
    static Kind of(List<Column> targets) {
        if (REGRESSION.fits(targets)) {
            return REGRESSION;
        }
        if (MULTILABEL.fits(targets)) {
            return MULTILABEL;
        }
        EmtalException.check(CATEGORICAL.fits(targets),
                "Numeric and nominal targets in one table; allowed are only numeric or only nominal ones");
        return CATEGORICAL;
    }

    /**
     * Whether targets can be of this kind.
     *
     * @param targets the targets
     * @return whether they can
     */
    boolean fits(List<Column> targets) {
        return targets.stream().allMatch(target -> switch (this) {
            case REGRESSION -> target.type() == Column.Type.NUMERIC;
            case MULTILABEL -> target.type() == Column.Type.NOMINAL && BINARY.equals(Set.copyOf(target.values()));
            case CATEGORICAL -> target.type() == Column.Type.NOMINAL;
        });
    }
}

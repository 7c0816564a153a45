package io.emtal.samples.table;

import io.emtal.tribuo.table.Column;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** What the targets of a table are. */
public enum Kind {
    /** Every target is a number. */
    REGRESSION,
    /** Every target is nominal with the values 0 and 1: a label that a row has or has not. */
    MULTILABEL,
    /** Every target is nominal: one of several classes. */
    CATEGORICAL,
    /** Targets of more than one kind. */
    MIXED;

    /**
     * The kind that a schema names. A word other than the four names of this enumeration says nothing about the
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
     * @return regression if all are numbers, multi-label if all are 0 or 1, categorical if all have values, else mixed
     */
    static Kind of(List<Column> targets) {
        return Arrays.stream(values()).filter(kind -> kind.fits(targets)).findFirst().orElseThrow();
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
            case MULTILABEL -> target.type() == Column.Type.BINARY;
            case CATEGORICAL -> target.type() != Column.Type.NUMERIC;
            case MIXED -> true;
        });
    }
}

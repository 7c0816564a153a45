package io.emtal.onnx.data;

import io.emtal.onnx.EmtalException;

/**
 * A column of a table, or an image, as it lies in the rows.
 *
 * @param name the column's name
 * @param kind what its values are
 * @param first its first position in a row
 * @param width how many positions it takes: 1 for a number, one a value for a nominal column, the pixels' channels for
 *     an image
 */
public record FeatureColumn(String name, Kind kind, int first, int width) {

    /** What the values of a column are. */
    public enum Kind {
        /** A number; not-a-number where it is missing. */
        NUMERIC,
        /** One of several values, as an indicator each; all not-a-number or zero where it is missing. */
        NOMINAL,
        /** An image; a number a pixel and channel, none of them missing. */
        PIXELS
    }

    /** Checks position and width. */
    public FeatureColumn {
        EmtalException.check(first >= 0 && width > 0 && (kind != Kind.NUMERIC || width == 1),
                "column '%s' (%s): found position %d and width %d, allowed are 0 or more and, for a number, 1",
                name, kind, first, width);
    }
}

package io.emtal.onnx.data;

import io.emtal.onnx.EmtalException;

import java.util.List;

/**
 * How the columns of a table lie in a packed row.
 *
 * @param columns the columns, one behind the other without gaps
 */
public record FeatureLayout(List<FeatureColumn> columns) {

    /** Checks that the columns fill a row. */
    public FeatureLayout {
        columns = List.copyOf(columns);
        int position = 0;
        for (FeatureColumn column : columns) {
            EmtalException.check(column.first() == position, "column '%s': found at position %d, allowed is %d",
                    column.name(), column.first(), position);
            position += column.width();
        }
    }

    /**
     * A row that holds an image and nothing else.
     *
     * @param input what the image looks like
     * @return one column
     */
    public static FeatureLayout of(ImageInput input) {
        return new FeatureLayout(List.of(new FeatureColumn("image", FeatureColumn.Kind.PIXELS, 0, input.elements())));
    }

    /**
     * The number of positions in a row.
     *
     * @return the sum of the columns' widths
     */
    public int width() {
        return columns.stream().mapToInt(FeatureColumn::width).sum();
    }
}

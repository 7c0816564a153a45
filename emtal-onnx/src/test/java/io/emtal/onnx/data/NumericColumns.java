package io.emtal.onnx.data;

import java.util.stream.IntStream;

/** Tables of nothing but numbers, for tests. */
public final class NumericColumns {

    private NumericColumns() {
    }

    /** Columns x0, x1 and so on. */
    public static FeatureLayout layout(int columns) {
        return new FeatureLayout(IntStream.range(0, columns)
                .mapToObj(i -> new FeatureColumn("x" + i, FeatureColumn.Kind.NUMERIC, i, 1)).toList());
    }
}

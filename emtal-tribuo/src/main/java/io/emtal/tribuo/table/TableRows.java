package io.emtal.tribuo.table;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.PackedRows;
import io.emtal.tribuo.output.EncodedOutputs;
import org.tribuo.ImmutableFeatureMap;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The packed rows of a table in the layout of a network: a nominal column has a position for every value that was seen. */
final class TableRows implements Examples {

    private final PackedRows rows;
    private final int cells;
    private final int width;
    private final Part[] parts;
    private final EncodedOutputs labels;

    /**
     * A column of the layout.
     *
     * @param cell which of a row's cells holds it
     * @param width how many positions it takes
     * @param positions for every nominal value which of these, or -1 for one that was never seen; none for a number
     */
    private record Part(int cell, int width, int[] positions) {
    }

    TableRows(TableSchema schema, PackedRows rows, ImmutableFeatureMap features, FeatureLayout layout,
              EncodedOutputs labels) {
        this.rows = rows;
        this.cells = schema.features().size();
        this.width = layout.width();
        this.labels = labels;
        Map<String, Integer> places = new HashMap<>();
        schema.features().forEach(column -> places.put(column.name(), places.size()));
        parts = layout.columns().stream().map(column -> part(schema.features(), places.get(column.name()), column,
                features)).toArray(Part[]::new);
    }

    private static Part part(List<Column> columns, int cell, FeatureColumn column, ImmutableFeatureMap features) {
        if (column.kind() == FeatureColumn.Kind.NUMERIC) {
            return new Part(cell, column.width(), new int[0]);
        }
        int[] ids = Arrays.stream(TableExamples.names(columns.get(cell))).mapToInt(features::getID).toArray();
        // The ids of one column's values follow each other, and those that were seen are all there are.
        int first = Arrays.stream(ids).filter(id -> id >= 0).min().orElseThrow();
        return new Part(cell, column.width(), Arrays.stream(ids).map(id -> id < 0 ? -1 : id - first).toArray());
    }

    @Override
    public int size() {
        return rows.size();
    }

    @Override
    public int width() {
        return width;
    }

    @Override
    public void inputs(int row, FloatBuffer target) {
        float[] packed = new float[cells];
        rows.floats(row, 0, cells, FloatBuffer.wrap(packed));
        for (Part part : parts) {
            float value = packed[part.cell];
            if (part.positions.length == 0) {
                target.put(value);
            } else {
                for (int i = 0; i < part.width; i++) {
                    target.put(Float.isNaN(value) ? Float.NaN : part.positions[(int) value] == i ? 1 : 0);
                }
            }
        }
    }

    @Override
    public float label(int row, int task) {
        return labels.label(row, task);
    }
}

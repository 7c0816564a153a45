package io.emtal.onnx.task;

import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Value;
import java.util.ArrayList;
import java.util.List;

/**
 * Columns of the logits whose losses have the same form, so that a few operators serve them all.
 *
 * @param kind the kind of their tasks
 * @param columns the columns, ascending
 * @param width how many of them share a softmax; 1 if there is none
 */
record ColumnGroup(Kind kind, int[] columns, int width) {

    /** The forms of losses. */
    enum Kind { CATEGORICAL, BINARY, REAL }

    /**
     * Takes these columns of a matrix.
     *
     * @param graph where
     * @param matrix [B, C]
     * @return [B, n], with the n columns of this group
     */
    Value of(GraphBuilder graph, Value matrix) {
        if (columns.length == matrix.extent(1)) {
            return matrix;
        }
        List<Value> parts = new ArrayList<>();
        int start = 0;
        for (int i = 1; i <= columns.length; i++) {
            if (i == columns.length || columns[i] != columns[i - 1] + 1) {
                parts.add(graph.slice(matrix, 1, columns[start], columns[i - 1] + 1));
                start = i;
            }
        }
        return graph.concat(1, parts);
    }

    /** The logarithm of the softmax of each {@link #width} adjacent columns of [B, n]. */
    Value logSoftmax(GraphBuilder graph, Value taken) {
        return width == columns.length
                ? graph.logSoftmax(taken, -1)
                : flat(graph, graph.logSoftmax(split(graph, taken), -1));
    }

    /** The softmax of each {@link #width} adjacent columns of [B, n]. */
    Value softmax(GraphBuilder graph, Value taken) {
        return width == columns.length
                ? graph.softmax(taken, -1)
                : flat(graph, graph.softmax(split(graph, taken), -1));
    }

    private Value split(GraphBuilder graph, Value taken) {
        return graph.reshape(taken, 0, columns.length / width, width);
    }

    private Value flat(GraphBuilder graph, Value split) {
        return graph.reshape(split, 0, columns.length);
    }
}

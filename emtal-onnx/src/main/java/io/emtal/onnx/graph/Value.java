package io.emtal.onnx.graph;

import java.util.Objects;

/**
 * A tensor that flows through a graph: an input, an initialiser or the output of a node.
 *
 * @param name the name, unique within its graph
 * @param type the element type
 * @param shape the shape
 */
public record Value(String name, ElementType type, Shape shape) {

    /** Checks that nothing is missing. */
    public Value {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(type, "type");
        Objects.requireNonNull(shape, "shape");
    }

    /**
     * One extent of the shape.
     *
     * @param axis the dimension; negative counts from the end
     * @return the extent
     */
    public long extent(int axis) {
        return shape.extent(axis);
    }

    /**
     * The number of dimensions.
     *
     * @return 0 for a scalar
     */
    public int rank() {
        return shape.rank();
    }
}

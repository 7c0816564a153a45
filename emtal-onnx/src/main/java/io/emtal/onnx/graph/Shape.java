package io.emtal.onnx.graph;

import io.emtal.onnx.EmtalException;

import java.util.Arrays;
import java.util.stream.Collectors;

/**
 * The shape of a tensor: its extents, outermost first. At most the extents of the batch are open, written
 * {@link #BATCH}; every other extent is a number of elements.
 */
public final class Shape {

    /** The extent of the batch where it is not fixed. */
    public static final long BATCH = -1;

    /** The largest number of dimensions: what ONNX Runtime's operators are made for, and more than any network has. */
    public static final int MAX_RANK = 16;

    /** The shape of a scalar. */
    public static final Shape SCALAR = Shape.of();

    private final long[] extents;

    private Shape(long[] extents) {
        this.extents = extents;
    }

    /**
     * Makes a shape.
     *
     * @param extents the extents, outermost first; each at least 0, or {@link #BATCH}
     * @return the shape
     */
    public static Shape of(long... extents) {
        EmtalException.check(extents.length <= MAX_RANK, "shape: found %d dimensions, allowed are %d at most",
                extents.length, MAX_RANK);
        for (long extent : extents) {
            EmtalException.check(extent >= BATCH, "shape %s: found extent %d, allowed are 0 and more, or %d for the"
                    + " batch", Arrays.toString(extents), extent, BATCH);
        }
        return new Shape(extents.clone());
    }

    /**
     * The number of dimensions.
     *
     * @return 0 for a scalar
     */
    public int rank() {
        return extents.length;
    }

    /**
     * One extent.
     *
     * @param axis the dimension; negative counts from the end
     * @return the extent
     */
    public long extent(int axis) {
        return extents[axis(axis)];
    }

    /**
     * Resolves an axis that may count from the end.
     *
     * @param axis from −rank to rank − 1
     * @return from 0 to rank − 1
     */
    public int axis(long axis) {
        EmtalException.check(axis >= -rank() && axis < rank(), "axis %d of shape %s: allowed are %d to %d",
                axis, this, -rank(), rank() - 1);
        return (int) (axis < 0 ? axis + rank() : axis);
    }

    /**
     * The extents.
     *
     * @return a copy
     */
    public long[] extents() {
        return extents.clone();
    }

    /**
     * Whether every extent is a number.
     *
     * @return false if the batch is open
     */
    public boolean isStatic() {
        return Arrays.stream(extents).noneMatch(e -> e == BATCH);
    }

    /**
     * The number of elements.
     *
     * @return the product of the extents
     * @throws EmtalException if the batch is open or the product does not fit an {@code int}
     */
    public int size() {
        long size = 1;
        for (long extent : extents) {
            EmtalException.check(extent != BATCH, "shape %s: its size is not known, the batch is open", this);
            EmtalException.check(extent <= Integer.MAX_VALUE && size * extent <= Integer.MAX_VALUE,
                    "shape %s: more than %d elements", this, Integer.MAX_VALUE);
            size *= extent;
        }
        return (int) size;
    }

    /**
     * This shape with one extent replaced.
     *
     * @param axis the dimension; negative counts from the end
     * @param extent the new extent
     * @return the new shape
     */
    public Shape with(int axis, long extent) {
        long[] copy = extents.clone();
        copy[axis(axis)] = extent;
        return of(copy);
    }

    /**
     * This shape with its open extents fixed.
     *
     * @param batch the number of rows
     * @return a static shape
     */
    public Shape withBatch(long batch) {
        return of(Arrays.stream(extents).map(e -> e == BATCH ? batch : e).toArray());
    }

    /**
     * The shape of an element-wise result, by NumPy's broadcasting rules.
     *
     * @param other the other operand's shape
     * @return the common shape
     * @throws EmtalException if the two do not broadcast
     */
    public Shape broadcast(Shape other) {
        int rank = Math.max(rank(), other.rank());
        long[] result = new long[rank];
        for (int i = 1; i <= rank; i++) {
            long mine = i <= rank() ? extent(-i) : 1;
            long theirs = i <= other.rank() ? other.extent(-i) : 1;
            EmtalException.check(mine == theirs || mine == 1 || theirs == 1,
                    "shapes %s and %s do not broadcast", this, other);
            result[rank - i] = mine == 1 ? theirs : mine;
        }
        return of(result);
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Shape s && Arrays.equals(extents, s.extents);
    }

    @Override
    public int hashCode() {
        return Arrays.hashCode(extents);
    }

    @Override
    public String toString() {
        return Arrays.stream(extents).mapToObj(e -> e == BATCH ? "batch" : Long.toString(e))
                .collect(Collectors.joining(", ", "[", "]"));
    }
}

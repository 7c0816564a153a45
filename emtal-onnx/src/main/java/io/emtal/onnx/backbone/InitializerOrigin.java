package io.emtal.onnx.backbone;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * Where an initialiser of a backbone's graph comes from in the model that the backbone was imported from: a constant
 * of that model, or a range of one, with its axes reordered after that. Its shape may differ besides; the elements are
 * taken in row-major order.
 *
 * @param name the constant in the imported model: an initialiser, or the output of a {@code Constant} node
 * @param range the part of the constant that is meant; empty for all of it
 * @param permutation which axis of that part each axis here is, as in {@code Transpose}; empty for the order as it is
 */
public record InitializerOrigin(String name, Optional<Range> range, List<Integer> permutation) {

    /**
     * Some adjacent entries along an axis.
     *
     * @param axis the axis, from 0
     * @param start the first entry
     * @param end one behind the last entry
     */
    public record Range(int axis, int start, int end) {

        /** Checks that it is not empty. */
        public Range {
            EmtalException.check(axis >= 0 && start >= 0 && end > start, "range: found entries %d to %d of axis %d,"
                    + " allowed are ranges of at least one entry", start, end, axis);
        }
    }

    /** Checks the permutation. */
    public InitializerOrigin {
        Objects.requireNonNull(name, "name");
        Objects.requireNonNull(range, "range");
        permutation = List.copyOf(permutation);
        EmtalException.check(permutation.stream().sorted().toList().equals(IntStream.range(0, permutation.size()).boxed()
                .toList()), "origin '%s': found permutation %s, allowed is every axis once", name, permutation);
    }

    /**
     * The whole constant.
     *
     * @param name its name in the imported model
     * @return the origin
     */
    public static InitializerOrigin of(String name) {
        return new InitializerOrigin(name, Optional.empty(), List.of());
    }

    /**
     * A range of a constant, such as the queries' part of a joint weight.
     *
     * @param name its name in the imported model
     * @param axis the axis, from 0
     * @param start the first entry
     * @param end one behind the last entry
     * @return the origin
     */
    public static InitializerOrigin range(String name, int axis, int start, int end) {
        return new InitializerOrigin(name, Optional.of(new Range(axis, start, end)), List.of());
    }

    /**
     * This origin with its axes reordered, such as a matrix behind a {@code Transpose}.
     *
     * @param axes which axis of this each axis of the result is
     * @return the origin
     * @throws EmtalException if the axes are reordered already
     */
    public InitializerOrigin permuted(Integer... axes) {
        EmtalException.check(permutation.isEmpty(), "origin '%s': found a second permutation %s, allowed is one", name,
                List.of(axes));
        return new InitializerOrigin(name, range, List.of(axes));
    }

    /**
     * Reads the initialiser.
     *
     * @param constant the constant of the imported model
     * @return the elements that are meant, in the initialiser's order
     */
    float[] take(Tensor constant) {
        float[] all = constant.floats();
        if (range.isEmpty() && permutation.isEmpty()) {
            return all;
        }
        int[] positions = positions(constant.shape());
        float[] taken = new float[positions.length];
        for (int i = 0; i < taken.length; i++) {
            taken[i] = all[positions[i]];
        }
        return taken;
    }

    /**
     * Writes the initialiser back.
     *
     * @param constant the constant of the imported model
     * @param elements the initialiser's elements
     * @return the constant with these elements
     */
    Tensor put(Tensor constant, float[] elements) {
        float[] all = constant.floats().clone();
        int[] positions = positions(constant.shape());
        for (int i = 0; i < positions.length; i++) {
            all[positions[i]] = elements[i];
        }
        return new Tensor(constant.type(), constant.shape(), all);
    }

    /**
     * The number of elements.
     *
     * @param constant the shape of the constant
     * @return how many elements of the constant are meant
     * @throws EmtalException if the constant has no such range or axes
     */
    int size(Shape constant) {
        range.ifPresent(r -> EmtalException.check(r.axis() < constant.rank() && r.end() <= constant.extent(r.axis()),
                "origin '%s': found shape %s, allowed is one with entries %d to %d of axis %d", name, constant,
                r.start(), r.end(), r.axis()));
        EmtalException.check(permutation.isEmpty() || permutation.size() == constant.rank(),
                "origin '%s': found shape %s, allowed are %d axes", name, constant, permutation.size());
        return part(constant).size();
    }

    private Shape part(Shape constant) {
        return range.map(r -> constant.with(r.axis(), r.end() - r.start())).orElse(constant);
    }

    /** The position in the constant of each element. */
    private int[] positions(Shape constant) {
        Shape part = part(constant);
        int rank = constant.rank();
        int[] strides = new int[rank];
        for (int axis = rank - 1, stride = 1; axis >= 0; stride *= (int) constant.extent(axis--)) {
            strides[axis] = stride;
        }
        int[] axes = permutation.isEmpty() ? IntStream.range(0, rank).toArray()
                : permutation.stream().mapToInt(Integer::intValue).toArray();
        int[] positions = new int[part.size()];
        int[] index = new int[rank];
        int position = range.map(r -> r.start() * strides[r.axis()]).orElse(0);
        for (int i = 0; i < positions.length; i++) {
            positions[i] = position;
            for (int k = rank - 1; k >= 0; k--) {
                position += strides[axes[k]];
                if (++index[k] < part.extent(axes[k])) {
                    break;
                }
                position -= index[k] * strides[axes[k]];
                index[k] = 0;
            }
        }
        return positions;
    }
}

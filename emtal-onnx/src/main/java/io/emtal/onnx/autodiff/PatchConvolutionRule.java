package io.emtal.onnx.autodiff;

import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Value;

import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.LongStream;

/**
 * Convolutions whose windows tile the image, such as a patch embedding: kernel equal to stride, no padding, no
 * dilation, one group. Such a convolution is one matrix product over patches, and so are its gradients.
 */
final class PatchConvolutionRule implements BackwardRule {

    @Override
    public Optional<String> refusal(Node node) {
        long[] kernel = spatial(node.input(1).shape());
        long[] strides = node.integers("strides").orElse(ones(kernel.length));
        long[] dilations = node.integers("dilations").orElse(ones(kernel.length));
        long[] pads = node.integers("pads").orElse(new long[0]);
        boolean covered = Arrays.equals(kernel, strides) && Arrays.stream(pads).allMatch(p -> p == 0)
                && Arrays.equals(dilations, ones(kernel.length)) && node.integer("group", 1) == 1
                && !node.attributes().getOrDefault("auto_pad", "NOTSET").toString().startsWith("SAME");
        return covered ? Optional.empty() : Optional.of(String.format(Locale.ROOT, "operator Conv with kernel %s,"
                + " strides %s, pads %s, dilations %s, group %d; allowed is a kernel equal to the strides without"
                + " padding, dilations, groups", Arrays.toString(kernel), Arrays.toString(strides),
                Arrays.toString(pads), Arrays.toString(dilations), node.integer("group", 1)));
    }

    @Override
    public void backward(BackwardStep s) {
        GraphBuilder b = s.builder();
        Value image = s.input(0);
        Value weight = s.input(1);
        long[] kernel = spatial(weight.shape());
        long[] grid = spatial(s.output().shape());
        long channels = image.extent(1);
        long filters = weight.extent(0);
        int n = kernel.length;

        // dY as rows, one a patch: [B, h, w, O] → [B·h·w, O].
        Value rows = MatrixRules.rows(b, b.transpose(s.gradient(), channelsLast(n)));
        s.give(1, () -> {
            Value whole = cropped(b, image, grid, kernel);
            Value split = b.reshape(whole, interleaved(image.extent(0), channels, grid, kernel));
            Value patches = b.reshape(b.transpose(split, toPatches(n)), rows.extent(0), -1);
            return b.reshape(MatrixRules.gemm(b, rows, true, patches, false, 1), weight.shape().extents());
        });
        s.give(0, () -> {
            Value patches = MatrixRules.gemm(b, rows, false, b.reshape(weight, filters, -1), false, 1);
            Value split = b.reshape(patches, patchExtents(image.extent(0), channels, grid, kernel));
            long[] extents = image.shape().extents();
            for (int i = 0; i < n; i++) {
                extents[i + 2] = grid[i] * kernel[i];
            }
            return padded(b, b.reshape(b.transpose(split, inverse(toPatches(n))), extents), image.shape());
        });
        s.give(2, () -> b.reduceSum(rows, false, 0));
    }

    private static Value cropped(GraphBuilder b, Value image, long[] grid, long[] kernel) {
        Value whole = image;
        for (int i = 0; i < grid.length; i++) {
            if (grid[i] * kernel[i] != image.extent(i + 2)) {
                whole = b.slice(whole, i + 2, 0, grid[i] * kernel[i]);
            }
        }
        return whole;
    }

    private static Value padded(GraphBuilder b, Value gradient, Shape shape) {
        if (gradient.shape().equals(shape)) {
            return gradient;
        }
        long[] pads = new long[2 * shape.rank()];
        for (int i = 0; i < shape.rank(); i++) {
            pads[i + shape.rank()] = shape.extent(i) - gradient.extent(i);
        }
        return b.apply("Pad", Map.of(), gradient, b.integers(pads));
    }

    /** [B, C, h, kh, w, kw, ...]. */
    private static long[] interleaved(long batch, long channels, long[] grid, long[] kernel) {
        long[] extents = new long[2 + 2 * grid.length];
        extents[0] = batch;
        extents[1] = channels;
        for (int i = 0; i < grid.length; i++) {
            extents[2 + 2 * i] = grid[i];
            extents[3 + 2 * i] = kernel[i];
        }
        return extents;
    }

    /** [B, h, w, ..., C, kh, kw, ...]. */
    private static long[] patchExtents(long batch, long channels, long[] grid, long[] kernel) {
        long[] from = interleaved(batch, channels, grid, kernel);
        return Arrays.stream(toPatches(grid.length)).map(axis -> from[(int) axis]).toArray();
    }

    /** From {@link #interleaved} to {@link #patchExtents}. */
    private static long[] toPatches(int n) {
        return LongStream.concat(LongStream.concat(LongStream.of(0), LongStream.range(0, n).map(i -> 2 + 2 * i)),
                LongStream.concat(LongStream.of(1), LongStream.range(0, n).map(i -> 3 + 2 * i))).toArray();
    }

    private static long[] channelsLast(int n) {
        return LongStream.concat(LongStream.concat(LongStream.of(0), LongStream.range(2, n + 2)), LongStream.of(1))
                .toArray();
    }

    private static long[] inverse(long[] permutation) {
        return LayoutRules.inverse(permutation);
    }

    private static long[] spatial(Shape shape) {
        return Arrays.copyOfRange(shape.extents(), 2, shape.rank());
    }

    private static long[] ones(int n) {
        return LongStream.generate(() -> 1).limit(n).toArray();
    }
}

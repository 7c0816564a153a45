package io.emtal.onnx.graph;

import io.emtal.onnx.EmtalException;

/**
 * What {@link OnnxFile} is willing to read. Everything is checked before memory is taken for it.
 *
 * @param fileBytes the largest model file, in bytes
 * @param tensorBytes the largest tensor, in bytes, whether it is stored, declared or computed; an open batch counts as
 *     one row
 * @param totalBytes all stored tensors together, in bytes, those of other files included
 * @param nodes the largest number of operators
 * @param externalData whether tensors may lie in other files. These must be regular files inside the real directory of
 *     the model file, reached without symbolic links and without a second hard link
 */
public record ReadLimits(long fileBytes, long tensorBytes, long totalBytes, int nodes, boolean externalData) {

    /** What the protobufs of Java still hold: 1.5 GiB. */
    private static final long LARGEST = 1536L << 20;

    /**
     * The limits that apply unless others are given: files and tensors of 1.5 GiB together, 1 GiB a tensor, 50,000
     * operators, no external data.
     */
    public static final ReadLimits DEFAULT = new ReadLimits(LARGEST, 1L << 30, LARGEST, 50_000, false);

    /** Checks the ranges. */
    public ReadLimits {
        check("file bytes", fileBytes, LARGEST);
        check("tensor bytes", tensorBytes, LARGEST);
        check("total bytes", totalBytes, LARGEST);
        check("nodes", nodes, 1_000_000);
    }

    private static void check(String what, long value, long largest) {
        EmtalException.check(value >= 1 && value <= largest, "limit of %s: found %d, allowed are 1 to %d", what, value,
                largest);
    }

    /**
     * These limits with external data allowed.
     *
     * @return the new limits
     */
    public ReadLimits withExternalData() {
        return new ReadLimits(fileBytes, tensorBytes, totalBytes, nodes, true);
    }

    /**
     * The number of bytes of a tensor, by these limits.
     *
     * @param where what has this shape, for the message
     * @param type its element type
     * @param extents its shape; {@link Shape#BATCH} counts as 1
     * @return the product of the extents and the size of an element
     * @throws EmtalException if an extent is negative or there are too many bytes or dimensions
     */
    long bytes(String where, ElementType type, long... extents) {
        EmtalException.check(extents.length <= Shape.MAX_RANK, "%s: found %d dimensions, allowed are %d at most", where,
                extents.length, Shape.MAX_RANK);
        long bytes = type.bytes();
        for (long extent : extents) {
            EmtalException.check(extent >= Shape.BATCH && extent <= Integer.MAX_VALUE,
                    "%s: found extent %d, allowed are 0 to %d", where, extent, Integer.MAX_VALUE);
            bytes *= extent == Shape.BATCH ? 1 : extent;
            EmtalException.check(bytes <= tensorBytes, "%s: found shape %s of type %s, allowed are %d bytes at most",
                    where, Shape.of(extents), type, tensorBytes);
        }
        return bytes;
    }
}

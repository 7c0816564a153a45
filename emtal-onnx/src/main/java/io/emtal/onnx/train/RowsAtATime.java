package io.emtal.onnx.train;

import io.emtal.onnx.graph.Graph;

import java.util.stream.Stream;

/** How many rows are computed at a time: about as many as processors' caches hold the widest values of. */
final class RowsAtATime {

    /**
     * The most elements of the widest value of a micro-batch. Measured with 17 to 197 tokens of widths 64 and 192 on a
     * core with 1 MiB of level-2 cache: half and twice as much are within a few percent, the whole batch takes up to a
     * fifth longer and several times the memory, single rows up to three times as long where they are small.
     */
    private static final long CACHED_ELEMENTS = 5 << 16;

    /** Where rows are small, more at a time are no faster. */
    private static final int MOST_FORWARD = 64;

    private RowsAtATime() {
    }

    /**
     * The elements that one row has in a graph's widest value.
     *
     * @param graph takes rows
     */
    static long widestRow(Graph graph) {
        return Stream.concat(graph.inputs().stream(), graph.nodes().stream().flatMap(node -> node.outputs().stream()))
                .mapToLong(value -> value.shape().withBatch(1).size()).max().orElseThrow();
    }

    /**
     * The rows whose widest values caches hold.
     *
     * @param widest the elements that one row has in the widest value
     * @return 1 or more
     */
    static long cached(long widest) {
        return Math.max(1, CACHED_ELEMENTS / widest);
    }

    /**
     * The rows that are computed at a time where nothing is trained.
     *
     * @param graph takes rows
     * @return 1 to {@value #MOST_FORWARD}
     */
    static int forward(Graph graph) {
        return (int) Math.min(MOST_FORWARD, cached(widestRow(graph)));
    }

    /**
     * The rows that are computed at a time so that as few runs as caches allow are about equally full.
     *
     * @param widest the elements that one row has in the widest value
     * @param rows how many rows are computed, at least one
     * @return 1 or more
     */
    static int even(long widest, int rows) {
        long most = cached(widest);
        long runs = (rows + most - 1) / most;
        return (int) ((rows + runs - 1) / runs);
    }
}

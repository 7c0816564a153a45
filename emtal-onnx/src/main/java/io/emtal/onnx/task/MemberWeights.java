package io.emtal.onnx.task;

import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import java.util.Arrays;

/**
 * What each member of an ensemble counts for each task, in its loss and in the mean of the members' logits. Where some
 * tasks are numbers and others classes, one half of the members learns the numbers and the other half the classes, and
 * each the other kind with a weight of {@value #OTHER_KIND} of that: the two kinds pull at a network with different
 * strength at different times, and this way both find members that follow them, above blocks that all members share.
 * Tasks of one kind count the same for all members, and so do all for fewer than {@value #LEAST_MEMBERS} of them.
 */
public final class MemberWeights {

    /** What a member's loss of the other kind counts, relative to its own kind's. */
    private static final double OTHER_KIND = 0.05;

    private static final int LEAST_MEMBERS = 4;

    private final int members;
    private final int columns;
    /** [M, C]. */
    private final float[] weights;
    private final boolean halves;

    private MemberWeights(int members, int columns, float[] weights, boolean halves) {
        this.members = members;
        this.columns = columns;
        this.weights = weights;
        this.halves = halves;
    }

    /**
     * The weights of tasks. Tasks that nothing learns do not count for a kind.
     *
     * @param layout the tasks
     * @param members M, 1 for a single network
     * @return one weight for each member and column; a column's mean over the members is 1
     */
    public static MemberWeights of(TaskLayout layout, int members) {
        int columns = layout.columns();
        float[] weights = new float[members * columns];
        Arrays.fill(weights, 1);
        if (kinds(layout) < 2 || members < LEAST_MEMBERS) {
            return new MemberWeights(members, columns, weights, false);
        }
        int half = members / 2;
        for (int t = 0; t < layout.size(); t++) {
            boolean real = layout.task(t) instanceof RealTask;
            int own = real ? half : members - half;
            double mean = (own + OTHER_KIND * (members - own)) / members;
            for (int m = 0; m < members; m++) {
                int from = m * columns + layout.offset(t);
                Arrays.fill(weights, from, from + layout.task(t).width(),
                        (float) ((m < half == real ? 1 : OTHER_KIND) / mean));
            }
        }
        return new MemberWeights(members, columns, weights, true);
    }

    /**
     * How many kinds of tasks there are that members are divided among. Tasks that nothing learns do not count.
     *
     * @param layout the tasks
     * @return 2 where some tasks are numbers and others classes, otherwise at most 1
     */
    public static int kinds(TaskLayout layout) {
        return (int) layout.learnt().stream().map(RealTask.class::isInstance).distinct().count();
    }

    /**
     * The number of members.
     *
     * @return M
     */
    public int members() {
        return members;
    }

    /**
     * Into how many parts rows can go at most so that, with member m being of part m modulo their number, each part has
     * members for all tasks.
     *
     * @return M, or half of it where a half of the members is for each kind of tasks
     */
    public int mostParts() {
        return halves ? members / 2 : members;
    }

    /**
     * The number of columns.
     *
     * @return C
     */
    public int columns() {
        return columns;
    }

    /**
     * What a member counts for a column.
     *
     * @param member from 0
     * @param column from 0
     * @return its weight, above 0
     */
    public float of(int member, int column) {
        return weights[member * columns + column];
    }

    /**
     * Multiplies something that members have for each column by what they count.
     *
     * @param graph where
     * @param value [M, any, C]
     * @return the same shape; the value itself where all weights are 1
     */
    public Value times(GraphBuilder graph, Value value) {
        return halves ? graph.mul(value, graph.constant(Tensor.of(weights, members, 1, columns))) : value;
    }
}

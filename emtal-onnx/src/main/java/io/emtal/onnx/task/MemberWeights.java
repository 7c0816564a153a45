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
 * Tasks of one kind count the same for all members.
 */
final class MemberWeights {

    /** What a member's loss of the other kind counts, relative to its own kind's. */
    private static final double OTHER_KIND = 0.05;

    private final int members;
    private final int columns;
    private final float[] weights;

    private MemberWeights(int members, int columns, float[] weights) {
        this.members = members;
        this.columns = columns;
        this.weights = weights;
    }

    /**
     * The weights of tasks.
     *
     * @param layout the tasks
     * @param members M
     * @return one weight for each member and column; a column's mean over the members is 1
     */
    static MemberWeights of(TaskLayout layout, int members) {
        float[] weights = new float[members * layout.columns()];
        Arrays.fill(weights, 1);
        long reals = layout.tasks().stream().filter(RealTask.class::isInstance).count();
        // The first half and the second: members of both are in each part of the rows that is out of a bag.
        int half = members / 2;
        if (half == 0 || reals == 0 || reals == layout.size()) {
            return new MemberWeights(members, layout.columns(), weights);
        }
        for (int t = 0; t < layout.size(); t++) {
            boolean real = layout.task(t) instanceof RealTask;
            int own = real ? half : members - half;
            double mean = (own + OTHER_KIND * (members - own)) / members;
            for (int m = 0; m < members; m++) {
                float weight = (float) ((m < half == real ? 1 : OTHER_KIND) / mean);
                Arrays.fill(weights, m * layout.columns() + layout.offset(t),
                        m * layout.columns() + layout.offset(t) + layout.task(t).width(), weight);
            }
        }
        return new MemberWeights(members, layout.columns(), weights);
    }

    /** The weights, [M, C]. */
    float[] values() {
        return weights;
    }

    /**
     * Writes the product with something that members have for each column.
     *
     * @param graph where
     * @param value [M, any, C]
     * @return the same shape; the value itself where all weights are 1
     */
    Value times(GraphBuilder graph, Value value) {
        for (float weight : weights) {
            if (weight != 1) {
                return graph.mul(value, graph.constant(Tensor.of(weights, members, 1, columns)));
            }
        }
        return value;
    }
}

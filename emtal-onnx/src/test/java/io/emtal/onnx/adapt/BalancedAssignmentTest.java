package io.emtal.onnx.adapt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;
import org.jgrapht.Graph;
import org.jgrapht.alg.flow.mincost.CapacityScalingMinimumCostFlow;
import org.jgrapht.alg.flow.mincost.MinimumCostFlowProblem.MinimumCostFlowProblemImpl;
import org.jgrapht.graph.DefaultWeightedEdge;
import org.jgrapht.graph.SimpleDirectedWeightedGraph;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;

class BalancedAssignmentTest {

    @RepeatedTest(40)
    void assignmentsAreTheCheapestOfAllBalancedOnes(RepetitionInfo repetition) {
        long seed = repetition.getCurrentRepetition();
        Random random = new Random(seed);
        int experts = 1 + random.nextInt(4);
        int channels = experts * (1 + random.nextInt(experts == 2 ? 5 : 3));
        float[] costs = costs(random, experts * channels);
        int[] labels = BalancedAssignment.of(costs, channels, experts);
        int[] sizes = checkBalanced(labels, experts, "seed " + seed);
        assertEquals(cheapest(costs, channels, 0, sizes), cost(costs, labels), 1e-5, "seed " + seed);
    }

    @RepeatedTest(12)
    void assignmentsCostWhatAMinimumCostFlowCosts(RepetitionInfo repetition) {
        long seed = 100 + repetition.getCurrentRepetition();
        Random random = new Random(seed);
        int experts = 1 + random.nextInt(24);
        int channels = experts * (1 + random.nextInt(24));
        float[] costs = costs(random, experts * channels);
        int[] labels = BalancedAssignment.of(costs, channels, experts);
        checkBalanced(labels, experts, "seed " + seed);
        double expected = minimumCostFlow(costs, channels, experts);
        assertEquals(expected, cost(costs, labels), 1e-5 * (1 + expected), "seed " + seed);
    }

    @Test
    void costsThatAreAllTheSameAreAssignedInOrder() {
        for (float cost : new float[] {0, 1, 1e-30f, 1e30f}) {
            float[] costs = new float[18];
            Arrays.fill(costs, cost);
            assertArrayEquals(new int[] {0, 0, 1, 1, 2, 2}, BalancedAssignment.of(costs, 6, 3), "cost " + cost);
        }
    }

    /** Of one scale, of whole numbers with many equal ones, or of many scales. */
    private static float[] costs(Random random, int count) {
        int kind = random.nextInt(3);
        float[] costs = new float[count];
        for (int i = 0; i < count; i++) {
            costs[i] = switch (kind) {
                case 0 -> 10 * random.nextFloat();
                case 1 -> random.nextInt(4);
                default -> (float) Math.exp(-12 * random.nextFloat());
            };
        }
        return costs;
    }

    private static int[] checkBalanced(int[] labels, int experts, String where) {
        int[] sizes = new int[experts];
        for (int label : labels) {
            sizes[label]++;
        }
        assertArrayEquals(IntStream.range(0, experts).map(k -> labels.length / experts).toArray(), sizes, where);
        return sizes;
    }

    private static double cost(float[] costs, int[] labels) {
        return IntStream.range(0, labels.length).mapToDouble(i -> costs[labels[i] * labels.length + i]).sum();
    }

    /** The least cost of the channels from one on, where each expert still takes so many. */
    private static double cheapest(float[] costs, int channels, int channel, int[] room) {
        double least = channel == channels ? 0 : Double.POSITIVE_INFINITY;
        for (int k = 0; channel < channels && k < room.length; k++) {
            if (room[k] > 0) {
                room[k]--;
                least = Math.min(least, costs[k * channels + channel] + cheapest(costs, channels, channel + 1, room));
                room[k]++;
            }
        }
        return least;
    }

    private static double minimumCostFlow(float[] costs, int channels, int experts) {
        Graph<Integer, DefaultWeightedEdge> graph = new SimpleDirectedWeightedGraph<>(DefaultWeightedEdge.class);
        IntStream.range(0, channels + experts).forEach(graph::addVertex);
        for (int i = 0; i < costs.length; i++) {
            graph.setEdgeWeight(graph.addEdge(i % channels, channels + i / channels), costs[i]);
        }
        var problem = new MinimumCostFlowProblemImpl<>(graph,
                vertex -> vertex < channels ? 1 : -channels / experts, arc -> 1);
        return new CapacityScalingMinimumCostFlow<Integer, DefaultWeightedEdge>().getMinimumCostFlow(problem).getCost();
    }
}

package io.emtal.onnx.adapt;

import org.jgrapht.Graph;
import org.jgrapht.alg.flow.mincost.CapacityScalingMinimumCostFlow;
import org.jgrapht.alg.flow.mincost.MinimumCostFlowProblem.MinimumCostFlowProblemImpl;
import org.jgrapht.graph.DefaultWeightedEdge;
import org.jgrapht.graph.SimpleDirectedWeightedGraph;

import java.util.stream.IntStream;

/**
 * Assigns H channels to K experts so that each gets exactly {@code m = H / K} of them at the least cost: a minimum-cost
 * flow in which each channel ships one unit, solved exactly. The graph is made once for all costs: it takes
 * more memory than a solution.
 */
final class BalancedAssignment {

    // The capacity-scaling solver's factor; the arcs' capacities are 1, so it changes the time little.
    private static final int SCALING_FACTOR = 8;

    private final int channels;
    private final int experts;
    // Vertices are the channels, then the experts.
    private final Graph<Integer, DefaultWeightedEdge> graph =
            new SimpleDirectedWeightedGraph<>(DefaultWeightedEdge.class);
    // Arc k · H + i leads from channel i to expert k.
    private final DefaultWeightedEdge[] arcs;

    /**
     * Prepares assignments.
     *
     * @param channels the number of channels, H
     * @param experts the number of experts, K; it divides H
     */
    BalancedAssignment(int channels, int experts) {
        this.channels = channels;
        this.experts = experts;
        arcs = new DefaultWeightedEdge[experts * channels];
        IntStream.range(0, channels + experts).forEach(graph::addVertex);
        for (int channel = 0; channel < channels; channel++) {
            for (int k = 0; k < experts; k++) {
                arcs[k * channels + channel] = graph.addEdge(channel, channels + k);
            }
        }
    }

    /**
     * Assigns.
     *
     * @param costs what each channel costs at each expert, [K, H]
     * @return the expert of each channel
     */
    int[] assign(float[] costs) {
        for (int i = 0; i < arcs.length; i++) {
            graph.setEdgeWeight(arcs[i], costs[i]);
        }
        int demand = channels / experts;
        var problem = new MinimumCostFlowProblemImpl<>(graph, v -> v < channels ? 1 : -demand, arc -> 1);
        var flow = new CapacityScalingMinimumCostFlow<Integer, DefaultWeightedEdge>(SCALING_FACTOR)
                .getMinimumCostFlow(problem);
        int[] labels = new int[channels];
        flow.getFlowMap().forEach((arc, units) -> {
            if (units > 0.5) {
                labels[graph.getEdgeSource(arc)] = graph.getEdgeTarget(arc) - channels;
            }
        });
        return labels;
    }
}

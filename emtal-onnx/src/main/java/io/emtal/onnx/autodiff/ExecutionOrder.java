package io.emtal.onnx.autodiff;

import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/**
 * Orders the nodes of a training graph so that ONNX Runtime computes every parameter's gradient as soon as it can.
 *
 * <p>ONNX Runtime orders nodes itself: it starts from the nodes whose results nothing uses, the last of them in the
 * file first, and computes all that each needs. In the order of differentiation the last one is the gradient of the
 * first layer, so that all other gradients would come after the whole way back, when what they read has left the cache.
 */
public final class ExecutionOrder {

    private ExecutionOrder() {
    }

    /**
     * Moves the nodes that make outputs to the end, those that were written last first.
     *
     * @param graph the graph
     * @return the same graph, its nodes in another topological order
     */
    public static Graph of(Graph graph) {
        Set<Node> last = makersOfOutputs(graph);
        List<Node> moved = new ArrayList<>();
        List<Node> nodes = new ArrayList<>();
        Map<String, List<Node>> copies = new HashMap<>();
        for (Node node : graph.nodes()) {
            if (!last.contains(node)) {
                nodes.add(node);
            } else if (isCopy(node)) {
                copies.computeIfAbsent(node.input(0).name(), n -> new ArrayList<>()).add(node);
            } else {
                moved.add(node);
            }
        }
        Collections.reverse(moved);
        for (Node node : moved) {
            nodes.add(node);
            node.outputs().forEach(v -> nodes.addAll(Objects.requireNonNullElse(copies.remove(v.name()), List.of())));
        }
        copies.values().forEach(nodes::addAll);
        return new Graph(graph.inputs(), graph.outputs(), graph.initializers(), nodes);
    }

    private static boolean isCopy(Node node) {
        return node.op().equals("Identity");
    }

    /** Nodes whose results nothing uses, but copies of them that nothing uses. */
    private static Set<Node> makersOfOutputs(Graph graph) {
        Set<String> used = new HashSet<>();
        Set<Node> makers = new HashSet<>();
        for (int i = graph.nodes().size() - 1; i >= 0; i--) {
            Node node = graph.nodes().get(i);
            boolean unused = node.outputs().stream().map(Value::name).noneMatch(used::contains);
            if (unused) {
                makers.add(node);
            }
            if (!unused || !isCopy(node)) {
                node.inputs().stream().filter(Objects::nonNull).forEach(v -> used.add(v.name()));
            }
        }
        return makers;
    }
}

package io.emtal.onnx.backbone;

import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Value;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Where the result of a branch is added to what went past it: x + f(x).
 *
 * @param skip x, the operand that the branch does not give
 * @param sum the value x + f(x)
 */
record Residual(Value skip, Value sum) {

    /**
     * What a search found.
     *
     * @param residual the sum; empty if there is none
     * @param misfit the node at which the search ended without one; empty if the branch just ends
     */
    record Search(Optional<Residual> residual, Optional<Node> misfit) {
    }

    /**
     * Follows a branch's last layer to the sum. Between them may be a layer scale, a norm, and changes of layout.
     *
     * @param view the graph
     * @param last the branch's last linear layer
     */
    static Search behind(GraphView view, LinearLayers.Linear last) {
        Set<String> branch = new HashSet<>(Set.of(last.result().name()));
        List<Node> nodes = view.graph().nodes();
        for (Node node : nodes.subList(view.position(last.product()) + 1, nodes.size())) {
            List<Value> computed = GraphView.computed(node);
            List<Value> others = computed.stream().filter(v -> !branch.contains(v.name())).toList();
            if (others.size() == computed.size() || branch.contains(node.output().name())) {
                continue;
            }
            if (node.op().equals("Add") && others.size() == 1) {
                return new Search(Optional.of(new Residual(others.get(0), node.output())), Optional.empty());
            }
            if (!others.isEmpty() || !(GraphView.LAYOUT.contains(node.op()) || GraphView.NORM.contains(node.op()))) {
                return new Search(Optional.empty(), Optional.of(node));
            }
            node.outputs().forEach(v -> branch.add(v.name()));
        }
        return new Search(Optional.empty(), Optional.empty());
    }
}

package io.emtal.onnx.backbone;

import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Value;

import java.util.Optional;

/**
 * How one value comes of another by normalisation and changes of layout alone.
 *
 * @param normalised whether there is a norm on the way; without one the two hold the same elements
 */
record NormPath(boolean normalised) {

    /**
     * Looks for the way between two values.
     *
     * @param view the graph
     * @param from the earlier value
     * @param to the later value
     * @return the way; empty if other operators, or other values, are on it
     */
    static Optional<NormPath> between(GraphView view, Value from, Value to) {
        GraphView.Origin origin = view.origin(to, from::equals,
                node -> GraphView.LAYOUT.contains(node.op()) || GraphView.NORM.contains(node.op()));
        boolean mean = origin.nodes().stream().anyMatch(NormPath::averages);
        boolean layoutOnly = origin.nodes().stream().allMatch(node -> GraphView.LAYOUT.contains(node.op()));
        return origin.single().filter(from::equals).filter(v -> mean || layoutOnly).map(v -> new NormPath(mean));
    }

    private static boolean averages(Node node) {
        return node.op().equals("LayerNormalization") || node.op().startsWith("Reduce");
    }
}

package io.emtal.onnx.backbone;

import io.emtal.onnx.backbone.LinearLayers.Linear;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * An attention: a softmax over the products of queries and keys, whose result multiplies values. Queries, keys and
 * values come from one linear layer or from three; the factor 1/√d may stand anywhere.
 *
 * @param softmax the softmax
 * @param inputs the joint query-key-value layer, or query, key and value layer
 * @param output the output projection
 * @param heads the number of heads
 * @param headWidth the width of a head's queries
 * @param tokens the number of tokens that are attended to
 * @param branch where the output is added to what went past
 */
record AttentionPattern(Node softmax, List<Linear> inputs, Linear output, int heads, int headWidth, int tokens,
                        Residual branch) {

    /** What may lie between products and their softmax: factors, positions, masks. */
    private static final Set<String> SCALES = Set.of("Mul", "Div", "Add", "Sub", "Where");

    /** What may lie between a linear layer and the products: layout, factors, rotations, norms of queries and keys. */
    private static boolean prepares(Node node) {
        return GraphView.LAYOUT.contains(node.op()) || GraphView.NORM.contains(node.op()) || node.op().equals("Neg");
    }

    /**
     * Finds all attentions whose queries and keys depend on the input.
     *
     * @param view the graph
     * @param layers its linear layers
     * @return in the order of the computation
     * @throws io.emtal.onnx.EmtalException at the first node around such an attention that does not fit
     */
    static List<AttentionPattern> all(GraphView view, LinearLayers layers) {
        List<AttentionPattern> found = new ArrayList<>();
        List<Node> others = new ArrayList<>();
        for (Node node : view.graph().nodes()) {
            if (node.op().equals("Softmax")) {
                Optional<Node> product = scores(view, node);
                product.ifPresent(p -> found.add(around(view, layers, node, p)));
                if (product.isEmpty()) {
                    others.add(node);
                }
            }
        }
        if (!found.isEmpty()) {
            checkBefore(view, others, found.get(found.size() - 1).softmax());
        }
        return found;
    }

    /** Behind the last attention a softmax may pool tokens or give probabilities; before it, a block is missed. */
    private static void checkBefore(GraphView view, List<Node> others, Node last) {
        for (Node other : others) {
            if (view.descendants(other.output()).contains(last.output().name())) {
                throw GraphView.misfit(other, "a softmax, before the last attention, over what is not the product of"
                        + " two matrices that depend on the input", "queries times keys, behind factors, masks and"
                        + " changes of layout alone");
            }
        }
    }

    /** The product of queries and keys that a softmax is taken of. */
    private static Optional<Node> scores(GraphView view, Node softmax) {
        return origin(view, softmax).flatMap(GraphView.Origin::single).flatMap(view::producer);
    }

    /** The nodes between products of queries and keys and a softmax of them; none for another softmax. */
    static Set<Node> behindScores(GraphView view, Node softmax) {
        return origin(view, softmax).map(GraphView.Origin::nodes).orElse(Set.of());
    }

    /** Where scores come from: empty for a softmax of what is not one product. */
    private static Optional<GraphView.Origin> origin(GraphView view, Node softmax) {
        Value value = softmax.input(0);
        if (value.shape().axis((int) softmax.integer("axis", -1)) != value.rank() - 1) {
            return Optional.empty();
        }
        GraphView.Origin origin = view.origin(value,
                v -> view.producer(v).filter(AttentionPattern::isProduct).isPresent(),
                node -> GraphView.LAYOUT.contains(node.op()) || SCALES.contains(node.op()));
        return Optional.of(origin).filter(o -> o.single().flatMap(view::producer).filter(AttentionPattern::isProduct)
                .isPresent());
    }

    /** Whether a node multiplies two matrices that both depend on the input. */
    private static boolean isProduct(Node node) {
        return (node.op().equals("MatMul") || node.op().equals("FusedMatMul")) && GraphView.computed(node).size() == 2;
    }

    private static AttentionPattern around(GraphView view, LinearLayers layers, Node softmax, Node product) {
        Node mixing = mixing(view, softmax);
        Linear query = source(view, layers, product, 0, "queries");
        Linear key = source(view, layers, product, 1, "keys");
        Linear value = source(view, layers, mixing, 1, "values");
        Set<Linear> distinct = new LinkedHashSet<>(List.of(query, key, value));
        if (distinct.size() == 2) {
            throw GraphView.misfit(product, "queries, keys and values from two linear layers, '" + query.weight()
                    + "', '" + key.weight() + "' and '" + value.weight() + "'", "one joint layer or three");
        }
        Linear output = output(view, layers, mixing);
        Residual.Search search = Residual.behind(view, output);
        Residual branch = search.residual().orElseThrow(() -> GraphView.misfit(search.misfit().orElse(output.product()),
                "no sum with the tokens that went past the attention", "one behind the attention's output projection '"
                        + output.weight() + "'"));
        int headWidth = (int) product.input(0).extent(product.integer("transA", 0) == 1 ? -2 : -1);
        Value weights = softmax.output();
        int heads = weights.rank() > 3 ? (int) weights.extent(-3) : 1;
        return new AttentionPattern(softmax, List.copyOf(distinct), output, heads, headWidth, (int) weights.extent(-1),
                branch);
    }

    /** The product of a softmax with values. */
    private static Node mixing(GraphView view, Node softmax) {
        Value value = softmax.output();
        while (true) {
            List<Node> readers = view.consumers(value);
            Value read = value;
            Node reader = readers.isEmpty() ? softmax : readers.get(0);
            if (readers.size() == 1 && isProduct(reader) && reader.input(0).equals(read)) {
                return reader;
            }
            if (readers.size() != 1 || !GraphView.LAYOUT.contains(reader.op()) && !reader.op().equals("Mul")
                    || GraphView.computed(reader).size() != 1) {
                throw GraphView.misfit(reader, readers.size() == 1 ? reader.op() + " behind a softmax over products"
                        : readers.size() + " readers of a softmax over products", "one product of it with values");
            }
            value = reader.output();
        }
    }

    private static Linear source(GraphView view, LinearLayers layers, Node product, int operand, String what) {
        GraphView.Origin origin = view.origin(product.input(operand), v -> layers.giving(v).isPresent(),
                AttentionPattern::prepares);
        Optional<Linear> layer = origin.single().flatMap(layers::giving);
        if (layer.isEmpty() && origin.misfit().isPresent()) {
            throw GraphView.misfit(origin.misfit().get(), origin.misfit().get().op() + " where " + what + " come from",
                    "a linear layer with a constant weight, behind changes of layout, factors and norms alone");
        }
        return layer.orElseThrow(() -> GraphView.misfit(product, what + " from the values "
                + origin.ends().stream().map(Value::name).toList(), "one linear layer with a constant weight"));
    }

    private static Linear output(GraphView view, LinearLayers layers, Node mixing) {
        Value value = mixing.output();
        while (true) {
            List<Node> readers = view.consumers(value);
            Node reader = readers.isEmpty() ? mixing : readers.get(0);
            Optional<Linear> layer = readers.size() == 1 ? layers.at(reader) : Optional.empty();
            if (layer.isPresent()) {
                return layer.get();
            }
            if (readers.size() != 1 || !prepares(reader) || GraphView.computed(reader).size() != 1) {
                throw GraphView.misfit(reader, readers.size() == 1 ? reader.op() + " behind an attention"
                        : readers.size() + " readers of an attention's result", "its output projection, a linear layer,"
                        + " behind changes of layout alone");
            }
            value = reader.output();
        }
    }

    /** All linear layers. */
    Stream<Linear> layers() {
        return Stream.concat(inputs.stream(), Stream.of(output));
    }
}

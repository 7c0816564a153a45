package io.emtal.onnx.backbone;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** A graph with an open batch, as patterns look at it: where values come from, who reads them. */
final class GraphView {

    /** Operators that only move elements. */
    static final Set<String> LAYOUT = Set.of("Identity", "Cast", "Reshape", "Flatten", "Transpose", "Squeeze",
            "Unsqueeze", "Split", "Slice", "Gather", "Concat", "Pad", "Expand");

    /** Operators that scale and shift. */
    static final Set<String> SCALES = Set.of("Add", "Sub", "Mul", "Div");

    /** Operators that normalisation is made of, with the element-wise ones that scale and shift. */
    static final Set<String> NORM = Set.of("LayerNormalization", "ReduceMean", "ReduceSum", "ReduceSumSquare", "Sub",
            "Add", "Mul", "Div", "Pow", "Sqrt", "Reciprocal");

    private final Graph graph;
    private final Map<String, Node> producers = new HashMap<>();
    private final Map<String, List<Node>> consumers = new HashMap<>();
    private final Map<Node, Integer> positions = new HashMap<>();

    GraphView(Graph graph) {
        this.graph = graph;
        for (Node node : graph.nodes()) {
            positions.put(node, positions.size());
            node.outputs().forEach(v -> producers.put(v.name(), node));
            node.inputs().stream().filter(Objects::nonNull).map(Value::name).distinct()
                    .forEach(name -> consumers.computeIfAbsent(name, n -> new ArrayList<>()).add(node));
        }
    }

    Graph graph() {
        return graph;
    }

    /** The node that makes a value; empty for inputs and constants. */
    Optional<Node> producer(Value value) {
        return Optional.ofNullable(producers.get(value.name()));
    }

    /** The node that makes a value, if it is of an operator. */
    Optional<Node> producer(Value value, String op) {
        return producer(value).filter(node -> node.op().equals(op));
    }

    /** The nodes that read a value, in order. */
    List<Node> consumers(Value value) {
        return consumers.getOrDefault(value.name(), List.of());
    }

    /** Whether a value depends on the input: these have an open batch. */
    static boolean isComputed(Value value) {
        return value != null && !value.shape().isStatic();
    }

    /** The operands of a node that depend on the input. */
    static List<Value> computed(Node node) {
        return node.inputs().stream().filter(GraphView::isComputed).toList();
    }

    /** The elements of a value that is an initialiser. */
    Optional<Tensor> constant(Value value) {
        return Optional.ofNullable(graph.initializers().get(value.name()));
    }

    /** Where a node stands in the order of the computation. */
    int position(Node node) {
        return positions.get(node);
    }

    /** A node as messages name it. */
    static String label(Node node) {
        return "node '" + node.name() + "' (" + node.qualifiedOp() + ")";
    }

    /** The refusal of a graph at a node. */
    static EmtalException misfit(Node node, String found, String expected) {
        return new EmtalException(label(node) + ": found " + found + ", expected " + expected);
    }

    /**
     * What a value is computed from.
     *
     * @param ends the values at which the search stopped, in the order in which they were found
     * @param nodes the nodes between them and the value
     * @param misfit the first node that may not lie between; the search went no further there
     */
    record Origin(Set<Value> ends, Set<Node> nodes, Optional<Node> misfit) {

        /** The only end, if every path leads there. */
        Optional<Value> single() {
            return misfit.isEmpty() && ends.size() == 1 ? Optional.of(ends.iterator().next()) : Optional.empty();
        }

        String operators() {
            return nodes.stream().map(Node::op).distinct().collect(Collectors.joining(", "));
        }
    }

    /**
     * Follows a value back along everything that depends on the input.
     *
     * @param value where to start
     * @param end at which values to stop
     * @param between which nodes may lie between
     */
    Origin origin(Value value, Predicate<Value> end, Predicate<Node> between) {
        Set<Value> ends = new LinkedHashSet<>();
        Set<Node> nodes = new LinkedHashSet<>();
        Set<String> seen = new HashSet<>();
        Node misfit = null;
        Deque<Value> open = new ArrayDeque<>(List.of(value));
        while (!open.isEmpty()) {
            Value next = open.pop();
            if (!seen.add(next.name())) {
                continue;
            }
            Node producer = producers.get(next.name());
            if (end.test(next) || producer == null) {
                ends.add(next);
            } else if (between.test(producer)) {
                nodes.add(producer);
                computed(producer).forEach(open::push);
            } else if (misfit == null) {
                misfit = producer;
            }
        }
        return new Origin(ends, nodes, Optional.ofNullable(misfit));
    }

    /** The names of all values that depend on a value, itself included. */
    Set<String> descendants(Value value) {
        Set<String> names = new HashSet<>(Set.of(value.name()));
        for (Node node : graph.nodes()) {
            if (node.inputs().stream().anyMatch(v -> v != null && names.contains(v.name()))) {
                node.outputs().forEach(v -> names.add(v.name()));
            }
        }
        return names;
    }
}

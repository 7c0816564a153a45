package io.emtal.onnx.train;

import io.emtal.onnx.adapt.Adaptation;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.LinearLayer;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The part of a backbone that training never changes, cut off at one value: the last one that does not depend on
 * anything trained and that every path from the input to the output leads through. Its rows can be computed once.
 */
final class FrozenPrefix {

    private final Graph graph;
    private final Backbone rest;

    private FrozenPrefix(Graph graph, Backbone rest) {
        this.graph = graph;
        this.rest = rest;
    }

    /**
     * Cuts a backbone.
     *
     * @param backbone the backbone
     * @param adaptation its adaptation
     * @return empty where no value cuts the backbone into frozen blocks and the rest. What is frozen below the first
     *     block is no prefix: it costs little to compute again, and would take as much memory as the rows themselves
     */
    static Optional<FrozenPrefix> of(Backbone backbone, Adaptation adaptation) {
        Graph graph = backbone.graph();
        Set<String> changed = changed(backbone, adaptation);
        Map<String, Value> dominators = dominators(graph);
        for (Value cut = graph.outputs().get(0); cut != null; cut = dominators.get(cut.name())) {
            if (!changed.contains(cut.name()) && hasRows(cut)) {
                Graph below = between(graph, backbone.input(), cut);
                Optional<Graph> prefix = rows(below, cut);
                if (prefix.isPresent() && hasLayer(below, backbone)) {
                    Graph above = between(graph, cut, graph.outputs().get(0));
                    return Optional.of(new FrozenPrefix(prefix.get(), new Backbone(above, backbone.blocks(),
                            backbone.frozen())));
                }
            }
        }
        return Optional.empty();
    }

    /** What lies behind the cut, with the cut as its input: the same blocks, of which the lower layers are missing. */
    Backbone rest() {
        return rest;
    }

    /**
     * Computes what the rest is trained on.
     *
     * @param rows rows for the whole backbone
     * @param threads how many compute together
     * @param memory how many bytes may lie in memory; a file holds what takes more
     */
    CachedRows compute(Examples rows, int threads, int memory) {
        try (Evaluator evaluator = new Evaluator(graph, rows, threads)) {
            return CachedRows.of(rows, evaluator, memory);
        }
    }

    /** The names of all values that a training changes. */
    private static Set<String> changed(Backbone backbone, Adaptation adaptation) {
        Set<String> changed = new HashSet<>(adaptation.rearranged().keySet());
        adaptation.parameters().stream().map(Parameter::name).forEach(changed::add);
        Set<String> trained = new HashSet<>();
        backbone.layers().filter(adaptation::trains).forEach(layer -> {
            trained.add(layer.product());
            trained.add(layer.result());
        });
        for (Node node : backbone.graph().nodes()) {
            if (node.inputs().stream().anyMatch(v -> v != null && changed.contains(v.name()))
                    || node.outputs().stream().anyMatch(v -> trained.contains(v.name()))) {
                node.outputs().forEach(v -> changed.add(v.name()));
            }
        }
        return changed;
    }

    /**
     * The immediate dominators of the values that depend on the input: the last value before each that every path from
     * the input leads through. The input itself has none. In a graph without cycles one look at every node is enough.
     */
    private static Map<String, Value> dominators(Graph graph) {
        Value input = graph.inputs().get(0);
        Map<String, Value> dominators = new HashMap<>();
        Map<String, Integer> depths = new HashMap<>(Map.of(input.name(), 0));
        for (Node node : graph.nodes()) {
            node.inputs().stream().filter(v -> v != null && depths.containsKey(v.name())).reduce((a, b) -> {
                while (!a.name().equals(b.name())) {
                    if (depths.get(a.name()) >= depths.get(b.name())) {
                        a = dominators.get(a.name());
                    } else {
                        b = dominators.get(b.name());
                    }
                }
                return a;
            }).ifPresent(common -> node.outputs().forEach(v -> {
                dominators.put(v.name(), common);
                depths.put(v.name(), depths.get(common.name()) + 1);
            }));
        }
        return dominators;
    }

    /** Whether a value may hold one row an example. */
    private static boolean hasRows(Value value) {
        return value.type() == ElementType.FLOAT && value.rank() >= 2 && value.extent(0) == Shape.BATCH
                && value.shape().with(0, 1).isStatic();
    }

    /** The nodes that compute one value from another. */
    private static Graph between(Graph graph, Value from, Value to) {
        Set<String> needed = new HashSet<>(Set.of(to.name()));
        List<Node> kept = new ArrayList<>();
        for (int i = graph.nodes().size() - 1; i >= 0; i--) {
            Node node = graph.nodes().get(i);
            if (node.outputs().stream().anyMatch(v -> needed.contains(v.name()) && !v.name().equals(from.name()))) {
                kept.add(node);
                node.inputs().stream().filter(Objects::nonNull).forEach(v -> needed.add(v.name()));
            }
        }
        Collections.reverse(kept);
        Map<String, Tensor> initializers = new LinkedHashMap<>(graph.initializers());
        initializers.keySet().retainAll(needed);
        return new Graph(List.of(from), List.of(to), initializers, kept);
    }

    /** A prefix for a fixed number of rows, [rows, width]; empty if the cut has another number, such as one a token. */
    private static Optional<Graph> rows(Graph prefix, Value cut) {
        int rows = RowsAtATime.forward(prefix);
        GraphBuilder builder = new GraphBuilder();
        Value open = prefix.inputs().get(0);
        Value input = builder.input(open.name(), open.type(), open.shape().withBatch(rows).extents());
        Value found = builder.inline(prefix, Map.of(open.name(), input), GraphBuilder.Replacement.NONE).apply(cut);
        if (!found.shape().equals(cut.shape().withBatch(rows))) {
            return Optional.empty();
        }
        builder.output(builder.reshape(found, rows, -1));
        return Optional.of(builder.build());
    }

    private static boolean hasLayer(Graph graph, Backbone backbone) {
        Set<String> results = backbone.layers().map(LinearLayer::result).collect(Collectors.toSet());
        return graph.nodes().stream().flatMap(n -> n.outputs().stream()).anyMatch(v -> results.contains(v.name()));
    }
}

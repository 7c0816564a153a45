package io.emtal.onnx.graph;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

import io.emtal.onnx.EmtalException;

/**
 * A graph: nodes in topological order, with inputs, outputs and constant initialisers. Made by a
 * {@link GraphBuilder}, written and read by {@link OnnxFile}.
 *
 * @param inputs what the caller feeds
 * @param outputs what the caller gets
 * @param initializers constants by name
 * @param nodes the operators, every one after those that it depends on
 */
public record Graph(List<Value> inputs, List<Value> outputs, Map<String, Tensor> initializers, List<Node> nodes) {

    /** Makes the graph immutable, keeping the order of the initialisers. */
    public Graph {
        inputs = List.copyOf(inputs);
        outputs = List.copyOf(outputs);
        initializers = Collections.unmodifiableMap(new LinkedHashMap<>(initializers));
        nodes = List.copyOf(nodes);
    }

    /**
     * This graph with other constants.
     *
     * @param changed new initialisers by name; each must exist, with the same type and shape
     * @return the new graph
     */
    public Graph withInitializers(Map<String, Tensor> changed) {
        Map<String, Tensor> all = new LinkedHashMap<>(initializers);
        changed.forEach((name, tensor) -> {
            Tensor old = all.put(name, tensor);
            EmtalException.check(old != null && old.shape().equals(tensor.shape())
                            && old.type() == tensor.type(), "initialiser '%s': found a new value %s, allowed is %s",
                    name, tensor, old == null ? "no initialiser of that name" : old);
        });
        return new Graph(inputs, outputs, all, nodes);
    }

    /**
     * This graph under other names.
     *
     * @param prefix what the names of all values and nodes begin with
     * @return the new graph
     */
    public Graph prefixed(String prefix) {
        Map<String, Tensor> renamed = new LinkedHashMap<>();
        initializers.forEach((name, tensor) -> renamed.put(prefix + name, tensor));
        return new Graph(prefixed(prefix, inputs), prefixed(prefix, outputs), renamed, nodes.stream()
                .map(node -> new Node(node.domain(), node.op(), prefix + node.name(), prefixed(prefix, node.inputs()),
                        prefixed(prefix, node.outputs()), node.attributes())).toList());
    }

    private static List<Value> prefixed(String prefix, List<Value> values) {
        List<Value> prefixed = new ArrayList<>();
        for (Value value : values) {
            prefixed.add(value == null ? null : new Value(prefix + value.name(), value.type(), value.shape()));
        }
        return prefixed;
    }

    /**
     * The number of elements in all floating-point initialisers: what is usually called the number of parameters.
     *
     * @return the count
     */
    public long parameterCount() {
        return initializers.values().stream().filter(t -> t.type() == ElementType.FLOAT)
                .mapToLong(t -> t.shape().size()).sum();
    }
}

package io.emtal.onnx.autodiff;

import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;

/**
 * Several operators that count as one on the way back, because their common derivative needs fewer passes over memory
 * than their single ones. The one that stands for them has a backward rule like any operator; it is never written into
 * a graph.
 */
interface Pattern {

    /** The patterns that are looked for. */
    List<Pattern> ALL = List.of(new ErfGelu(), new NormalRows(), new UpdatedProduct());

    /**
     * Finds the pattern that ends in a node.
     *
     * @param last the node
     * @param path the nodes around it
     * @return what was found; empty if the node does not end the pattern
     */
    Optional<Found> endingAt(Node last, Path path);

    /**
     * A pattern that was found.
     *
     * @param fused stands for the pattern: same outputs as its last node
     * @param inner the pattern's nodes without the last one
     */
    record Found(Node fused, List<Node> inner) {
    }

    /**
     * Replaces every pattern among the nodes of a path.
     *
     * @param constants the tensors of the values that are constant
     * @param nodes the path in topological order
     * @param wanted names of values that must stay visible
     * @return the path with one node for each pattern
     */
    static List<Node> fuse(Function<Value, Tensor> constants, List<Node> nodes, Set<String> wanted) {
        Path path = new Path(constants, nodes, wanted);
        Map<Node, Node> fused = new HashMap<>();
        Set<Node> gone = new HashSet<>();
        for (Node node : nodes) {
            ALL.stream().map(p -> p.endingAt(node, path)).flatMap(Optional::stream).findFirst().ifPresent(found -> {
                gone.addAll(found.inner());
                fused.put(node, found.fused());
            });
        }
        List<Node> result = new ArrayList<>();
        nodes.stream().filter(n -> !gone.contains(n)).forEach(n -> result.add(fused.getOrDefault(n, n)));
        return result;
    }

    /** Where the operands of a path's nodes come from and how often they are used there. */
    final class Path {

        private final Function<Value, Tensor> constants;
        private final Map<String, Node> producers = new HashMap<>();
        private final Map<String, Integer> uses = new HashMap<>();

        Path(Function<Value, Tensor> constants, List<Node> nodes, Set<String> wanted) {
            this.constants = value -> wanted.contains(value.name()) ? null : constants.apply(value);
            for (Node node : nodes) {
                node.outputs().forEach(v -> producers.put(v.name(), node));
                node.inputs().stream().filter(Objects::nonNull).forEach(v -> uses.merge(v.name(), 1, Integer::sum));
            }
            // More than any pattern has.
            wanted.forEach(name -> uses.put(name, Integer.MAX_VALUE));
        }

        /** The node that makes a value, if it is of an operator. */
        Optional<Node> producer(String op, Value value) {
            return Optional.ofNullable(value).map(v -> producers.get(v.name())).filter(node -> node.op().equals(op));
        }

        /** The node that makes a value, if it is of an operator and its output is used so many times. */
        Optional<Node> producer(String op, Value value, int count) {
            return producer(op, value).filter(node -> uses.getOrDefault(value.name(), 0) == count);
        }

        /**
         * The nodes that make a value one after the other, the last first: each of its operator, used once, and fed
         * with the next one's output as its first input.
         */
        Optional<List<Node>> chain(Value value, String... ops) {
            List<Node> chain = new ArrayList<>();
            Value next = value;
            for (String op : ops) {
                Optional<Node> node = producer(op, next, 1);
                if (node.isEmpty()) {
                    return Optional.empty();
                }
                chain.add(node.get());
                next = node.get().input(0);
            }
            return Optional.of(chain);
        }

        /** Whether a value is a constant with one element that is nearly equal to a number. */
        boolean is(Value value, double expected) {
            return Math.abs(number(value) - expected) < 1e-6;
        }

        /** Whether a value is a constant, and none that is wanted. */
        boolean isConstant(Value value) {
            return constants.apply(value) != null;
        }

        /** The element of a constant with one floating-point element; not a number for anything else. */
        double number(Value value) {
            Tensor constant = value == null ? null : constants.apply(value);
            boolean real = constant != null && constant.shape().size() == 1
                    && (constant.type() == ElementType.FLOAT || constant.type() == ElementType.DOUBLE);
            return real ? constant.real(0) : Double.NaN;
        }
    }
}

package io.emtal.onnx.autodiff;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;

/** Reverse-mode differentiation: writes the gradients of a loss into the graph that computes the loss. */
public final class Gradients {

    private Gradients() {
    }

    /**
     * Writes the gradients of a loss. Only nodes between the given values and the loss are visited.
     *
     * @param b the builder that holds the loss; takes the backward part
     * @param loss one element, of any rank
     * @param wrt the values to differentiate by: inputs, initialisers or computed values, with fixed shapes
     * @return the gradients in the order of {@code wrt}, each of its value's type and shape; the same value may stand
     *     for two of them
     * @throws EmtalException naming every value of {@code wrt} that the loss does not depend on, every node on the
     *     way whose operator has no backward rule, or a value whose shape is open
     */
    public static List<Value> of(GraphBuilder b, Value loss, List<Value> wrt) {
        EmtalException.check(loss.shape().isStatic() && loss.shape().size() == 1,
                "loss '%s': found shape %s, allowed is one element", loss.name(), loss.shape());
        List<Node> forward = b.nodes();
        Set<String> dependent = dependent(forward, wrt);
        List<Node> path = Pattern.fuse(b::tensorOf, path(forward, loss, dependent), names(loss, wrt));
        checkRules(path);

        Map<String, List<Node>> users = new HashMap<>();
        for (Node node : path) {
            node.inputs().stream().filter(Objects::nonNull).distinct()
                    .forEach(v -> users.computeIfAbsent(v.name(), n -> new ArrayList<>()).add(node));
        }
        GradientSums sums = new GradientSums(b, dependent, users);
        sums.add(loss, b.constant(Tensor.filled(loss.type(), loss.shape(), 1)));
        for (int i = path.size() - 1; i >= 0; i--) {
            Node node = path.get(i);
            if (node.outputs().stream().anyMatch(v -> sums.total(v) != null)) {
                BackwardRules.of(node).orElseThrow().backward(new BackwardStep(b, node, sums));
            }
        }

        List<String> unreached = wrt.stream().filter(v -> sums.total(v) == null)
                .map(v -> "'" + v.name() + "'").toList();
        EmtalException.check(unreached.isEmpty(), "loss '%s': does not depend on %s; allowed are values that it depends"
                + " on", loss.name(), String.join(", ", unreached));
        return wrt.stream().map(v -> sums.spelledOut(sums.total(v), v.shape())).toList();
    }

    private static Set<String> names(Value loss, List<Value> wrt) {
        Set<String> names = new HashSet<>(Set.of(loss.name()));
        wrt.forEach(v -> names.add(v.name()));
        return names;
    }

    /** The names of the floating-point values that depend on {@code wrt}, itself included. */
    private static Set<String> dependent(List<Node> forward, List<Value> wrt) {
        Set<String> dependent = new HashSet<>();
        wrt.forEach(v -> dependent.add(v.name()));
        for (Node node : forward) {
            if (node.inputs().stream().anyMatch(v -> v != null && dependent.contains(v.name()))) {
                node.outputs().stream().filter(v -> isReal(v.type())).forEach(v -> dependent.add(v.name()));
            }
        }
        return dependent;
    }

    private static boolean isReal(ElementType type) {
        return type == ElementType.FLOAT || type == ElementType.DOUBLE;
    }

    /** The nodes that compute the loss from dependent values, in topological order. */
    private static List<Node> path(List<Node> forward, Value loss, Set<String> dependent) {
        Set<String> reaching = new HashSet<>(Set.of(loss.name()));
        List<Node> path = new ArrayList<>();
        for (int i = forward.size() - 1; i >= 0; i--) {
            Node node = forward.get(i);
            boolean reaches = node.outputs().stream().anyMatch(v -> reaching.contains(v.name()) && isReal(v.type()));
            if (reaches && node.inputs().stream().anyMatch(v -> v != null && dependent.contains(v.name()))) {
                path.add(node);
                node.inputs().stream().filter(v -> v != null && dependent.contains(v.name()))
                        .forEach(v -> reaching.add(v.name()));
            }
        }
        Collections.reverse(path);
        return path;
    }

    private static void checkRules(List<Node> path) {
        List<String> refusals = new ArrayList<>();
        for (Node node : path) {
            Optional<BackwardRule> rule = BackwardRules.of(node);
            if (rule.isEmpty()) {
                refusals.add("node '" + node.name() + "': operator " + node.qualifiedOp());
            } else {
                rule.get().refusal(node).ifPresent(r -> refusals.add("node '" + node.name() + "': " + r));
            }
            node.outputs().stream().map(Value::shape).filter(s -> !s.isStatic()).findFirst()
                    .ifPresent(s -> refusals.add("node '" + node.name() + "': open shape " + s));
        }
        EmtalException.check(refusals.isEmpty(), "no gradient: %s; allowed are fixed shapes and the operators %s",
                String.join("; ", refusals), String.join(" ", BackwardRules.operators()));
    }
}

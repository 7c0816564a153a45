package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.EmtalException;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The order in which the nodes of a graph can be computed. */
final class NodeOrder {

    private static final int LONGEST_CYCLE = 8;

    private enum State {
        NEW, OPEN, DONE
    }

    private final List<OnnxMl.NodeProto> nodes;
    private final Map<String, Integer> makers = new HashMap<>();
    private final State[] states;
    private final int[] nextInput;
    private final List<Integer> order = new ArrayList<>();

    private NodeOrder(List<OnnxMl.NodeProto> nodes) {
        this.nodes = nodes;
        this.states = new State[nodes.size()];
        this.nextInput = new int[nodes.size()];
        for (int i = 0; i < nodes.size(); i++) {
            states[i] = State.NEW;
            for (String output : nodes.get(i).getOutputList()) {
                makers.put(output, i);
            }
        }
        makers.remove("");
    }

    /**
     * Sorts nodes so that each stands after those that it depends on. Nodes that are sorted already stay as they are.
     *
     * @param nodes the nodes, of which no two make the same value
     * @return their indices in that order
     * @throws EmtalException if nodes depend on themselves; it names them
     */
    static List<Integer> of(List<OnnxMl.NodeProto> nodes) {
        NodeOrder sorted = new NodeOrder(nodes);
        for (int i = 0; i < nodes.size(); i++) {
            sorted.visit(i);
        }
        return sorted.order;
    }

    /** Depth first, on a stack of its own: a graph may be as deep as it has nodes. */
    private void visit(int root) {
        if (states[root] != State.NEW) {
            return;
        }
        List<Integer> path = new ArrayList<>();
        open(root, path);
        while (!path.isEmpty()) {
            int node = path.get(path.size() - 1);
            if (nextInput[node] == nodes.get(node).getInputCount()) {
                states[node] = State.DONE;
                order.add(node);
                path.remove(path.size() - 1);
                continue;
            }
            Integer maker = makers.get(nodes.get(node).getInput(nextInput[node]++));
            if (maker != null && states[maker] == State.OPEN) {
                throw cycle(path.subList(path.indexOf(maker), path.size()));
            } else if (maker != null && states[maker] == State.NEW) {
                open(maker, path);
            }
        }
    }

    private void open(int node, List<Integer> path) {
        states[node] = State.OPEN;
        path.add(node);
    }

    private EmtalException cycle(List<Integer> path) {
        List<String> labels = path.stream().limit(LONGEST_CYCLE).map(i -> NodeLabel.of(i, nodes.get(i))).toList();
        return new EmtalException("found a cycle of " + path.size() + " nodes, each of which needs the next: "
                + String.join(", ", labels) + (path.size() > labels.size() ? ", …" : ""));
    }
}

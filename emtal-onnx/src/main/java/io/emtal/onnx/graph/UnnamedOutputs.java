package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;

import java.util.HashSet;
import java.util.Set;

/** Names for outputs that ONNX Runtime makes whether or not a model gives them one. */
final class UnnamedOutputs {

    private UnnamedOutputs() {
    }

    static ModelProto named(ModelProto model) {
        if (model.getGraph().getNodeList().stream().noneMatch(UnnamedOutputs::isUnnamed)) {
            return model;
        }
        ModelProto.Builder named = model.toBuilder();
        GraphProto.Builder graph = named.getGraphBuilder();
        Set<String> taken = new HashSet<>();
        graph.getInputList().forEach(input -> taken.add(input.getName()));
        graph.getInitializerList().forEach(tensor -> taken.add(tensor.getName()));
        graph.getNodeList().forEach(node -> taken.addAll(node.getOutputList()));
        for (int i = 0; i < graph.getNodeCount(); i++) {
            if (isUnnamed(graph.getNode(i))) {
                name(graph.getNodeBuilder(i), taken);
            }
        }
        return named.build();
    }

    private static boolean isUnnamed(NodeProto node) {
        return node.getOpType().equals("Split") && node.getOutputList().contains("");
    }

    private static void name(NodeProto.Builder split, Set<String> taken) {
        for (int i = 0; i < split.getOutputCount(); i++) {
            if (split.getOutput(i).isEmpty()) {
                String name = "unread";
                for (int k = 2; !taken.add(name); k++) {
                    name = "unread_" + k;
                }
                split.setOutput(i, name);
            }
        }
    }
}

package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.Quoted;

/** How messages name a node of a file: by its name or, where it has none, by what it makes. */
final class NodeLabel {

    private NodeLabel() {
    }

    static String of(int index, OnnxMl.NodeProto node) {
        String op = qualifiedOp(node);
        if (!node.getName().isEmpty()) {
            return "node " + Quoted.of(node.getName()) + " (" + op + ")";
        }
        return "node " + index + " (" + op + (node.getOutputCount() > 0 ? ") of output " + Quoted.of(node.getOutput(0))
                : ")");
    }

    /** The operator with its domain, on one line; the standard domain has two names. */
    static String qualifiedOp(OnnxMl.NodeProto node) {
        String op = domain(node.getDomain()).isEmpty() ? node.getOpType() : node.getDomain() + "." + node.getOpType();
        String quoted = Quoted.of(op);
        return quoted.substring(1, quoted.length() - 1);
    }

    static String domain(String domain) {
        return domain.equals("ai.onnx") ? "" : domain;
    }
}

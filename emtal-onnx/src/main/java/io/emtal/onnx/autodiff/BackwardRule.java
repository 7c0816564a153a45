package io.emtal.onnx.autodiff;

import io.emtal.onnx.graph.Node;

import java.util.Optional;

/** How the gradients of an operator's inputs follow from the gradients of its outputs. */
@FunctionalInterface
public interface BackwardRule {

    /**
     * Writes the gradients of the inputs that need one.
     *
     * @param step the node, its outputs' gradients, and where the inputs' gradients go
     */
    void backward(BackwardStep step);

    /**
     * Why a node of this operator has no gradient here, such as attributes that the rule does not cover.
     *
     * @param node a node of the rule's operator
     * @return what was found and what is allowed; empty if the rule covers the node
     */
    default Optional<String> refusal(Node node) {
        return Optional.empty();
    }
}

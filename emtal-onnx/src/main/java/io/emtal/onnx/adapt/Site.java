package io.emtal.onnx.adapt;

import io.emtal.onnx.backbone.LinearLayer;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Value;

/** Where an adaptation writes its forward computation. */
public interface Site {

    /**
     * The graph that is being written.
     *
     * @return its builder
     */
    GraphBuilder graph();

    /**
     * A trainable parameter.
     *
     * @param name its name
     * @return its value
     */
    Value parameter(String name);

    /**
     * The layer as the backbone has it.
     *
     * @param layer the layer
     * @param input its input [B, N, in]
     * @return x·W + b, [B, N, out]
     */
    Value dense(LinearLayer layer, Value input);

    /**
     * The layer as the backbone has it, its weight updated.
     *
     * @param layer the layer
     * @param input its input [B, N, in]
     * @param update U, [in, out]
     * @return x·(W + U) + b, [B, N, out]
     */
    default Value dense(LinearLayer layer, Value input, Value update) {
        return graph().add(dense(layer, input), graph().matMul(input, update));
    }

    /**
     * The fade as a scalar, or {@code null} in a graph that is only for a = 1.
     *
     * @return a value of shape [], or {@code null}
     */
    Value fade();

    /**
     * Makes a value visible to listeners.
     *
     * @param name what it is, for instance {@code gate.block2}
     * @param value a vector, averaged over the micro-batches
     */
    void report(String name, Value value);

    /**
     * Adds a term to the loss: the mean over the rows of the batch, however it is cut into micro-batches.
     *
     * @param perRow one number a row, weighted as it shall count [B]
     */
    void loss(Value perRow);
}

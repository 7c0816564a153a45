package io.emtal.onnx.train;

import java.util.Map;

/**
 * How many parameters a training had.
 *
 * @param trainable trained elements by part: {@code lora}, {@code router}, {@code head}, {@code backbone}, …
 * @param backbone elements of the dense backbone
 * @param heads elements of the heads
 */
public record ParameterReport(Map<String, Long> trainable, long backbone, long heads) {

    /**
     * All trained elements.
     *
     * @return the sum over the parts
     */
    public long trainableTotal() {
        return trainable.values().stream().mapToLong(Long::longValue).sum();
    }

    /**
     * The size of the predictor.
     *
     * @return backbone and heads
     */
    public long deployed() {
        return backbone + heads;
    }
}

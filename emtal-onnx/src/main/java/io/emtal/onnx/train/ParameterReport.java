package io.emtal.onnx.train;

import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * How many parameters a training had.
 *
 * @param trainable trained elements by part: {@code lora}, {@code router}, {@code head}, {@code backbone}, …
 * @param backbone elements of the dense backbone
 * @param heads elements of the heads
 */
public record ParameterReport(Map<String, Long> trainable, long backbone, long heads) {

    /**
     * Counts several networks as one.
     *
     * @param reports what each of them had
     * @return what all have together
     */
    public static ParameterReport sum(List<ParameterReport> reports) {
        Map<String, Long> trainable = new TreeMap<>();
        reports.forEach(report -> report.trainable.forEach((part, count) -> trainable.merge(part, count, Long::sum)));
        return new ParameterReport(trainable, reports.stream().mapToLong(ParameterReport::backbone).sum(),
                reports.stream().mapToLong(ParameterReport::heads).sum());
    }

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

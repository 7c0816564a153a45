package io.emtal.onnx.graph;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * One operator of a graph with what flows in and out.
 *
 * @param domain the operator's domain: empty for standard ONNX, {@link #CONTRIB} for ONNX Runtime's own operators
 * @param op the operator's type, such as {@code MatMul}
 * @param name the node's name, for messages
 * @param inputs the inputs in order; {@code null} where an optional input is left out
 * @param outputs the outputs in order
 * @param attributes attribute values by name: {@code Long}, {@code Float}, {@code String}, {@code List<Long>},
 *     {@code List<Float>} or {@link Tensor}
 */
public record Node(String domain, String op, String name, List<Value> inputs, List<Value> outputs,
                   Map<String, Object> attributes) {

    /** The domain of ONNX Runtime's own operators. */
    public static final String CONTRIB = "com.microsoft";

    /** Makes the node immutable. */
    public Node {
        inputs = Collections.unmodifiableList(new ArrayList<>(inputs));
        outputs = List.copyOf(outputs);
        attributes = Map.copyOf(attributes);
    }

    /**
     * An input.
     *
     * @param i its position
     * @return the value; {@code null} where it is left out
     */
    public Value input(int i) {
        return i < inputs.size() ? inputs.get(i) : null;
    }

    /**
     * The first output.
     *
     * @return the value
     */
    public Value output() {
        return outputs.get(0);
    }

    /**
     * An integer attribute.
     *
     * @param attribute its name
     * @param otherwise the value where it is absent
     * @return the value
     */
    public long integer(String attribute, long otherwise) {
        return (Long) attributes.getOrDefault(attribute, otherwise);
    }

    /**
     * A floating-point attribute.
     *
     * @param attribute its name
     * @param otherwise the value where it is absent
     * @return the value
     */
    public float real(String attribute, float otherwise) {
        return (Float) attributes.getOrDefault(attribute, otherwise);
    }

    /**
     * A list of integers.
     *
     * @param attribute its name
     * @return the values; empty where the attribute is absent
     */
    public Optional<long[]> integers(String attribute) {
        List<?> list = (List<?>) attributes.get(attribute);
        return Optional.ofNullable(list).map(l -> l.stream().mapToLong(e -> (Long) e).toArray());
    }

    /**
     * The operator with its domain, as messages write it.
     *
     * @return for instance {@code MatMul} or {@code com.microsoft.FusedMatMul}
     */
    public String qualifiedOp() {
        return domain.isEmpty() ? op : domain + "." + op;
    }
}

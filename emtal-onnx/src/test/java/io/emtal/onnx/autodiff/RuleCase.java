package io.emtal.onnx.autodiff;

import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Value;

import java.util.List;
import java.util.Map;
import java.util.function.BiFunction;

/**
 * One use of an operator whose backward rule is checked: attributes, operands, and the element types that ONNX
 * Runtime's CPU build computes it in.
 *
 * @param op the operator with its domain, as {@link Node#qualifiedOp} writes it
 * @param variant what is special about this case; may be empty
 * @param types the element types to check with
 * @param operands the differentiable operands
 * @param forward writes the outputs from the operands; the gradients of all of them are checked together
 */
record RuleCase(String op, String variant, List<ElementType> types, List<Operand> operands,
                BiFunction<GraphBuilder, Value[], List<Value>> forward) {

    static final List<ElementType> BOTH = List.of(ElementType.DOUBLE, ElementType.FLOAT);
    static final List<ElementType> FLOAT = List.of(ElementType.FLOAT);

    /**
     * A differentiable operand, drawn at random.
     *
     * @param shape its shape
     * @param low the smallest element
     * @param high the largest element
     * @param kinks where the operator has no derivative; elements keep away from them
     */
    record Operand(Shape shape, double low, double high, double... kinks) {

        static Operand of(long... extents) {
            return new Operand(Shape.of(extents), -2, 2);
        }

        static Operand positive(long... extents) {
            return new Operand(Shape.of(extents), 0.5, 2.5);
        }

        Operand awayFrom(double... points) {
            return new Operand(shape, low, high, points);
        }
    }

    /** A case of an operator with one output, fed with its operands in their order. */
    static RuleCase of(String op, String variant, List<ElementType> types, Map<String, Object> attributes,
                       Operand... operands) {
        return with(op, variant, types, (b, in) -> List.of(node(b, op, attributes, 1, in).get(0)), operands);
    }

    static RuleCase with(String op, String variant, List<ElementType> types,
                         BiFunction<GraphBuilder, Value[], List<Value>> forward, Operand... operands) {
        return new RuleCase(op, variant, types, List.of(operands), forward);
    }

    static List<Value> node(GraphBuilder b, String op, Map<String, Object> attributes, int outputs, Value... in) {
        boolean contrib = op.startsWith(Node.CONTRIB);
        return b.add(contrib ? Node.CONTRIB : "", contrib ? op.substring(Node.CONTRIB.length() + 1) : op, attributes,
                outputs, in);
    }

    @Override
    public String toString() {
        return variant.isEmpty() ? op : op + ", " + variant;
    }
}

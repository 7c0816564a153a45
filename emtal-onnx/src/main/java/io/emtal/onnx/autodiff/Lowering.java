package io.emtal.onnx.autodiff;

import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Value;

import java.util.function.Function;

/**
 * Writes operators of a network in the form that is fastest forward and backward together. For graphs that are trained;
 * what is exported keeps its operators.
 *
 * <p>Layer normalisation is written as its parts: ONNX Runtime's kernel on CPUs takes two to three times as long, and
 * the way back needs the parts.
 *
 * @param builder takes the nodes
 */
public record Lowering(GraphBuilder builder) implements GraphBuilder.Replacement {

    @Override
    public Value replace(Node node, Function<Value, Value> lookUp) {
        boolean last = node.op().equals("LayerNormalization") && node.outputs().size() == 1
                && node.input(0).shape().axis((int) node.integer("axis", -1)) == node.input(0).rank() - 1;
        return last ? layerNorm(lookUp.apply(node.input(0)), lookUp.apply(node.input(1)), lookUp.apply(node.input(2)),
                node.real("epsilon", 1e-5f)) : null;
    }

    private Value layerNorm(Value x, Value scale, Value bias, double epsilon) {
        Value scaled = builder.mul(NormalRows.write(builder, x, epsilon).units(), builder.mul(scale, Math.sqrt(x.extent(-1))));
        return bias == null ? scaled : builder.add(scaled, bias);
    }
}

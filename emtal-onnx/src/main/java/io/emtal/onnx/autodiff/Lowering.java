package io.emtal.onnx.autodiff;

import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Value;

import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Writes a network in the form that is fastest forward and backward together, while its graph is copied into a graph
 * that trains. What is exported keeps its operators.
 *
 * <p>Layer normalisation, one operator or spelled out as older operator sets do it, is written as a mean, a sum of
 * squares and products: ONNX Runtime's kernel on CPUs takes two to three times as long, and the way back needs the
 * parts.
 */
public final class Lowering implements GraphBuilder.Replacement {

    private final GraphBuilder builder;
    private final Pattern.Path path;

    /**
     * Prepares to copy a graph.
     *
     * @param builder takes the copy
     * @param graph the graph
     */
    public Lowering(GraphBuilder builder, Graph graph) {
        this.builder = builder;
        Set<String> outputs = graph.outputs().stream().map(Value::name).collect(Collectors.toSet());
        this.path = new Pattern.Path(v -> graph.initializers().get(v.name()), graph.nodes(), outputs);
    }

    @Override
    public Value replace(Node node, Function<Value, Value> lookUp) {
        if (node.op().equals("LayerNormalization")) {
            boolean covered = node.outputs().size() == 1
                    && node.input(0).shape().axis((int) node.integer("axis", -1)) == node.input(0).rank() - 1;
            return covered ? layerNorm(lookUp, node) : null;
        }
        Optional<Found> found = node.op().equals("Mul") ? spelledOut(node, 0).or(() -> spelledOut(node, 1))
                : Optional.empty();
        return found.map(f -> scaled(lookUp.apply(f.x), f.epsilon, lookUp.apply(f.scale))).orElse(null);
    }

    private Value layerNorm(Function<Value, Value> lookUp, Node node) {
        Value scaled = scaled(lookUp.apply(node.input(0)), node.real("epsilon", 1e-5f), lookUp.apply(node.input(1)));
        Value bias = lookUp.apply(node.input(2));
        return bias == null ? scaled : builder.add(scaled, bias);
    }

    private Value scaled(Value x, double epsilon, Value scale) {
        return builder.mul(NormalRows.write(builder, x, epsilon).units(), builder.mul(scale, Math.sqrt(x.extent(-1))));
    }

    private record Found(Value x, double epsilon, Value scale) {
    }

    /** (c / √(mean(c²) + ε)) · scale with c = x − mean(x), over the last axis; c² is a power or a product. */
    private Optional<Found> spelledOut(Node product, int i) {
        return path.producer("Div", product.input(i), 1).flatMap(div -> {
            Value centred = div.input(0);
            Optional<Node> sub = path.producer("Sub", centred).filter(this::centres);
            return sub.flatMap(s -> path.chain(div.input(1), "Sqrt", "Add", "ReduceMean")
                    .filter(root -> path.number(root.get(1).input(1)) >= 0)
                    .filter(root -> NormalRows.isLastAxis(root.get(2)) && isSquare(root.get(2).input(0), centred))
                    .map(root -> new Found(s.input(0), path.number(root.get(1).input(1)), product.input(1 - i))));
        });
    }

    private boolean isSquare(Value squares, Value of) {
        return path.producer("Pow", squares, 1).filter(p -> p.input(0).equals(of) && path.is(p.input(1), 2))
                .or(() -> path.producer("Mul", squares, 1).filter(m -> m.input(0).equals(of) && m.input(1).equals(of)))
                .isPresent();
    }

    private boolean centres(Node sub) {
        return path.producer("ReduceMean", sub.input(1)).filter(NormalRows::isLastAxis)
                .filter(mean -> mean.input(0).equals(sub.input(0))).isPresent();
    }
}

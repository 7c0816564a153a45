package io.emtal.onnx.predict;

import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Writes linear layers and GELUs with the fewest passes over memory in ONNX Runtime's kernels for CPUs, while a graph
 * is copied.
 *
 * <p>A linear layer of tokens, x·W + b with x [batch, N, in], becomes a {@code Gemm} of their rows: behind a product of
 * more than two axes the bias would be added in a pass of its own. What scales and shifts its input, such as the affine
 * part of layer normalisation, goes into weight and bias, (γ ∘ u + β)·W + b = u·(diag(γ)·W) + (β·W + b), where nothing
 * but linear layers reads it. And a GELU that is written with x · √½ is written with x / √2, by which ONNX Runtime
 * knows it and computes it in one pass.
 */
final class LinearRows implements GraphBuilder.Replacement {

    private final GraphBuilder builder;
    private final Graph graph;
    private final Map<String, Node> producers = new HashMap<>();
    private final Map<String, List<Node>> readers = new HashMap<>();
    private final Set<String> outputs;
    private final Map<String, Layer> layers = new HashMap<>();

    /**
     * Prepares to copy a graph.
     *
     * @param builder takes the copy
     * @param graph the graph
     */
    LinearRows(GraphBuilder builder, Graph graph) {
        this.builder = builder;
        this.graph = graph;
        this.outputs = graph.outputs().stream().map(Value::name).collect(Collectors.toSet());
        for (Node node : graph.nodes()) {
            node.outputs().forEach(v -> producers.put(v.name(), node));
            node.inputs().stream().filter(Objects::nonNull)
                    .forEach(v -> readers.computeIfAbsent(v.name(), n -> new ArrayList<>()).add(node));
        }
        graph.nodes().stream().filter(this::isProduct).map(this::layer)
                .forEach(layer -> layers.put(layer.result.name(), layer));
    }

    @Override
    public Value replace(Node node, Function<Value, Value> lookUp) {
        Layer layer = layers.get(node.output().name());
        if (layer != null) {
            return write(layer, lookUp);
        }
        boolean scalesErf = node.op().equals("Mul") && isNearly(node.input(1), Math.sqrt(0.5))
                && onlyReader(node.output()).filter(reader -> reader.op().equals("Erf")).isPresent();
        return scalesErf
                ? builder.div(lookUp.apply(node.input(0)), builder.constant(Math.sqrt(2), node.input(0))) : null;
    }

    private boolean isNearly(Value value, double number) {
        Tensor tensor = graph.initializers().get(value.name());
        return tensor != null && tensor.type() == ElementType.FLOAT && tensor.shape().size() == 1
                && Math.abs(tensor.real(0) - number) < 1e-6;
    }

    // Linear layers.

    /**
     * x·W + b.
     *
     * @param x shape [..., in]
     * @param weight shape [in, out], an initialiser
     * @param bias shape [out], an initialiser; {@code null} for none
     * @param result shape [..., out]
     */
    private record Layer(Value x, Value weight, Value bias, Value result) {
    }

    /** Whether a node multiplies what depends on the input by a constant matrix. */
    private boolean isProduct(Node node) {
        if (!node.op().equals("MatMul") || node.input(0).rank() < 2) {
            return false;
        }
        Tensor weight = graph.initializers().get(node.input(1).name());
        boolean open = Arrays.stream(node.input(0).shape().extents()).filter(e -> e == Shape.BATCH).count() <= 1;
        return open && weight != null && weight.type() == ElementType.FLOAT && weight.shape().rank() == 2
                && !graph.initializers().containsKey(node.input(0).name());
    }

    private Layer layer(Node product) {
        Value made = product.output();
        Optional<Along> sum = onlyReader(made).flatMap(reader -> along(reader, "Add")).filter(a -> a.value.equals(made))
                .filter(a -> graph.initializers().containsKey(a.row.name()));
        return new Layer(product.input(0), product.input(1), sum.map(Along::row).orElse(null),
                sum.map(a -> a.node.output()).orElse(made));
    }

    private Optional<Node> onlyReader(Value value) {
        List<Node> all = readers.getOrDefault(value.name(), List.of());
        return all.size() == 1 && !outputs.contains(value.name()) ? Optional.of(all.get(0)) : Optional.empty();
    }

    private Value write(Layer layer, Function<Value, Value> lookUp) {
        Affine affine = affine(layer.x).orElse(null);
        if (affine == null && layer.bias == null) {
            return null;
        }
        Value x = lookUp.apply(affine == null ? layer.x : affine.inner);
        Tensor original = tensor(layer.weight);
        Value weight = affine == null ? lookUp.apply(layer.weight) : builder.constant(affine.scaled(original));
        Value bias = affine == null || affine.shift == null ? lookUp.apply(layer.bias)
                : builder.constant(affine.shifted(original, layer.bias == null ? null : tensor(layer.bias)));
        if (bias == null) {
            return builder.matMul(x, weight);
        }
        return x.rank() == 2 ? builder.gemm(x, weight, bias)
                : builder.reshape(builder.gemm(builder.reshape(x, -1, x.extent(-1)), weight, bias),
                        layer.result.shape().extents());
    }

    private Tensor tensor(Value value) {
        return graph.initializers().get(value.name());
    }

    // What scales and shifts.

    /**
     * x = scale ∘ inner + shift, along the last axis.
     *
     * @param inner of the same shape as x
     * @param scale its last extent's number of elements
     * @param shift as many; {@code null} for none
     */
    private record Affine(Value inner, float[] scale, float[] shift) {

        /** diag(scale)·W. */
        Tensor scaled(Tensor weight) {
            int out = (int) weight.shape().extent(1);
            float[] elements = weight.floats().clone();
            for (int i = 0; i < elements.length; i++) {
                elements[i] *= scale[i / out];
            }
            return Tensor.of(elements, scale.length, out);
        }

        /** shift·W + b. */
        Tensor shifted(Tensor weight, Tensor bias) {
            float[] elements = weight.floats();
            float[] row = new float[(int) weight.shape().extent(1)];
            for (int j = 0; j < row.length; j++) {
                double sum = bias == null ? 0 : bias.floats()[j];
                for (int i = 0; i < shift.length; i++) {
                    sum += (double) shift[i] * elements[i * row.length + j];
                }
                row[j] = (float) sum;
            }
            return Tensor.of(row, row.length);
        }
    }

    /** How a value is scaled and perhaps shifted by constants, if nothing but linear layers reads it. */
    private Optional<Affine> affine(Value x) {
        boolean apart = !outputs.contains(x.name()) && readers.get(x.name()).stream()
                .allMatch(reader -> isProduct(reader) && reader.input(0).equals(x));
        if (!apart) {
            return Optional.empty();
        }
        Optional<Along> sum = along(producers.get(x.name()), "Add").filter(s -> onlyReader(s.value).isPresent());
        Value scaled = sum.map(Along::value).orElse(x);
        return along(producers.get(scaled.name()), "Mul").map(product ->
                new Affine(product.value, elements(product.row).orElseThrow(),
                        sum.flatMap(s -> elements(s.row)).orElse(null)));
    }

    /**
     * A node with one constant operand along the last axis of the other.
     *
     * @param node the node
     * @param value the other operand, of the result's shape
     * @param row the constant operand
     */
    private record Along(Node node, Value value, Value row) {
    }

    private Optional<Along> along(Node node, String op) {
        for (int i = 0; node != null && node.op().equals(op) && i < 2; i++) {
            Value value = node.input(i);
            Value row = node.input(1 - i);
            if (row.rank() == 1 && value.shape().equals(node.output().shape()) && row.extent(0) == value.extent(-1)
                    && elements(row).isPresent()) {
                return Optional.of(new Along(node, value, row));
            }
        }
        return Optional.empty();
    }

    /** The elements of a constant, also of one that is multiplied by a constant number. */
    private Optional<float[]> elements(Value value) {
        Tensor tensor = graph.initializers().get(value.name());
        if (tensor != null) {
            return Optional.of(tensor).filter(t -> t.type() == ElementType.FLOAT).map(Tensor::floats);
        }
        Node product = producers.get(value.name());
        Tensor row = product == null || !product.op().equals("Mul") ? null : tensor(product.input(0));
        Tensor factor = row == null || row.type() != ElementType.FLOAT ? null : tensor(product.input(1));
        if (factor == null || factor.shape().size() != 1) {
            return Optional.empty();
        }
        float[] elements = row.floats().clone();
        for (int i = 0; i < elements.length; i++) {
            elements[i] *= (float) factor.real(0);
        }
        return Optional.of(elements);
    }
}

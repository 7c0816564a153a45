package io.emtal.onnx.backbone;

import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * All linear layers of a graph, x·W + b over the last axis: a {@code MatMul} or {@code FusedMatMul} and perhaps an
 * {@code Add}, or a {@code Gemm}. The weight is an initialiser, perhaps behind a {@code Transpose}.
 */
final class LinearLayers {

    /**
     * A linear layer whose place in a block is not known yet.
     *
     * @param product the node that multiplies
     * @param input x
     * @param weight the weight's name, [in, out], or [out, in] if transposed
     * @param transposed how the weight lies
     * @param in the input width
     * @param out the output width
     * @param bias the bias, whose last extent is the output width
     * @param result the value with the bias added
     */
    record Linear(Node product, Value input, String weight, boolean transposed, int in, int out, Optional<Value> bias,
                  Value result) {

        LinearLayer as(LinearLayer.Role role, int block) {
            return new LinearLayer(role, block, weight, bias.map(Value::name), transposed, in, out,
                    product.output().name(), result.name());
        }
    }

    private record Weight(String name, boolean transposed) {
    }

    private final GraphView view;
    private final List<Linear> all = new ArrayList<>();
    private final Map<String, Linear> byResult = new HashMap<>();
    private final Map<Node, Linear> byProduct = new HashMap<>();

    LinearLayers(GraphView view) {
        this.view = view;
        for (Node node : view.graph().nodes()) {
            linear(node).ifPresent(linear -> {
                all.add(linear);
                byResult.put(linear.result().name(), linear);
                byProduct.put(node, linear);
            });
        }
    }

    /** In the order of the computation. */
    List<Linear> all() {
        return all;
    }

    /** The layer whose result a value is. */
    Optional<Linear> giving(Value result) {
        return Optional.ofNullable(byResult.get(result.name()));
    }

    /** The layer whose product a node is. */
    Optional<Linear> at(Node product) {
        return Optional.ofNullable(byProduct.get(product));
    }

    /** The layer that a block has. */
    Linear of(LinearLayer layer) {
        return all.stream().filter(l -> l.product().output().name().equals(layer.product())).findFirst().orElseThrow();
    }

    private Optional<Linear> linear(Node node) {
        return switch (node.op()) {
            case "MatMul" -> product(node, false).map(this::withBias);
            case "FusedMatMul" -> node.integer("transA", 0) == 0 && node.real("alpha", 1) == 1
                    ? product(node, node.integer("transB", 0) == 1).map(this::withBias) : Optional.empty();
            case "Gemm" -> gemm(node);
            default -> Optional.empty();
        };
    }

    private Optional<Linear> gemm(Node node) {
        boolean plain = node.integer("transA", 0) == 0 && node.real("alpha", 1) == 1
                && (node.input(2) == null || node.real("beta", 1) == 1);
        Optional<Linear> product = plain ? product(node, node.integer("transB", 0) == 1) : Optional.empty();
        if (product.isEmpty() || node.input(2) == null) {
            return product;
        }
        return product.filter(p -> isBias(node.input(2), p)).map(p -> with(p, node.input(2), node.output()));
    }

    private Optional<Linear> product(Node node, boolean transposed) {
        if (!GraphView.isComputed(node.input(0))) {
            return Optional.empty();
        }
        return weight(node.input(1)).map(weight -> {
            Tensor tensor = view.graph().initializers().get(weight.name());
            boolean swapped = weight.transposed() != transposed;
            int rows = (int) tensor.shape().extent(0);
            int columns = (int) tensor.shape().extent(1);
            return new Linear(node, node.input(0), weight.name(), swapped, swapped ? columns : rows,
                    swapped ? rows : columns, Optional.empty(), node.output());
        });
    }

    private Optional<Weight> weight(Value value) {
        Optional<Tensor> constant = view.constant(value);
        if (constant.isPresent()) {
            return constant.filter(t -> t.type() == ElementType.FLOAT && t.shape().rank() == 2)
                    .map(t -> new Weight(value.name(), false));
        }
        return view.producer(value, "Identity").flatMap(node -> weight(node.input(0)))
                .or(() -> view.producer(value, "Transpose").filter(node -> value.rank() == 2)
                        .filter(node -> node.integers("perm").map(p -> p[0] == 1).orElse(true))
                        .flatMap(node -> weight(node.input(0))).map(w -> new Weight(w.name(), !w.transposed())));
    }

    /** Adds the bias if the only node that reads the product adds one. */
    private Linear withBias(Linear product) {
        List<Node> consumers = view.consumers(product.result());
        if (consumers.size() != 1 || !consumers.get(0).op().equals("Add")) {
            return product;
        }
        Node add = consumers.get(0);
        Value bias = add.input(0).equals(product.result()) ? add.input(1) : add.input(0);
        return isBias(bias, product) && add.output().shape().equals(product.result().shape())
                ? with(product, bias, add.output()) : product;
    }

    private boolean isBias(Value value, Linear product) {
        return view.constant(value).isPresent() && value.rank() > 0 && value.extent(-1) == product.out();
    }

    private static Linear with(Linear product, Value bias, Value result) {
        return new Linear(product.product(), product.input(), product.weight(), product.transposed(), product.in(),
                product.out(), Optional.of(bias), result);
    }
}

package io.emtal.onnx.adapt;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * The weights of a backbone as parameters: all floating-point initialisers of more than one element that the backbone
 * does not declare frozen; single numbers are constants of the computation, such as the attention's scale. Decay
 * applies to the factors of matrix products and to convolution kernels.
 */
final class BackboneWeights {

    private static final Set<String> PRODUCTS = Set.of("MatMul", "FusedMatMul", "Gemm", "Conv");

    private BackboneWeights() {
    }

    /** All weights. */
    static List<Parameter> all(Backbone backbone) {
        Set<String> matrices = matrices(backbone.graph().nodes());
        return backbone.graph().initializers().entrySet().stream()
                .filter(e -> isWeight(e.getValue()) && !backbone.frozen().contains(e.getKey()))
                .map(e -> Parameter.shared(e.getKey(), "backbone", e.getValue(), matrices.contains(e.getKey())))
                .toList();
    }

    /**
     * The weights outside the blocks' linear layers: patch embedding, class token, positions, norms.
     *
     * @param rate their learning rate as a fraction of the schedule's; 0 for no parameters
     * @throws EmtalException if the rate is above 0 and there are no such weights
     */
    static List<Parameter> outsideLayers(Backbone backbone, double rate) {
        if (rate == 0) {
            return List.of();
        }
        Set<String> inside = new HashSet<>();
        backbone.layers().forEach(layer -> {
            inside.add(layer.weight());
            layer.bias().ifPresent(inside::add);
        });
        List<Parameter> outside = all(backbone).stream().filter(p -> !inside.contains(p.name()))
                .map(p -> new Parameter(p.name(), p.part(), p.initial(), p.task(), p.decay(), rate)).toList();
        EmtalException.check(!outside.isEmpty(), "embeddingRate: found %s, allowed is 0 for a backbone that has no"
                + " weights to train outside its blocks' linear layers", rate);
        return outside;
    }

    /** What was trained in the place of initialisers. */
    static Map<String, Tensor> values(List<Parameter> weights, Function<String, Tensor> values) {
        Map<String, Tensor> trained = new LinkedHashMap<>();
        weights.forEach(p -> trained.put(p.name(), values.apply(p.name())));
        return trained;
    }

    private static boolean isWeight(Tensor tensor) {
        return tensor.type() == ElementType.FLOAT && tensor.shape().size() > 1;
    }

    /** The names of what nodes multiply as matrices; the third operand of Gemm and Conv is a bias. */
    private static Set<String> matrices(List<Node> nodes) {
        Set<String> names = new HashSet<>();
        nodes.stream().filter(n -> PRODUCTS.contains(n.op()))
                .forEach(n -> n.inputs().stream().limit(2).forEach(v -> names.add(v.name())));
        return names;
    }
}

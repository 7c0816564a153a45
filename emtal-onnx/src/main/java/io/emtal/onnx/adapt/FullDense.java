package io.emtal.onnx.adapt;

import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.LinearLayer;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;

/**
 * A control, and the training of fresh backbones: every weight of the backbone is trained. Weights are all
 * floating-point initialisers of more than one element that the backbone does not declare frozen; single numbers are
 * constants of the computation, such as the attention's scale. Decay applies to the factors of matrix products and to
 * convolution kernels.
 */
public final class FullDense implements AdaptationMethod {

    private static final Set<String> PRODUCTS = Set.of("MatMul", "FusedMatMul", "Gemm", "Conv");

    /** Makes the method; there is nothing to configure. */
    public FullDense() {
    }

    @Override
    public Adaptation adapt(Backbone backbone, long seed) {
        Set<String> matrices = matrices(backbone.graph().nodes());
        List<Parameter> parameters = backbone.graph().initializers().entrySet().stream()
                .filter(e -> isWeight(e.getValue()) && !backbone.frozen().contains(e.getKey()))
                .map(e -> Parameter.shared(e.getKey(), "backbone", e.getValue(), matrices.contains(e.getKey())))
                .toList();
        return new Dense(backbone, parameters);
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

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "AdaptationMethod");
    }

    private record Dense(Backbone backbone, List<Parameter> parameters) implements Adaptation {

        @Override
        public boolean tokenwise(LinearLayer layer) {
            return true;
        }

        @Override
        public Value linear(Site site, LinearLayer layer, Value input) {
            return site.dense(layer, input);
        }

        @Override
        public Backbone merge(Backbone into, Function<String, Tensor> values, double fade) {
            Map<String, Tensor> trained = new LinkedHashMap<>();
            parameters.forEach(p -> trained.put(p.name(), values.apply(p.name())));
            return Merge.of(backbone, into, fade, trained);
        }
    }
}

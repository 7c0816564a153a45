package io.emtal.onnx.adapt;

import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.LinearLayer;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.List;
import java.util.function.Function;

/**
 * A control, and the training of fresh backbones: every weight of the backbone is trained. Weights are all
 * floating-point initialisers of more than one element that the backbone does not declare frozen; single numbers are
 * constants of the computation, such as the attention's scale. Decay applies to the factors of matrix products and to
 * convolution kernels.
 */
public final class FullDense implements AdaptationMethod {

    /** Makes the method; there is nothing to configure. */
    public FullDense() {
    }

    @Override
    public Adaptation adapt(Backbone backbone, long seed) {
        return new Dense(backbone, BackboneWeights.all(backbone));
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
            return Merge.of(backbone, into, fade, BackboneWeights.values(parameters, values));
        }
    }
}

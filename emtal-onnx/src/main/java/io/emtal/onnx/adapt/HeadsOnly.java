package io.emtal.onnx.adapt;

import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.LinearLayer;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** A control: the backbone stays as it is, only the heads are trained. */
public final class HeadsOnly implements AdaptationMethod {

    /** Makes the method; there is nothing to configure. */
    public HeadsOnly() {
    }

    @Override
    public Adaptation adapt(Backbone backbone, long seed) {
        return new Frozen(backbone);
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "AdaptationMethod");
    }

    private record Frozen(Backbone backbone) implements Adaptation {

        @Override
        public List<Parameter> parameters() {
            return List.of();
        }

        @Override
        public boolean trains(LinearLayer layer) {
            return false;
        }

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
            return Merge.of(backbone, into, fade, Map.of());
        }
    }
}

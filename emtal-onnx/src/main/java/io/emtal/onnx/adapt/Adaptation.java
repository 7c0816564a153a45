package io.emtal.onnx.adapt;

import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.LinearLayer;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * A backbone's adaptation in progress. It declares what is trainable and writes its forward computation; gradients,
 * steps and sessions are no concern of its own.
 */
public interface Adaptation {

    /**
     * What is trained besides the heads.
     *
     * @return the parameters; one with the name of a backbone's initialiser takes its place
     */
    List<Parameter> parameters();

    /**
     * Constants of the backbone that training uses in another arrangement, such as reordered channels.
     *
     * @return replacements by the initialiser's name; empty by default
     */
    default Map<String, Tensor> rearranged() {
        return Map.of();
    }

    /**
     * Whether training changes what a layer computes. Channels are dropped in front of such layers only, and what lies
     * below all of them may be computed once.
     *
     * @param layer a layer of the backbone
     * @return true unless {@link #linear} writes the layer as the backbone has it, from weights that are not trained
     */
    default boolean trains(LinearLayer layer) {
        return true;
    }

    /**
     * Whether {@link #linear} computes every token of a layer from that token of its input alone, and adds nothing to the
     * loss that depends on several. Then tokens whose results no head reads, behind the last attention, are left out.
     *
     * @param layer a layer of the backbone
     * @return false unless an adaptation says otherwise
     */
    default boolean tokenwise(LinearLayer layer) {
        return false;
    }

    /**
     * Writes a linear layer with its adapter.
     *
     * @param site where the layer is written
     * @param layer the layer
     * @param input its input [B, N, in]
     * @return its output [B, N, out], the bias included
     */
    Value linear(Site site, LinearLayer layer, Value input);

    /**
     * The fade a after a part of the training: 0 is fully routed, 1 is dense.
     *
     * @param progress the fraction of all steps that are done, 0 to 1
     * @return from 0 to 1, never decreasing; 1 for methods without a router
     */
    default double fade(double progress) {
        return 1;
    }

    /**
     * Merges what was trained into the backbone that was adapted.
     *
     * @param backbone the backbone as it was before the adaptation
     * @param values the parameters' values by name
     * @param fade the fade at which the values were trained
     * @return a dense backbone of the same operators that computes the same as the adapted network
     * @throws io.emtal.onnx.EmtalException if the fade is below 1, or the backbone has other weights than the one that
     *     was adapted, as one has into which something was merged before
     */
    Backbone merge(Backbone backbone, Function<String, Tensor> values, double fade);
}

package io.emtal.onnx.backbone;

import io.emtal.onnx.backbone.LinearLayers.Linear;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * A feed-forward network: a linear layer, a function of every element alone, a linear layer, added to what went past.
 *
 * @param fc1 the first layer
 * @param activation the function
 * @param fc2 the second layer
 * @param branch where the result is added
 */
record FeedForwardPattern(Linear fc1, String activation, Linear fc2, Residual branch) {

    /**
     * Finds all feed-forward networks.
     *
     * @param view the graph
     * @param layers its linear layers
     * @param taken layers that belong to attentions
     * @return in the order of the computation
     */
    static List<FeedForwardPattern> all(GraphView view, LinearLayers layers, Set<Linear> taken) {
        List<FeedForwardPattern> found = new ArrayList<>();
        for (Linear fc2 : layers.all()) {
            Optional<ScalarFunction> function = taken.contains(fc2) ? Optional.empty()
                    : ScalarFunction.giving(view, layers, fc2.input());
            Optional<Linear> fc1 = function.flatMap(f -> layers.giving(f.argument())).filter(l -> !taken.contains(l));
            fc1.ifPresent(first -> Residual.behind(view, fc2).residual().ifPresent(branch ->
                    found.add(new FeedForwardPattern(first, function.get().name(), fc2, branch))));
        }
        return found;
    }
}

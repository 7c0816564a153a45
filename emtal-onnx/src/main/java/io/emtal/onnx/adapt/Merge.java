package io.emtal.onnx.adapt;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.graph.Tensor;

import java.util.Map;

/** The last step of a merge, with what every method refuses. */
final class Merge {

    private Merge() {
    }

    /** Replaces initialisers of a backbone, which must still have the weights that were adapted. */
    static Backbone of(Backbone adapted, Backbone into, double fade, Map<String, Tensor> changed) {
        EmtalException.check(fade == 1, "merge: found fade %s, allowed is 1: a router does not merge", fade);
        changed.keySet().forEach(name -> {
            Tensor found = into.graph().initializers().get(name);
            EmtalException.check(adapted.graph().initializers().get(name).equals(found),
                    "merge: initialiser '%s' is not the one that was adapted; allowed is the original backbone,"
                            + " and only once", name);
        });
        return into.withInitializers(changed);
    }
}

package io.emtal.onnx.predict;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * One network that predicts the mean of several. It is as large as all of them together, and takes as long. On the same
 * rows the squared error of a mean, and its cross-entropy, are never above the mean of the networks' own.
 */
public final class MeanNetwork {

    private MeanNetwork() {
    }

    /**
     * Puts networks side by side.
     *
     * @param models dense networks that work row by row, of one input [batch, …] and one output [batch, C] of the same
     *     types and shapes
     * @return a network with the first one's names and metadata; a single network as it is
     * @throws EmtalException if there is no network, their inputs or outputs differ, or one cannot be read
     */
    public static OnnxMl.ModelProto of(List<OnnxMl.ModelProto> models) {
        EmtalException.check(!models.isEmpty(), "mean: found no network, at least one is needed");
        OnnxMl.ModelProto first = models.get(0);
        if (models.size() == 1) {
            return first;
        }
        List<Graph> graphs = models.stream().map(Optimise::read).toList();
        Value input = alike("inputs", graphs.stream().map(Graph::inputs).toList());
        Value output = alike("outputs", graphs.stream().map(Graph::outputs).toList());
        GraphBuilder builder = new GraphBuilder();
        Value rows = builder.input(input.name(), input.type(), input.shape().extents());
        List<Value> outputs = new ArrayList<>();
        for (int i = 0; i < graphs.size(); i++) {
            Graph graph = graphs.get(i).prefixed("network" + i + "/");
            Map<String, Value> bindings = Map.of(graph.inputs().get(0).name(), rows);
            outputs.add(builder.inline(graph, bindings, GraphBuilder.Replacement.NONE).apply(graph.outputs().get(0)));
        }
        Value sum = outputs.stream().reduce(builder::add).orElseThrow();
        builder.output(output.name(), builder.mul(sum, 1.0 / graphs.size()));
        return Optimise.write(builder.build(), first);
    }

    /** The only input or output of the first network, which those of all others are like. */
    private static Value alike(String what, List<List<Value>> values) {
        Value first = values.get(0).get(0);
        for (int i = 0; i < values.size(); i++) {
            List<Value> found = values.get(i);
            EmtalException.check(found.size() == 1 && found.get(0).type() == first.type()
                            && found.get(0).shape().equals(first.shape()), "mean: found the %s %s of network %d and %s"
                    + " of the first one, allowed is one of the same type and shape", what, found, i, values.get(0));
        }
        return first;
    }
}

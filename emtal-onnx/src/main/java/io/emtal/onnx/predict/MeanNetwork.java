package io.emtal.onnx.predict;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * One network that predicts the mean of several. It is as large as all of them together, and takes as long. The squared
 * error of a mean, and its cross-entropy, are never above the mean of the networks' own.
 */
public final class MeanNetwork {

    private MeanNetwork() {
    }

    /**
     * Puts networks side by side.
     *
     * @param models dense networks that work row by row, of the same input [batch, …] and the same output [batch, C];
     *     their batch open or 1
     * @return a network of this input and output and of the first one's metadata, its batch open; a single network as it
     *     is
     * @throws EmtalException if there is no network, their inputs or outputs differ, or one cannot be read
     */
    public static OnnxMl.ModelProto of(List<OnnxMl.ModelProto> models) {
        EmtalException.check(!models.isEmpty(), "mean: found no network, at least one is needed");
        OnnxMl.ModelProto first = models.get(0);
        if (models.size() == 1) {
            return first;
        }
        List<Graph> graphs = models.stream().map(Optimise::read).toList();
        Value input = only(graphs, "input", graphs.stream().map(Graph::inputs).toList());
        Value output = only(graphs, "output", graphs.stream().map(Graph::outputs).toList());
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
        return OnnxFile.toModel(builder.build(), first.getGraph().getName()).toBuilder()
                .addAllMetadataProps(first.getMetadataPropsList()).build();
    }

    /** What all networks have one and the same of. */
    private static Value only(List<Graph> graphs, String what, List<List<Value>> values) {
        for (int i = 0; i < graphs.size(); i++) {
            EmtalException.check(values.get(i).size() == 1 && values.get(i).equals(values.get(0)),
                    "mean: found the %ss %s of network %d and %s of the first one, allowed is one that is the same for"
                            + " all", what, values.get(i), i, values.get(0));
        }
        return values.get(0).get(0);
    }
}

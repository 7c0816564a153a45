package io.emtal.onnx.predict;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.autodiff.Lowering;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Narrowing;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.ReadLimits;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Value;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;

/** The form in which a dense network predicts. */
public enum Optimise {

    /** As it is: the backbone's own operators. */
    PORTABLE {
        @Override
        public OnnxMl.ModelProto apply(OnnxMl.ModelProto model) {
            return model;
        }
    },

    /**
     * Written for ONNX Runtime on CPUs: behind the last attention, tokens that no head reads are left out; layer
     * normalisation is written in its parts, with its scale and shift in the linear layers behind it; linear layers add
     * their bias as they multiply. Still operators of the standard; its results differ in the last bits.
     */
    FUSED {
        @Override
        public OnnxMl.ModelProto apply(OnnxMl.ModelProto model) {
            Graph graph = Narrowing.of(read(model), Set.of());
            return write(rewritten(rewritten(graph, Lowering::new), LinearRows::new), model);
        }
    };

    /**
     * Writes a network in this form.
     *
     * @param model a network that works row by row; its batch open, or 1 where it computes with the number of rows
     * @return a network of the same inputs, outputs and metadata
     * @throws io.emtal.onnx.EmtalException naming what of the model is not supported, if it has to be rewritten
     */
    public abstract OnnxMl.ModelProto apply(OnnxMl.ModelProto model);

    /** The graph of a network that works row by row, its batch open. */
    static Graph read(OnnxMl.ModelProto model) {
        // Where the number of rows is computed with, the model has to be read for a number of rows first.
        boolean computesRows = model.getGraph().getNodeList().stream().anyMatch(n -> n.getOpType().equals("Shape"));
        return computesRows ? OnnxFile.readOpen(model, Map.of(), ReadLimits.DEFAULT)
                : OnnxFile.read(model, Shape.BATCH);
    }

    /** A graph as a model of the name and metadata of another one. */
    static OnnxMl.ModelProto write(Graph graph, OnnxMl.ModelProto like) {
        return OnnxFile.toModel(graph, like.getGraph().getName()).toBuilder()
                .addAllMetadataProps(like.getMetadataPropsList()).build();
    }

    private static Graph rewritten(Graph graph, BiFunction<GraphBuilder, Graph, GraphBuilder.Replacement> rewriting) {
        GraphBuilder builder = new GraphBuilder();
        Map<String, Value> inputs = new HashMap<>();
        graph.inputs().forEach(v -> inputs.put(v.name(), builder.input(v.name(), v.type(), v.shape().extents())));
        Function<Value, Value> written = builder.inline(graph, inputs, rewriting.apply(builder, graph));
        for (Value output : graph.outputs()) {
            Value value = written.apply(output);
            if (value.name().equals(output.name())) {
                builder.output(value);
            } else {
                builder.output(output.name(), value);
            }
        }
        return builder.build();
    }
}

package io.emtal.onnx.backbone;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;

/**
 * The model that a backbone was imported from, and how the backbone's graph refers to it. While a backbone's graph is
 * written as training needs it, what a training gives back is this model: its nodes in their order under their names,
 * its operator sets, IR version, metadata and texts, with other weights and heads.
 *
 * @param original the model as {@link OnnxFile#load} gave it, its tensors inside. All inputs but one have initialisers
 * @param pooling how the backbone's output comes of the features; where it takes nodes, they are added to the original
 *     together with the heads
 * @param features the values of the original that the pooling reads, under their names there: [batch, D] or
 *     [batch, N, D], with the batch open
 * @param origins where initialisers of the backbone's graph come from, by their name there. One that is left out comes
 *     from the original's constant of its own name
 */
public record ImportedModel(OnnxMl.ModelProto original, Pooling.Kind pooling, List<Value> features,
                            Map<String, InitializerOrigin> origins) {

    /** Checks that the original has one input and the features, and that the pooling fits. */
    public ImportedModel {
        features = List.copyOf(features);
        origins = Map.copyOf(origins);
        OnnxMl.GraphProto graph = original.getGraph();
        int inputs = MergedModel.inputs(graph).size();
        EmtalException.check(inputs == 1, "imported model: found %d inputs, allowed is one", inputs);
        GraphBuilder builder = new GraphBuilder();
        for (Value value : features) {
            EmtalException.check(graph.getNodeList().stream().anyMatch(n -> n.getOutputList().contains(value.name())),
                    "imported model: found no node that makes '%s', which the heads are to read", value.name());
            EmtalException.check(value.type() == ElementType.FLOAT && value.rank() > 0
                    && value.extent(0) == Shape.BATCH, "imported model: found '%s' with %s%s, allowed for heads are"
                    + " FLOAT[batch, …]", value.name(), value.type(), value.shape());
        }
        pooling.write(builder, MergedModel.declared(builder, features));
    }

    /**
     * A model whose constants have the same names in the backbone's graph.
     *
     * @param original the model as {@link OnnxFile#load} gave it
     * @param pooling how the backbone's output comes of the features
     * @param features the values of the original that the pooling reads
     */
    public ImportedModel(OnnxMl.ModelProto original, Pooling.Kind pooling, List<Value> features) {
        this(original, pooling, features, Map.of());
    }

    /**
     * The original's input.
     *
     * @return its name
     */
    public String input() {
        return MergedModel.inputs(original.getGraph()).get(0).getName();
    }

    /**
     * Checks that a backbone's graph fits: what may be trained can be written back.
     *
     * @param graph the backbone's graph
     * @param frozen names of the initialisers that are never trained
     * @throws EmtalException if the input has another name, or an initialiser of more than one element is not frozen
     *     and does not come from a constant of the original
     */
    void check(Graph graph, Set<String> frozen) {
        EmtalException.check(graph.inputs().get(0).name().equals(input()), "backbone: found input '%s', allowed is that"
                + " of the imported model, '%s'", graph.inputs().get(0).name(), input());
        Map<String, OnnxMl.TensorProto> constants = MergedModel.constants(original.getGraph());
        graph.initializers().forEach((name, tensor) -> {
            InitializerOrigin origin = origin(name);
            OnnxMl.TensorProto constant = constants.get(origin.name());
            if (tensor.type() != ElementType.FLOAT || constant == null && (tensor.shape().size() == 1
                    || frozen.contains(name))) {
                return;
            }
            EmtalException.check(constant != null && constant.getDataType() == ElementType.FLOAT.code(),
                    "initialiser '%s': found no constant '%s' of floats in the imported model; allowed are initialisers"
                    + " that come from one, or are frozen", name, origin.name());
            Shape shape = Shape.of(constant.getDimsList().stream().mapToLong(Long::longValue).toArray());
            EmtalException.check(origin.size(shape) == tensor.shape().size(), "initialiser '%s': found shape %s, its"
                    + " origin %s has %d elements", name, tensor.shape(), origin, origin.size(shape));
        });
    }

    InitializerOrigin origin(String initializer) {
        return origins.getOrDefault(initializer, InitializerOrigin.of(initializer));
    }

    /**
     * The original with other weights and heads.
     *
     * <p>Constants whose elements did not change, and all nodes that the features need, are the original's bit by bit,
     * but that outputs of Split without a name have got one. Nodes, initialisers and outputs that only the old outputs
     * needed are gone. New nodes stand last, in operators that mean the same in every operator set from
     * {@value OnnxFile#OLDEST_OPSET} to {@value OnnxFile#NEWEST_OPSET}. The input stays as it is declared, with two
     * exceptions: extents that the original leaves open besides the batch become those of the backbone, and a fixed batch
     * becomes open if the nodes work for any number of rows.
     *
     * @param graph the backbone's graph, with the weights that are wanted
     * @param result the name of the new output; numbered if the original has a value of that name
     * @param heads writes the output [B, C] for the representation [B, D]
     * @return the model
     * @throws EmtalException if initialisers that are one in the original differ
     */
    public OnnxMl.ModelProto model(Graph graph, String result, BiFunction<GraphBuilder, Value, Value> heads) {
        return new MergedModel(this, graph).build(result, heads);
    }
}

package io.emtal.onnx.backbone;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.LinearLayers.Linear;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** Finds the transformer in a graph with an open batch and makes a backbone of it, without its old head. */
final class Recogniser {

    /** Operators that give a weight with its elements in another order at most. */
    private static final Set<String> TURNS = Set.of("Identity", "Transpose");

    private final OnnxMl.ModelProto model;
    private final GraphView view;
    private final LinearLayers layers;
    private final Hints hints;
    /** The shapes that the values have in the model itself, for one row. */
    private final Map<String, Shape> shapes = new HashMap<>();

    Recogniser(OnnxMl.ModelProto model, Graph graph, Graph one, Hints hints) {
        this.model = model;
        this.hints = hints;
        this.view = new GraphView(graph);
        this.layers = new LinearLayers(view);
        one.nodes().forEach(node -> node.outputs().forEach(v -> shapes.put(v.name(), v.shape())));
    }

    Backbone backbone() {
        List<Value> inputs = view.graph().inputs();
        EmtalException.check(inputs.size() == 1 && inputs.get(0).type() == ElementType.FLOAT, "found the inputs %s,"
                + " expected one of images, of type FLOAT",
                inputs.stream().map(v -> v.name() + " " + v.type() + v.shape()).toList());
        List<Block> blocks = new ArrayList<>();
        List<BlockDescription> descriptions;
        if (hints.targets().isEmpty()) {
            List<BlockPattern> found = BlockPattern.all(view, layers);
            found.forEach(block -> blocks.add(block.block(blocks.size())));
            descriptions = found.stream().map(BlockPattern::description).toList();
        } else {
            NamedBlocks named = new NamedBlocks(view, layers, hints.targets());
            blocks.addAll(named.blocks());
            descriptions = named.descriptions();
        }
        PoolingPattern chosen = hints.pooling().map(p -> PoolingPattern.named(view, p))
                .orElseGet(() -> PoolingPattern.of(view, layers, blocks));
        PoolingPattern pooling = new PoolingPattern(chosen.pooling(), chosen.values().stream().map(this::rowsFirst)
                .toList(), chosen.classes());
        checkUses(blocks);
        blocks.forEach(this::checkChannels);
        Graph pooled = pooled(pooling);
        BackboneDescription description = new BackboneDescription(inputs.get(0), image(inputs.get(0)),
                descriptions, blocks.stream().flatMap(Block::layers).toList(), pooling.pooling().text(),
                (int) pooled.outputs().get(0).extent(1), pooling.classes(), metadata());
        return new Backbone(pooled, blocks, frozen(pooled, blocks, description.image()), false,
                Optional.of(description), Optional.of(new ImportedModel(model, pooling.pooling(), pooling.values())));
    }

    /**
     * What is added to the model reads values as they are there. Where the graph has the rows of one moved to the front
     * and the model does not, an output may be the same value with its rows in front.
     */
    private Value rowsFirst(Value value) {
        if (isRowsFirst(value)) {
            return value;
        }
        Shape shape = shapes.get(value.name());
        String place = shape.rank() != value.rank() ? "within another axis" : "along axis " + IntStream
                .range(1, shape.rank()).filter(axis -> shape.extent(axis) == 1).findFirst().orElseThrow();
        return view.consumers(value).stream().filter(node -> node.op().equals("Identity")).map(Node::output)
                .filter(this::isRowsFirst).findFirst().orElseThrow(() -> new EmtalException("value '" + value.name()
                        + "': found shape " + shape + " for one row, its rows lie " + place + "; allowed for heads are"
                        + " values whose rows lie along axis 0"));
    }

    private boolean isRowsFirst(Value value) {
        return value.shape().withBatch(1).equals(shapes.getOrDefault(value.name(), value.shape().withBatch(1)));
    }

    /** A layer's weight must be its own: what is merged into it changes every node that reads it. */
    private void checkUses(List<Block> blocks) {
        blocks.stream().flatMap(Block::layers).forEach(layer -> {
            List<Node> readers = readers(layer.weight());
            if (readers.size() > 1) {
                throw GraphView.misfit(readers.get(1), "the weight '" + layer.weight() + "', which " + GraphView.label(
                        readers.get(0)) + " has too", "a weight of its own");
            }
            boolean reordered = layer.role() == LinearLayer.Role.FC1;
            layer.bias().filter(bias -> reordered && readers(bias).size() > 1 && !isUniform(bias)).ifPresent(bias -> {
                throw GraphView.misfit(readers(bias).get(1), "the bias '" + bias + "', which " + GraphView.label(
                        readers(bias).get(0)) + " has too", "a bias of its own for the first layer of a feed-forward"
                        + " network");
            });
        });
    }

    /** The nodes that compute with a constant: those that read it, or what it is behind a change of layout. */
    private List<Node> readers(String constant) {
        return view.graph().nodes().stream().filter(node -> node.inputs().stream()
                .anyMatch(v -> v != null && v.name().equals(constant)))
                .flatMap(node -> TURNS.contains(node.op()) ? readers(node.output().name()).stream() : Stream.of(node))
                .distinct().toList();
    }

    /** Training reorders the channels between the layers of a feed-forward network: nothing else may read them. */
    private void checkChannels(Block block) {
        Linear first = layers.of(block.fc1());
        Node second = layers.of(block.fc2()).product();
        Set<Node> between = view.origin(second.input(0), v -> v.equals(first.result()), node -> true).nodes();
        Stream.concat(Stream.of(first.result()), between.stream().map(Node::output))
                .flatMap(v -> view.consumers(v).stream()).filter(node -> node != second && !between.contains(node))
                .min(Comparator.comparing(view::position)).ifPresent(node -> {
                    throw GraphView.misfit(node, "a second reader of the channels behind the weight '"
                            + first.weight() + "'", "that only the layer with the weight '" + block.fc2().weight()
                            + "' reads them, behind their activation");
                });
    }

    private boolean isUniform(String name) {
        Tensor tensor = view.graph().initializers().get(name);
        float[] elements = tensor.floats();
        for (float element : elements) {
            if (element != elements[0]) {
                return false;
            }
        }
        return true;
    }

    private Graph pooled(PoolingPattern pooling) {
        GraphBuilder builder = new GraphBuilder();
        Value input = view.graph().inputs().get(0);
        Value here = builder.input(input.name(), input.type(), input.shape().extents());
        Function<Value, Value> lookUp = builder.inline(view.graph(), Map.of(input.name(), here),
                GraphBuilder.Replacement.NONE);
        Value pooled = pooling.pooling().write(builder, pooling.values().stream().map(lookUp).toList());
        EmtalException.check(pooled.rank() == 2 && pooled.extent(0) == Shape.BATCH && pooled.extent(1) > 0,
                "value '%s': found shape %s, expected what heads read, [batch, D]", pooled.name(), pooled.shape());
        builder.output(pooled);
        return builder.build();
    }

    /** What is no constant of the model cannot be given back to it; statistics and single numbers are no weights. */
    private Set<String> frozen(Graph pooled, List<Block> blocks, BackboneDescription.ImageLayout image) {
        Set<String> constants = MergedModel.constants(model.getGraph()).keySet();
        Set<String> layerWeights = blocks.stream().flatMap(Block::layers).map(LinearLayer::weight)
                .collect(Collectors.toSet());
        Set<String> frozen = new HashSet<>(FixedConstants.of(new GraphView(pooled), image));
        pooled.nodes().stream().filter(node -> node.op().equals("BatchNormalization"))
                .forEach(node -> node.inputs().subList(3, 5).forEach(v -> frozen.add(v.name())));
        pooled.initializers().forEach((name, tensor) -> {
            boolean weight = layerWeights.contains(name) || constants.contains(name) && tensor.shape().size() > 1;
            if (tensor.type() == ElementType.FLOAT && !weight) {
                frozen.add(name);
            }
        });
        return frozen;
    }

    private Map<String, String> metadata() {
        Map<String, String> metadata = new LinkedHashMap<>();
        model.getMetadataPropsList().forEach(entry -> metadata.put(entry.getKey(), entry.getValue()));
        return metadata;
    }

    /** An image has one, three or four channels; a convolution that reads it has them in front. */
    private BackboneDescription.ImageLayout image(Value input) {
        if (input.rank() != 4) {
            return BackboneDescription.ImageLayout.NONE;
        }
        boolean convolved = view.consumers(input).stream().anyMatch(n -> n.op().equals("Conv"));
        return convolved || input.extent(1) <= 4 ? BackboneDescription.ImageLayout.NCHW
                : input.extent(3) <= 4 ? BackboneDescription.ImageLayout.NHWC : BackboneDescription.ImageLayout.NONE;
    }
}

package io.emtal.onnx.backbone;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto.Dimension;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Predicate;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * An imported model with other weights and heads: edits of its protobuf, and of nothing that need not change. Outputs of
 * Split that have no name get one, see {@link OnnxFile#named}.
 */
final class MergedModel {

    /** Since this operator set the axes of ReduceMean are an input. */
    private static final long AXES_AS_INPUT = 18;

    /** Before this IR version initialisers stand among the inputs too. */
    private static final long FREE_INITIALIZERS = 4;

    private final ImportedModel imported;
    private final Graph graph;
    private final ModelProto original;
    private final GraphProto.Builder merged;

    /**
     * Prepares a model.
     *
     * @param imported the original
     * @param graph the backbone's graph with the weights that are wanted
     */
    MergedModel(ImportedModel imported, Graph graph) {
        this.imported = imported;
        this.graph = graph;
        this.original = OnnxFile.named(imported.original());
        this.merged = original.getGraph().toBuilder();
    }

    /** The inputs that a caller feeds: initialisers may stand among the inputs too. */
    static List<ValueInfoProto> inputs(GraphProto graph) {
        Set<String> initializers = graph.getInitializerList().stream().map(TensorProto::getName)
                .collect(Collectors.toSet());
        return graph.getInputList().stream().filter(input -> !initializers.contains(input.getName())).toList();
    }

    /** Declares features as inputs of a graph of their own, under names that nothing else takes there. */
    static List<Value> declared(GraphBuilder builder, List<Value> features) {
        return IntStream.range(0, features.size()).mapToObj(i -> builder.input("features/" + i, features.get(i).type(),
                features.get(i).shape().extents())).toList();
    }

    /** The tensors of initialisers and {@code Constant} nodes by name. */
    static Map<String, TensorProto> constants(GraphProto graph) {
        Map<String, TensorProto> constants = new HashMap<>();
        graph.getInitializerList().forEach(tensor -> constants.put(tensor.getName(), tensor));
        graph.getNodeList().stream().filter(MergedModel::isTensor)
                .forEach(node -> constants.put(node.getOutput(0), tensor(node.getAttribute(0))));
        return constants;
    }

    private static boolean isTensor(NodeProto node) {
        return node.getOpType().equals("Constant") && node.getAttributeCount() == 1
                && (node.getAttribute(0).getType() == AttributeProto.AttributeType.TENSOR
                || node.getAttribute(0).getType() == AttributeProto.AttributeType.FLOATS);
    }

    private static TensorProto tensor(AttributeProto attribute) {
        if (attribute.getType() == AttributeProto.AttributeType.TENSOR) {
            return attribute.getT();
        }
        return TensorProto.newBuilder().setDataType(ElementType.FLOAT.code()).addDims(attribute.getFloatsCount())
                .addAllFloatData(attribute.getFloatsList()).build();
    }

    /**
     * Makes the model.
     *
     * @param result the name of the output, if it is free
     * @param heads writes the output for the pooled representation
     */
    ModelProto build(String result, BiFunction<GraphBuilder, Value, Value> heads) {
        writeWeights();
        cutOldHead();
        append(result, heads);
        declareInput();
        return original.toBuilder().setGraph(merged).build();
    }

    /** One constant after the other, so that new elements are there twice for no more than one at a time. */
    private void writeWeights() {
        Map<String, List<String>> initializers = graph.initializers().keySet().stream()
                .filter(name -> graph.initializers().get(name).type() == ElementType.FLOAT)
                .collect(Collectors.groupingBy(name -> imported.origin(name).name()));
        for (int i = 0; i < merged.getInitializerCount(); i++) {
            TensorProto old = merged.getInitializer(i);
            Tensor tensor = changed(old, initializers.getOrDefault(old.getName(), List.of()));
            if (tensor != null) {
                merged.setInitializer(i, replaced(old, tensor));
            }
        }
        for (int i = 0; i < merged.getNodeCount(); i++) {
            NodeProto node = merged.getNode(i);
            Tensor tensor = !isTensor(node) ? null : changed(tensor(node.getAttribute(0)),
                    initializers.getOrDefault(node.getOutput(0), List.of()));
            if (tensor == null) {
                continue;
            }
            AttributeProto.Builder value = merged.getNodeBuilder(i).getAttributeBuilder(0);
            if (value.getType() == AttributeProto.AttributeType.TENSOR) {
                value.setT(replaced(value.getT(), tensor));
            } else {
                value.clearFloats();
                for (float element : tensor.floats()) {
                    value.addFloats(element);
                }
            }
        }
    }

    private static TensorProto replaced(TensorProto old, Tensor tensor) {
        return old.toBuilder().clearFloatData().setRawData(tensor.toProto("").getRawData()).build();
    }

    /** A constant with the elements of the initialisers that come from it; {@code null} if none of them differs. */
    private Tensor changed(TensorProto proto, List<String> initializers) {
        if (initializers.isEmpty()) {
            return null;
        }
        Tensor constant = Tensor.fromProto(proto);
        Tensor changed = null;
        for (String name : initializers) {
            InitializerOrigin origin = imported.origin(name);
            float[] elements = graph.initializers().get(name).floats();
            if (!Arrays.equals(origin.take(constant), elements)) {
                changed = origin.put(changed == null ? constant : changed, elements);
            }
        }
        for (String name : initializers) {
            InitializerOrigin origin = imported.origin(name);
            float[] elements = graph.initializers().get(name).floats();
            EmtalException.check(changed == null || Arrays.equals(origin.take(changed), elements),
                    "initialiser '%s': found elements that another initialiser from '%s' has with other values,"
                    + " allowed is one value for each element of the imported model", name, origin.name());
        }
        return changed;
    }

    /** Removes what the old outputs needed and the features do not. */
    private void cutOldHead() {
        List<NodeProto> nodes = merged.getNodeList();
        Map<String, Integer> makers = new HashMap<>();
        for (int i = 0; i < nodes.size(); i++) {
            for (String output : nodes.get(i).getOutputList()) {
                makers.put(output, i);
            }
        }
        BitSet removed = needed(nodes, makers, merged.getOutputList().stream().map(ValueInfoProto::getName));
        removed.andNot(needed(nodes, makers, imported.features().stream().map(Value::name)));
        Set<String> gone = new HashSet<>();
        removed.stream().forEach(i -> gone.addAll(nodes.get(i).getOutputList()));
        gone.remove("");
        removeReaders(nodes, removed, gone);

        Set<String> unread = new HashSet<>();
        Set<String> read = new HashSet<>();
        for (int i = 0; i < nodes.size(); i++) {
            (removed.get(i) ? unread : read).addAll(nodes.get(i).getInputList());
        }
        unread.removeAll(read);
        merged.getInitializerList().stream().map(TensorProto::getName).filter(unread::contains).forEach(gone::add);

        List<NodeProto> kept = IntStream.range(0, nodes.size()).filter(i -> !removed.get(i)).mapToObj(nodes::get)
                .toList();
        List<TensorProto> initializers = merged.getInitializerList().stream().filter(t -> !gone.contains(t.getName()))
                .toList();
        Predicate<ValueInfoProto> stays = value -> !gone.contains(value.getName());
        List<ValueInfoProto> inputs = merged.getInputList().stream().filter(stays).toList();
        List<ValueInfoProto> values = merged.getValueInfoList().stream().filter(stays).toList();
        merged.clearNode().addAllNode(kept).clearInitializer().addAllInitializer(initializers)
                .clearInput().addAllInput(inputs).clearValueInfo().addAllValueInfo(values).clearOutput();
    }

    /** The nodes that some values need, by their indices. */
    private static BitSet needed(List<NodeProto> nodes, Map<String, Integer> makers, Stream<String> values) {
        BitSet needed = new BitSet();
        Deque<String> open = new ArrayDeque<>(values.toList());
        while (!open.isEmpty()) {
            Integer maker = makers.get(open.pop());
            if (maker != null && !needed.get(maker)) {
                needed.set(maker);
                open.addAll(nodes.get(maker).getInputList());
            }
        }
        return needed;
    }

    /** Nodes that no output needs may stay, but not where they read what is gone. */
    private static void removeReaders(List<NodeProto> nodes, BitSet removed, Set<String> gone) {
        int before;
        do {
            before = removed.cardinality();
            for (int i = removed.nextClearBit(0); i < nodes.size(); i = removed.nextClearBit(i + 1)) {
                if (nodes.get(i).getInputList().stream().anyMatch(gone::contains)) {
                    removed.set(i);
                    nodes.get(i).getOutputList().stream().filter(name -> !name.isEmpty()).forEach(gone::add);
                }
            }
        } while (removed.cardinality() > before);
    }

    private void append(String result, BiFunction<GraphBuilder, Value, Value> heads) {
        GraphBuilder builder = new GraphBuilder();
        List<Value> features = declared(builder, imported.features());
        builder.output(result, heads.apply(builder, imported.pooling().write(builder, features)));
        GraphProto tail = OnnxFile.toModel(builder.build(), "").getGraph();

        Set<String> taken = names();
        Map<String, String> renamed = new HashMap<>();
        for (int i = 0; i < features.size(); i++) {
            renamed.put(features.get(i).name(), imported.features().get(i).name());
        }
        UnaryOperator<String> name = old -> renamed.computeIfAbsent(old, n -> free(n, taken));
        tail.getInitializerList().forEach(t -> initializer(t.toBuilder().setName(name.apply(t.getName())).build()));
        for (NodeProto node : tail.getNodeList()) {
            NodeProto.Builder added = node.toBuilder().clearInput().clearOutput();
            node.getInputList().forEach(operand -> added.addInput(name.apply(operand)));
            node.getOutputList().forEach(output -> added.addOutput(name.apply(output)));
            added.setName(added.getOutput(0));
            if (node.getOpType().equals("ReduceMean") && operatorSet() >= AXES_AS_INPUT) {
                axesAsInput(added, free("axes", taken));
            }
            merged.addNode(added);
        }
        merged.addOutput(tail.getOutput(0).toBuilder().setName(name.apply(result)));
    }

    private Set<String> names() {
        Set<String> names = new HashSet<>();
        merged.getInputList().forEach(input -> names.add(input.getName()));
        merged.getInitializerList().forEach(tensor -> names.add(tensor.getName()));
        merged.getValueInfoList().forEach(value -> names.add(value.getName()));
        merged.getNodeList().forEach(node -> {
            names.add(node.getName());
            names.addAll(node.getOutputList());
        });
        return names;
    }

    private static String free(String wanted, Set<String> taken) {
        String name = wanted;
        for (int i = 2; !taken.add(name); i++) {
            name = wanted + "_" + i;
        }
        return name;
    }

    private void initializer(TensorProto tensor) {
        merged.addInitializer(tensor);
        if (original.getIrVersion() < FREE_INITIALIZERS) {
            TensorShapeProto.Builder shape = shape(merged.addInputBuilder().setName(tensor.getName()));
            tensor.getDimsList().forEach(extent -> shape.addDimBuilder().setDimValue(extent));
            merged.getInputBuilder(merged.getInputCount() - 1).getTypeBuilder().getTensorTypeBuilder()
                    .setElemType(tensor.getDataType());
        }
    }

    private long operatorSet() {
        return original.getOpsetImportList().stream().filter(set -> Set.of("", "ai.onnx").contains(set.getDomain()))
                .mapToLong(OperatorSetIdProto::getVersion).max().orElseThrow();
    }

    private void axesAsInput(NodeProto.Builder reduction, String axes) {
        int i = IntStream.range(0, reduction.getAttributeCount())
                .filter(a -> reduction.getAttribute(a).getName().equals("axes")).findFirst().orElseThrow();
        long[] values = reduction.getAttribute(i).getIntsList().stream().mapToLong(Long::longValue).toArray();
        initializer(Tensor.of(values, values.length).toProto(axes));
        reduction.removeAttribute(i).addInput(axes);
    }

    /** Fixes the extents that the original leaves open besides the batch, and opens the batch where that is possible. */
    private void declareInput() {
        String name = imported.input();
        int position = IntStream.range(0, merged.getInputCount())
                .filter(i -> merged.getInput(i).getName().equals(name)).findFirst().orElseThrow();
        TensorShapeProto.Builder input = shape(merged.getInputBuilder(position));
        for (int axis = 1; axis < input.getDimCount(); axis++) {
            if (!input.getDim(axis).hasDimValue()) {
                input.getDimBuilder(axis).setDimValue(graph.inputs().get(0).extent(axis));
            }
        }
        if (input.getDim(0).hasDimValue()) {
            Dimension open = shape(merged.getOutputBuilder(0)).getDim(0);
            GraphProto.Builder opened = merged.clone();
            shape(opened.getInputBuilder(position)).setDim(0, open);
            if (worksForRows(opened, input.getDim(0).getDimValue() + 1)) {
                input.setDim(0, open);
                // What is declared of values in between has the fixed batch.
                merged.clearValueInfo();
            }
        }
        shape(merged.getOutputBuilder(0)).setDim(0, input.getDim(0));
    }

    private static TensorShapeProto.Builder shape(ValueInfoProto.Builder value) {
        return value.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder();
    }

    /** Exporters may have written a fixed batch into the shapes that nodes give to values. */
    private boolean worksForRows(GraphProto.Builder opened, long rows) {
        try {
            Graph read = OnnxFile.read(original.toBuilder().setGraph(opened).build(), rows);
            return read.outputs().get(0).extent(0) == rows;
        } catch (EmtalException e) {
            return false;
        }
    }
}

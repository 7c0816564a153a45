package io.emtal.tribuo;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.TextFormat;
import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.protos.SignatureProto;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Gives a network the signature that Tribuo's exports have: a float input {@code input} [batch, F] with the features
 * in the order of their ids, and a float output {@code output} [batch, C] with the outputs in the order of theirs. What
 * the columns are called stands in the metadata.
 */
final class TribuoSignature {

    /** The name of the input of an export. */
    static final String INPUT = "input";

    /** The name of the output of an export. */
    static final String OUTPUT = "output";

    /** The key of the metadata that holds a {@link SignatureProto} as text. */
    static final String METADATA = "EMTAL_SIGNATURE";

    private TribuoSignature() {
    }

    /**
     * Rearranges a network's columns.
     *
     * @param network one input besides those with initialisers, one output
     * @param features the number of features F
     * @param featureOf for every position of the network's input row the feature's id
     * @param columnOf for every output's id its column in the network's output
     * @return the network, with nodes before and after it only where the orders differ; values in between that are
     *     called as the signature's have other names
     */
    static OnnxMl.GraphProto.Builder write(OnnxMl.GraphProto network, int features, int[] featureOf, int[] columnOf) {
        Set<String> constants = network.getInitializerList().stream().map(OnnxMl.TensorProto::getName)
                .collect(Collectors.toSet());
        OnnxMl.ValueInfoProto input = network.getInputList().stream().filter(v -> !constants.contains(v.getName()))
                .findFirst().orElseThrow();
        OnnxMl.TensorShapeProto shape = input.getType().getTensorType().getShape();
        String own = prefix(network);
        Map<String, String> names = new HashMap<>(Map.of(INPUT, own + INPUT, OUTPUT, own + OUTPUT));
        OnnxMl.GraphProto.Builder graph = network.toBuilder().clearInitializer().clearNode().clearInput().clearOutput();
        String fed = INPUT;
        boolean flat = shape.getDimCount() == 2;
        boolean sameFeatures = isIdentity(featureOf) && featureOf.length == features;
        if (!sameFeatures) {
            graph.addInitializer(indices(own + "features", featureOf));
            String known = own + (flat ? "row" : "known");
            graph.addNode(node("Gather", own, List.of(fed, own + "features"), known).addAttribute(axis()));
            fed = known;
        }
        if (!flat) {
            int[] extents = shape.getDimList().stream().mapToInt(d -> (int) d.getDimValue()).toArray();
            extents[0] = -1;
            graph.addInitializer(indices(own + "shape", extents));
            graph.addNode(node("Reshape", own, List.of(fed, own + "shape"), own + "row"));
            fed = own + "row";
        }
        boolean sameColumns = isIdentity(columnOf);
        names.put(input.getName(), fed);
        names.put(network.getOutput(0).getName(), sameColumns ? OUTPUT : own + "columns");
        network.getNodeList().forEach(node -> graph.addNode(renamed(node, names)));
        network.getInitializerList().forEach(tensor -> graph.addInitializer(tensor.toBuilder()
                .setName(names.getOrDefault(tensor.getName(), tensor.getName()))));
        if (!sameColumns) {
            graph.addInitializer(indices(own + "outputs", columnOf));
            graph.addNode(node("Gather", own, List.of(own + "columns", own + "outputs"), OUTPUT).addAttribute(axis()));
        }
        for (OnnxMl.ValueInfoProto.Builder value : graph.getValueInfoBuilderList()) {
            value.setName(names.getOrDefault(value.getName(), value.getName()));
        }
        return graph.addInput(value(INPUT, shape.getDim(0), features))
                .addOutput(value(OUTPUT, shape.getDim(0), columnOf.length));
    }

    /** What new names begin with, and no other: a network that was exported may have been trained further. */
    private static String prefix(OnnxMl.GraphProto network) {
        Set<String> names = network.getInitializerList().stream().map(OnnxMl.TensorProto::getName)
                .collect(Collectors.toSet());
        network.getNodeList().forEach(node -> {
            names.add(node.getName());
            names.addAll(node.getOutputList());
        });
        return IntStream.iterate(1, i -> i + 1).mapToObj(i -> i == 1 ? "emtal/" : "emtal" + i + "/")
                .filter(prefix -> names.stream().noneMatch(name -> name.startsWith(prefix))).findFirst().orElseThrow();
    }

    private static OnnxMl.NodeProto renamed(OnnxMl.NodeProto node, Map<String, String> names) {
        OnnxMl.NodeProto.Builder copy = node.toBuilder();
        for (int i = 0; i < node.getInputCount(); i++) {
            copy.setInput(i, names.getOrDefault(node.getInput(i), node.getInput(i)));
        }
        for (int i = 0; i < node.getOutputCount(); i++) {
            copy.setOutput(i, names.getOrDefault(node.getOutput(i), node.getOutput(i)));
        }
        return copy.build();
    }

    private static boolean isIdentity(int[] order) {
        return IntStream.range(0, order.length).allMatch(i -> order[i] == i);
    }

    private static OnnxMl.NodeProto.Builder node(String op, String prefix, List<String> inputs, String output) {
        return OnnxMl.NodeProto.newBuilder().setOpType(op).setName(prefix + op + "/" + output).addAllInput(inputs)
                .addOutput(output);
    }

    private static OnnxMl.AttributeProto axis() {
        return OnnxMl.AttributeProto.newBuilder().setName("axis").setType(OnnxMl.AttributeProto.AttributeType.INT)
                .setI(1).build();
    }

    private static OnnxMl.TensorProto indices(String name, int[] values) {
        OnnxMl.TensorProto.Builder tensor = OnnxMl.TensorProto.newBuilder().setName(name).addDims(values.length)
                .setDataType(OnnxMl.TensorProto.DataType.INT64.getNumber());
        for (int value : values) {
            tensor.addInt64Data(value);
        }
        return tensor.build();
    }

    private static OnnxMl.ValueInfoProto value(String name, OnnxMl.TensorShapeProto.Dimension batch, int width) {
        OnnxMl.TensorShapeProto shape = OnnxMl.TensorShapeProto.newBuilder().addDim(batch)
                .addDim(OnnxMl.TensorShapeProto.Dimension.newBuilder().setDimValue(width)).build();
        return OnnxMl.ValueInfoProto.newBuilder().setName(name).setType(OnnxMl.TypeProto.newBuilder()
                .setTensorType(OnnxMl.TypeProto.Tensor.newBuilder()
                        .setElemType(OnnxMl.TensorProto.DataType.FLOAT.getNumber()).setShape(shape))).build();
    }

    /**
     * Reads what the columns of an exported network are called.
     *
     * @param model an exported network
     * @return its signature
     * @throws EmtalException if it has none
     */
    static SignatureProto read(OnnxMl.ModelProto model) {
        String text = model.getMetadataPropsList().stream().filter(entry -> entry.getKey().equals(METADATA)).findFirst()
                .orElseThrow(() -> new EmtalException("ONNX model: found no metadata '" + METADATA
                        + "', allowed are models that EmtalModel exported")).getValue();
        try {
            return TextFormat.parse(text, SignatureProto.class);
        } catch (TextFormat.ParseException e) {
            throw new EmtalException("ONNX model: found metadata '" + METADATA + "' that is no signature: "
                    + e.getMessage(), e);
        }
    }
}

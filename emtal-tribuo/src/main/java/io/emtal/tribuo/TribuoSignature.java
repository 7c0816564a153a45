package io.emtal.tribuo;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.TextFormat;
import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.protos.SignatureProto;

import java.util.ArrayList;
import java.util.List;
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

    private static final String INNER_INPUT = "emtal/row";
    private static final String INNER_OUTPUT = "emtal/columns";

    private TribuoSignature() {
    }

    /**
     * Rearranges a network's columns.
     *
     * @param network one input, one output
     * @param features the number of features F
     * @param featureOf for every position of the network's input row the feature's id
     * @param columnOf for every output's id its column in the network's output
     * @return the network, with nodes before and after it only where the orders differ
     */
    static OnnxMl.GraphProto.Builder write(OnnxMl.GraphProto network, int features, int[] featureOf, int[] columnOf) {
        OnnxMl.GraphProto.Builder graph = network.toBuilder();
        List<OnnxMl.NodeProto> before = new ArrayList<>();
        OnnxMl.ValueInfoProto input = network.getInput(0);
        String fed = INPUT;
        boolean flat = input.getType().getTensorType().getShape().getDimCount() == 2;
        boolean sameFeatures = isIdentity(featureOf) && featureOf.length == features;
        if (!sameFeatures) {
            graph.addInitializer(indices("emtal/features", featureOf));
            String known = flat ? INNER_INPUT : "emtal/known";
            before.add(node("Gather", List.of(fed, "emtal/features"), known).addAttribute(axis()).build());
            fed = known;
        }
        if (!flat) {
            int[] shape = input.getType().getTensorType().getShape().getDimList().stream()
                    .mapToInt(d -> (int) d.getDimValue()).toArray();
            shape[0] = -1;
            graph.addInitializer(indices("emtal/shape", shape));
            before.add(node("Reshape", List.of(fed, "emtal/shape"), INNER_INPUT).build());
            fed = INNER_INPUT;
        }
        List<OnnxMl.NodeProto> after = new ArrayList<>();
        String computed = OUTPUT;
        if (!isIdentity(columnOf)) {
            computed = INNER_OUTPUT;
            graph.addInitializer(indices("emtal/outputs", columnOf));
            after.add(node("Gather", List.of(computed, "emtal/outputs"), OUTPUT).addAttribute(axis()).build());
        }
        graph.clearNode().addAllNode(before);
        for (OnnxMl.NodeProto node : network.getNodeList()) {
            graph.addNode(renamed(node, input.getName(), fed, network.getOutput(0).getName(), computed));
        }
        return graph.addAllNode(after)
                .clearInput().addInput(value(INPUT, features))
                .clearOutput().addOutput(value(OUTPUT, columnOf.length));
    }

    private static OnnxMl.NodeProto renamed(OnnxMl.NodeProto node, String input, String fed, String output,
                                            String computed) {
        OnnxMl.NodeProto.Builder copy = node.toBuilder();
        for (int i = 0; i < node.getInputCount(); i++) {
            copy.setInput(i, renamed(node.getInput(i), input, fed, output, computed));
        }
        for (int i = 0; i < node.getOutputCount(); i++) {
            copy.setOutput(i, renamed(node.getOutput(i), input, fed, output, computed));
        }
        return copy.build();
    }

    private static String renamed(String value, String input, String fed, String output, String computed) {
        return value.equals(input) ? fed : value.equals(output) ? computed : value;
    }

    private static boolean isIdentity(int[] order) {
        return IntStream.range(0, order.length).allMatch(i -> order[i] == i);
    }

    private static OnnxMl.NodeProto.Builder node(String op, List<String> inputs, String output) {
        return OnnxMl.NodeProto.newBuilder().setOpType(op).setName("emtal/" + op + "/" + output).addAllInput(inputs)
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

    private static OnnxMl.ValueInfoProto value(String name, int width) {
        OnnxMl.TensorShapeProto shape = OnnxMl.TensorShapeProto.newBuilder()
                .addDim(OnnxMl.TensorShapeProto.Dimension.newBuilder().setDimParam("batch"))
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

package io.emtal.onnx.backbone;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.StringStringEntryProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto.Dimension;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import io.emtal.onnx.backbone.ExporterVariant.Names;
import io.emtal.onnx.backbone.ExporterVariant.Order;
import io.emtal.onnx.backbone.ExporterVariant.Weights;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/** Writes nodes, names and constants as exporters do. Values are names; a batch that is open is the extent −1. */
final class ExporterGraph {

    private static final Map<Long, Long> IR_VERSIONS = Map.of(11L, 6L, 12L, 7L, 13L, 7L, 14L, 7L, 17L, 8L, 18L, 8L,
            20L, 9L, 21L, 10L);

    private final ExporterVariant variant;
    private final long opset;
    private final GraphProto.Builder graph = GraphProto.newBuilder().setName("main_graph");
    private final List<NodeProto> nodes = new ArrayList<>();
    private final Map<String, Integer> counts = new HashMap<>();
    private final Map<String, String> weights = new HashMap<>();
    private String module = "";
    private int number = 100;
    private boolean contrib;

    ExporterGraph(ExporterVariant variant) {
        this.variant = variant;
        this.opset = variant.opset();
    }

    /** Names what follows after a part of the network, such as {@code blocks.0/attn}. */
    void module(String path) {
        module = path;
    }

    String input(String name, long... extents) {
        graph.addInput(declared(name, extents));
        return name;
    }

    /** Makes a value an output under a name of its own. */
    void output(String name, String value, long... extents) {
        for (int i = 0; i < nodes.size(); i++) {
            NodeProto.Builder node = nodes.get(i).toBuilder();
            rename(node, name, value);
            nodes.set(i, node.build());
        }
        graph.addOutput(declared(name, extents));
    }

    private static void rename(NodeProto.Builder node, String name, String value) {
        for (int i = 0; i < node.getOutputCount(); i++) {
            if (node.getOutput(i).equals(value)) {
                node.setOutput(i, name);
            }
        }
        for (int i = 0; i < node.getInputCount(); i++) {
            if (node.getInput(i).equals(value)) {
                node.setInput(i, name);
            }
        }
    }

    private static ValueInfoProto declared(String name, long... extents) {
        ValueInfoProto.Builder info = ValueInfoProto.newBuilder().setName(name);
        info.getTypeBuilder().getTensorTypeBuilder().setElemType(ElementType.FLOAT.code());
        for (long extent : extents) {
            info.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder().addDim(extent == Shape.BATCH
                    ? Dimension.newBuilder().setDimParam("batch_size") : Dimension.newBuilder().setDimValue(extent));
        }
        return info.build();
    }

    /** Declares a value that is neither input nor output. */
    void declare(String name, long... extents) {
        graph.addValueInfo(declared(name, extents));
    }

    /** The finished model. */
    ModelProto model(Random random) {
        if (variant.is(Order.SHUFFLED)) {
            Collections.shuffle(nodes, random);
        }
        ModelProto.Builder model = ModelProto.newBuilder().setIrVersion(IR_VERSIONS.get(opset))
                .setProducerName("pytorch").setProducerVersion("2.1.0").setDocString("written by a test")
                .addMetadataProps(StringStringEntryProto.newBuilder().setKey("image_mean").setValue("0.5"))
                .setGraph(graph.addAllNode(nodes))
                .addOpsetImport(OperatorSetIdProto.newBuilder().setVersion(opset));
        if (contrib) {
            model.addOpsetImport(OperatorSetIdProto.newBuilder().setDomain(Node.CONTRIB).setVersion(1));
        }
        return model.build();
    }

    /** A node with one output. */
    String node(String op, Map<String, Object> attributes, String... inputs) {
        return nodes("", op, attributes, 1, inputs).get(0);
    }

    /** A node of ONNX Runtime's own with one output. */
    String contrib(String op, Map<String, Object> attributes, String... inputs) {
        return nodes(Node.CONTRIB, op, attributes, 1, inputs).get(0);
    }

    List<String> nodes(String domain, String op, Map<String, Object> attributes, int outputs, String... inputs) {
        boolean numbered = variant.is(Names.NUMBERS);
        String place = "/" + module + (module.isEmpty() ? "" : "/") + op;
        int count = numbered ? number : counts.merge(place, 1, Integer::sum) - 1;
        String name = numbered ? op + "_" + count : place + (count == 0 ? "" : "_" + count);
        List<String> results = IntStream.range(0, outputs)
                .mapToObj(i -> numbered ? Integer.toString(number++) : name + "_output_" + i).toList();
        contrib |= !domain.isEmpty();
        NodeProto.Builder node = NodeProto.newBuilder().setDomain(domain).setOpType(op).setName(name)
                .addAllInput(Arrays.asList(inputs)).addAllOutput(results);
        attributes.entrySet().stream().sorted(Map.Entry.comparingByKey())
                .forEach(e -> node.addAttribute(attribute(e.getKey(), e.getValue())));
        nodes.add(node.build());
        return results;
    }

    private static AttributeProto attribute(String name, Object value) {
        AttributeProto.Builder proto = AttributeProto.newBuilder().setName(name);
        if (value instanceof Long i) {
            return proto.setType(AttributeType.INT).setI(i).build();
        } else if (value instanceof Float f) {
            return proto.setType(AttributeType.FLOAT).setF(f).build();
        } else if (value instanceof String s) {
            return proto.setType(AttributeType.STRING).setS(ByteString.copyFromUtf8(s)).build();
        } else if (value instanceof Tensor t) {
            return proto.setType(AttributeType.TENSOR).setT(t.toProto("")).build();
        }
        proto.setType(AttributeType.INTS);
        Arrays.stream((long[]) value).forEach(proto::addInts);
        return proto.build();
    }

    /**
     * A weight.
     *
     * @param path its name in the network
     * @param tensor its elements
     * @param folded whether the exporter changed it and so gives it a new name
     */
    String weight(String path, Tensor tensor, boolean folded) {
        return weights.computeIfAbsent(path, p -> {
            String name = variant.is(Names.NUMBERS) ? Integer.toString(number++)
                    : folded ? "onnx::MatMul_" + number++ : p;
            switch (variant.get(Weights.class)) {
                case INITIALIZERS -> graph.addInitializer(tensor.toProto(name));
                case INPUTS_TOO -> {
                    graph.addInput(declared(name, tensor.shape().extents()));
                    graph.addInitializer(tensor.toProto(name));
                }
                case FLOAT_DATA -> {
                    TensorProto.Builder proto = tensor.toProto(name).toBuilder().clearRawData();
                    for (float element : tensor.floats()) {
                        proto.addFloatData(element);
                    }
                    graph.addInitializer(proto);
                }
                case CONSTANT_NODES -> nodes.add(NodeProto.newBuilder().setOpType("Constant").setName("Constant/" + p)
                        .addOutput(name).addAttribute(attribute("value", tensor)).build());
                case IDENTITIES -> {
                    graph.addInitializer(tensor.toProto(name));
                    return tensor.shape().rank() == 1 ? node("Identity", Map.of(), name) : name;
                }
                default -> throw new IllegalStateException();
            }
            return name;
        });
    }

    String constant(Tensor tensor) {
        return node("Constant", Map.of("value", tensor));
    }

    String scalar(double value) {
        return constant(Tensor.scalar((float) value));
    }

    String integers(long... values) {
        return constant(Tensor.of(values, values.length));
    }

    String integer(long value) {
        return constant(new Tensor(ElementType.INT64, Shape.SCALAR, new long[] {value}));
    }

    String add(String a, String b) {
        return node("Add", Map.of(), a, b);
    }

    String mul(String a, String b) {
        return node("Mul", Map.of(), a, b);
    }

    String matMul(String a, String b) {
        return node("MatMul", Map.of(), a, b);
    }

    String transpose(String x, long... permutation) {
        return node("Transpose", Map.of("perm", permutation), x);
    }

    String concat(long axis, String... parts) {
        return node("Concat", Map.of("axis", axis), parts);
    }

    String gather(String x, long axis, long index) {
        return node("Gather", Map.of("axis", axis), x, integer(index));
    }

    String shape(String x) {
        return node("Shape", Map.of(), x);
    }

    String slice(String x, long axis, long start, long end) {
        return node("Slice", Map.of(), x, integers(start), integers(end), integers(axis));
    }

    /** Reshapes to extents that are given by a value. */
    String reshaped(String x, String extents) {
        return node("Reshape", opset >= 14 ? Map.of("allowzero", 0L) : Map.of(), x, extents);
    }

    String unsqueeze(String x, long... axes) {
        return axes("Unsqueeze", 13, x, axes, Map.of());
    }

    String squeeze(String x, long... axes) {
        return axes("Squeeze", 13, x, axes, Map.of());
    }

    String reduceMean(String x, boolean keep, long... axes) {
        return axes("ReduceMean", 18, x, axes, Map.of("keepdims", keep ? 1L : 0L));
    }

    /** An operator whose axes are an input from some operator set on. */
    private String axes(String op, long since, String x, long[] axes, Map<String, Object> attributes) {
        if (opset >= since) {
            return node(op, attributes, x, integers(axes));
        }
        Map<String, Object> all = new HashMap<>(attributes);
        all.put("axes", axes);
        return node(op, all, x);
    }

    /** Equal parts. */
    List<String> split(String x, long axis, int parts, long extent) {
        long[] sizes = LongStream.generate(() -> extent / parts).limit(parts).toArray();
        if (opset < 13) {
            return nodes("", "Split", Map.of("axis", axis, "split", sizes), parts, x);
        } else if (opset >= 20) {
            return nodes("", "Split", Map.of("axis", axis, "num_outputs", (long) parts), parts, x);
        }
        return nodes("", "Split", Map.of("axis", axis), parts, x, integers(sizes));
    }
}

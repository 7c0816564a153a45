package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.EmtalException;

import java.util.List;
import java.util.Map;

/** Writes graphs as ONNX models and reads them. */
public final class OnnxFile {

    /** The operator set that graphs are written in: the newest that Tribuo 4.3's ONNX Runtime (1.20) and older ones read. */
    public static final int OPSET = 17;

    /** The oldest operator set that is read. */
    public static final int OLDEST_OPSET = 11;

    /** The newest operator set that is read. */
    public static final int NEWEST_OPSET = 21;

    /** The IR version that goes with {@link #OPSET}. */
    private static final int IR_VERSION = 8;

    private OnnxFile() {
    }

    /**
     * Reads a model whose inputs are open at axis 0 at most.
     *
     * @param model the model
     * @param batch the number of rows that open extents at axis 0 stand for
     * @return the graph in operators of opset {@value #OPSET}, with all shapes fixed and shape arithmetic computed; values
     *     and nodes keep their names
     * @throws EmtalException naming the node, tensor or input that is not supported, and what is allowed
     */
    public static Graph read(OnnxMl.ModelProto model, long batch) {
        return read(model, batch, Map.of());
    }

    /**
     * Reads a model.
     *
     * @param model the model
     * @param batch the number of rows that other open extents at axis 0 stand for
     * @param extents what named open extents stand for
     * @return as {@link #read(OnnxMl.ModelProto, long)}
     * @throws EmtalException naming the node, tensor or input that is not supported, and what is allowed
     */
    public static Graph read(OnnxMl.ModelProto model, long batch, Map<String, Long> extents) {
        return new OnnxReader(model, batch, extents).read();
    }

    /**
     * Writes a graph as a model.
     *
     * @param graph the graph
     * @param name the graph's name
     * @return the model, with no metadata
     */
    public static OnnxMl.ModelProto toModel(Graph graph, String name) {
        OnnxMl.GraphProto.Builder proto = OnnxMl.GraphProto.newBuilder().setName(name);
        graph.inputs().forEach(v -> proto.addInput(valueInfo(v)));
        graph.outputs().forEach(v -> proto.addOutput(valueInfo(v)));
        graph.initializers().forEach((n, tensor) -> proto.addInitializer(tensor.toProto(n)));
        boolean contrib = false;
        for (Node node : graph.nodes()) {
            proto.addNode(node(node));
            contrib |= node.domain().equals(Node.CONTRIB);
        }
        OnnxMl.ModelProto.Builder model = OnnxMl.ModelProto.newBuilder().setIrVersion(IR_VERSION)
                .setProducerName("emtal").setGraph(proto)
                .addOpsetImport(OnnxMl.OperatorSetIdProto.newBuilder().setDomain("").setVersion(OPSET));
        if (contrib) {
            model.addOpsetImport(OnnxMl.OperatorSetIdProto.newBuilder().setDomain(Node.CONTRIB).setVersion(1));
        }
        return model.build();
    }

    private static OnnxMl.ValueInfoProto valueInfo(Value value) {
        OnnxMl.TensorShapeProto.Builder shape = OnnxMl.TensorShapeProto.newBuilder();
        for (long extent : value.shape().extents()) {
            OnnxMl.TensorShapeProto.Dimension.Builder dimension = OnnxMl.TensorShapeProto.Dimension.newBuilder();
            shape.addDim(extent == Shape.BATCH ? dimension.setDimParam("batch") : dimension.setDimValue(extent));
        }
        return OnnxMl.ValueInfoProto.newBuilder().setName(value.name())
                .setType(OnnxMl.TypeProto.newBuilder().setTensorType(OnnxMl.TypeProto.Tensor.newBuilder()
                        .setElemType(value.type().code()).setShape(shape)))
                .build();
    }

    private static OnnxMl.NodeProto node(Node node) {
        OnnxMl.NodeProto.Builder proto = OnnxMl.NodeProto.newBuilder().setOpType(node.op()).setDomain(node.domain())
                .setName(node.name());
        node.inputs().forEach(v -> proto.addInput(v == null ? "" : v.name()));
        node.outputs().forEach(v -> proto.addOutput(v.name()));
        node.attributes().entrySet().stream().sorted(Map.Entry.comparingByKey())
                .forEach(e -> proto.addAttribute(attribute(e.getKey(), e.getValue())));
        return proto.build();
    }

    private static OnnxMl.AttributeProto attribute(String name, Object value) {
        OnnxMl.AttributeProto.Builder proto = OnnxMl.AttributeProto.newBuilder().setName(name);
        if (value instanceof Long i) {
            proto.setType(OnnxMl.AttributeProto.AttributeType.INT).setI(i);
        } else if (value instanceof Float f) {
            proto.setType(OnnxMl.AttributeProto.AttributeType.FLOAT).setF(f);
        } else if (value instanceof String s) {
            proto.setType(OnnxMl.AttributeProto.AttributeType.STRING)
                    .setS(com.google.protobuf.ByteString.copyFromUtf8(s));
        } else if (value instanceof Tensor t) {
            proto.setType(OnnxMl.AttributeProto.AttributeType.TENSOR).setT(t.toProto(""));
        } else if (value instanceof List<?> list && list.stream().allMatch(Long.class::isInstance)) {
            proto.setType(OnnxMl.AttributeProto.AttributeType.INTS);
            list.forEach(e -> proto.addInts((Long) e));
        } else if (value instanceof List<?> list) {
            proto.setType(OnnxMl.AttributeProto.AttributeType.FLOATS);
            list.forEach(e -> proto.addFloats((Float) e));
        } else {
            throw new IllegalStateException("attribute '" + name + "' of " + value.getClass());
        }
        return proto.build();
    }
}

package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.ByteString;
import io.emtal.onnx.EmtalException;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Writes graphs as ONNX models and reads them. */
public final class OnnxFile {

    /**
     * The operator set that graphs are written in: the newest that Tribuo 4.3's ONNX Runtime (1.20) and older ones
     * read.
     */
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
     * Loads a model file of at most the default size, whose tensors all lie in it.
     *
     * @param file an {@code .onnx} file
     * @return the model, which has passed every check
     * @throws EmtalException as {@link #load(Path, ReadLimits)}
     */
    public static OnnxMl.ModelProto load(Path file) {
        return load(file, ReadLimits.DEFAULT);
    }

    /**
     * Loads a model file. Everything is checked here, so that what is handed on to native code is well formed: sizes
     * before memory is taken, versions, operators with their operands and attributes, names, connections, tensors.
     *
     * @param file an {@code .onnx} file
     * @param limits the sizes that are allowed, and whether tensors may lie in other files
     * @return the model with all tensors inside
     * @throws EmtalException if the file cannot be read or is no model that this library can work with; it names the
     *     node, tensor or file, what was found and what is allowed
     */
    public static OnnxMl.ModelProto load(Path file, ReadLimits limits) {
        return ModelFile.load(file, limits);
    }

    /**
     * Loads a model from memory. Tensors cannot lie in other files, for there is no directory to look for them in.
     *
     * @param bytes what an {@code .onnx} file holds
     * @param limits the sizes that are allowed
     * @return the model
     * @throws EmtalException as {@link #load(Path, ReadLimits)}
     */
    public static OnnxMl.ModelProto load(ByteString bytes, ReadLimits limits) {
        return ModelFile.load(bytes, limits);
    }

    /**
     * Names the outputs of {@code Split} that have no name. ONNX allows them where nothing reads them, but ONNX Runtime
     * 1.28 writes to them, which ends the process.
     *
     * @param model a model that has passed every check
     * @return the model itself if all have names
     */
    public static OnnxMl.ModelProto named(OnnxMl.ModelProto model) {
        return UnnamedOutputs.named(model);
    }

    /**
     * Makes a graph of a model whose inputs are open at axis 0 at most.
     *
     * @param model the model; it need not have been checked
     * @param batch the number of rows that open extents at axis 0 stand for; {@link Shape#BATCH} leaves them open,
     *     which is possible where the model computes nothing with them
     * @return the graph in operators of opset {@value #OPSET}, with shape arithmetic computed; values and nodes keep
     *     their names
     * @throws EmtalException naming the node, tensor or input that is not supported, and what is allowed
     */
    public static Graph read(OnnxMl.ModelProto model, long batch) {
        return read(model, batch, Map.of());
    }

    /**
     * Makes a graph of a model.
     *
     * @param model the model; it need not have been checked
     * @param batch the number of rows that other open extents at axis 0 stand for, or {@link Shape#BATCH}
     * @param extents what named open extents stand for
     * @return as {@link #read(OnnxMl.ModelProto, long)}
     * @throws EmtalException naming the node, tensor or input that is not supported, and what is allowed
     */
    public static Graph read(OnnxMl.ModelProto model, long batch, Map<String, Long> extents) {
        return read(model, batch, extents, ReadLimits.DEFAULT);
    }

    /**
     * Makes a graph of a model, with limits of its own.
     *
     * @param model the model; it need not have been checked
     * @param batch the number of rows that other open extents at axis 0 stand for, or {@link Shape#BATCH}
     * @param extents what named open extents stand for
     * @param limits the sizes that are allowed of stored tensors and of what the nodes compute
     * @return as {@link #read(OnnxMl.ModelProto, long)}
     * @throws EmtalException naming the node, tensor or input that is not supported, and what is allowed
     */
    public static Graph read(OnnxMl.ModelProto model, long batch, Map<String, Long> extents, ReadLimits limits) {
        return new OnnxReader(model, batch, extents, limits, Map.of()).read();
    }

    /**
     * Makes a graph with an open batch of a model that works row by row, whatever it computes with the number of rows.
     * The model's batch may be open or 1.
     *
     * @param model the model; it need not have been checked
     * @param extents what named open extents behind axis 0 stand for
     * @param limits as in {@link #read(OnnxMl.ModelProto, long, Map, ReadLimits)}
     * @return a graph in operators of opset {@value #OPSET} whose inputs are open at axis 0; values and nodes keep their
     *     names
     * @throws EmtalException naming the node, tensor or input that is not supported or mixes rows, and what is allowed
     */
    public static Graph readOpen(OnnxMl.ModelProto model, Map<String, Long> extents, ReadLimits limits) {
        return open(model, read(model, 1, extents, limits), extents, limits);
    }

    /**
     * Opens the batch of a graph that was read for one row, in which the rows need not be outermost.
     *
     * @param model the model
     * @param one what {@link #read(OnnxMl.ModelProto, long, Map, ReadLimits)} made of it for one row
     * @param extents as for that
     * @param limits as for that
     * @return as {@link #readOpen}
     * @throws EmtalException as {@link #readOpen}
     */
    public static Graph open(OnnxMl.ModelProto model, Graph one, Map<String, Long> extents, ReadLimits limits) {
        if (model.getGraph().getInputList().stream().noneMatch(input -> isOpen(input, extents))) {
            return OpenBatch.of(one);
        }
        return OpenBatch.of(one, new OnnxReader(model, 3, extents, limits, one.initializers()).read());
    }

    private static boolean isOpen(OnnxMl.ValueInfoProto input, Map<String, Long> extents) {
        OnnxMl.TensorShapeProto shape = input.getType().getTensorType().getShape();
        return shape.getDimCount() > 0 && !shape.getDim(0).hasDimValue()
                && !extents.containsKey(shape.getDim(0).getDimParam());
    }

    /**
     * Writes a graph as a model.
     *
     * @param graph the graph
     * @param name the graph's name
     * @return the model, with no metadata
     */
    public static OnnxMl.ModelProto toModel(Graph graph, String name) {
        return toModel(graph, name, Set.of());
    }

    /**
     * Writes a graph as a model that lacks the elements of some constants: whoever opens it must supply them.
     *
     * @param graph the graph
     * @param name the graph's name
     * @param elsewhere the names of initialisers that are declared as lying outside the model, in no file
     * @return the model, with no metadata
     */
    public static OnnxMl.ModelProto toModel(Graph graph, String name, Set<String> elsewhere) {
        OnnxMl.GraphProto.Builder proto = OnnxMl.GraphProto.newBuilder().setName(name);
        graph.inputs().forEach(v -> proto.addInput(valueInfo(v)));
        graph.outputs().forEach(v -> proto.addOutput(valueInfo(v)));
        graph.initializers().forEach((n, tensor) -> proto.addInitializer(
                elsewhere.contains(n) ? declaration(n, tensor) : tensor.toProto(n)));
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

    private static OnnxMl.TensorProto declaration(String name, Tensor tensor) {
        OnnxMl.TensorProto.Builder proto = OnnxMl.TensorProto.newBuilder().setName(name)
                .setDataType(tensor.type().code()).setDataLocation(OnnxMl.TensorProto.DataLocation.EXTERNAL)
                .addExternalData(OnnxMl.StringStringEntryProto.newBuilder().setKey("location").setValue("memory"));
        for (long extent : tensor.shape().extents()) {
            proto.addDims(extent);
        }
        return proto.build();
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
                    .setS(ByteString.copyFromUtf8(s));
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

package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.OperatorSetIdProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;

import java.util.Arrays;
import java.util.List;

/** Small models as protobufs, to be spoiled by tests: x [batch, 3] times an initialiser w [3, 2], then Relu, is y. */
final class Models {

    private Models() {
    }

    static ModelProto.Builder product() {
        ModelProto.Builder model = model(17);
        model.getGraphBuilder()
                .addNode(node("MatMul", "multiply", List.of("x", "w"), "h"))
                .addNode(node("Relu", "cut", List.of("h"), "y"))
                .addInitializer(Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 3, 2).toProto("w"));
        return model;
    }

    /** From x to y, without nodes. */
    static ModelProto.Builder model(long operatorSet) {
        return ModelProto.newBuilder().setIrVersion(8).addOpsetImport(operators("", operatorSet))
                .setGraph(GraphProto.newBuilder().setName("test").addInput(value("x", 1, "batch", 3))
                .addOutput(value("y", 1, "batch", 2)));
    }

    static OperatorSetIdProto operators(String domain, long version) {
        return OperatorSetIdProto.newBuilder().setDomain(domain).setVersion(version).build();
    }

    /** A value; extents are numbers, names, or {@code null} for an extent without either. */
    static ValueInfoProto value(String name, int type, Object... extents) {
        TensorShapeProto.Builder shape = TensorShapeProto.newBuilder();
        for (Object extent : extents) {
            TensorShapeProto.Dimension.Builder dimension = shape.addDimBuilder();
            if (extent instanceof Number number) {
                dimension.setDimValue(number.longValue());
            } else if (extent != null) {
                dimension.setDimParam(extent.toString());
            }
        }
        return ValueInfoProto.newBuilder().setName(name).setType(TypeProto.newBuilder()
                .setTensorType(TypeProto.Tensor.newBuilder().setElemType(type).setShape(shape))).build();
    }

    static NodeProto node(String op, String name, List<String> inputs, String output, AttributeProto... attributes) {
        return NodeProto.newBuilder().setOpType(op).setName(name).addAllInput(inputs).addOutput(output)
                .addAllAttribute(Arrays.asList(attributes)).build();
    }

    static AttributeProto integer(String name, long value) {
        return AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INT).setI(value).build();
    }

    /** An initialiser that says that its data lies elsewhere; entries are keys and values in turn. */
    static TensorProto external(String name, long extent, String... entries) {
        TensorProto.Builder tensor = TensorProto.newBuilder().setName(name).setDataType(1).addDims(extent)
                .setDataLocation(TensorProto.DataLocation.EXTERNAL);
        for (int i = 0; i < entries.length; i += 2) {
            tensor.addExternalDataBuilder().setKey(entries[i]).setValue(entries[i + 1]);
        }
        return tensor.build();
    }
}

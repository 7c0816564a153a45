package io.emtal.tribuo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.predict.DensePredictor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

/** Networks with other names than our own, as imported backbones have. */
class TribuoSignatureTest {

    private static final float[] ROWS = {1, 2, 3, 4, 5, 6, 7, 8};

    @ParameterizedTest
    @ValueSource(longs = {3, 8})
    void valuesMayHaveAnyNameAndAnExportMayBeExportedAgain(long ir) {
        OnnxMl.ModelProto network = network(ir, OnnxMl.TensorShapeProto.Dimension.newBuilder().setDimParam("n").build());
        assertArrayEquals(new float[] {11, 22, 33, 44, 15, 26, 37, 48}, predict(network, 2));
        int[] reversed = {3, 2, 1, 0};
        OnnxMl.ModelProto once = export(network, 4, reversed, reversed);
        assertArrayEquals(new float[] {41, 32, 23, 14, 45, 36, 27, 18}, predict(once, 2));
        OnnxMl.ModelProto twice = export(once, 4, reversed, reversed);
        assertArrayEquals(new float[] {11, 22, 33, 44, 15, 26, 37, 48}, predict(twice, 2));
        OnnxMl.ModelProto again = export(once, 4, new int[] {0, 1, 2, 3}, new int[] {0, 1, 2, 3});
        assertArrayEquals(new float[] {41, 32, 23, 14, 45, 36, 27, 18}, predict(again, 2));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2})
    void aFixedBatchStays(long batch) {
        OnnxMl.TensorShapeProto.Dimension fixed = OnnxMl.TensorShapeProto.Dimension.newBuilder().setDimValue(batch).build();
        OnnxMl.ModelProto exported = export(network(8, fixed), 4, new int[] {0, 1, 2, 3}, new int[] {0, 1, 2, 3});
        for (OnnxMl.ValueInfoProto end : List.of(exported.getGraph().getInput(0), exported.getGraph().getOutput(0))) {
            assertEquals(fixed, end.getType().getTensorType().getShape().getDim(0));
        }
        assertArrayEquals(new float[] {11, 22, 33, 44, 15, 26, 37, 48}, predict(exported, 2));
    }

    private static OnnxMl.ModelProto export(OnnxMl.ModelProto network, int features, int[] featureOf, int[] columnOf) {
        OnnxMl.ModelProto exported = network.toBuilder()
                .setGraph(TribuoSignature.write(network.getGraph(), features, featureOf, columnOf)).build();
        OnnxMl.GraphProto graph = exported.getGraph();
        assertEquals(TribuoSignature.INPUT, graph.getInput(0).getName());
        assertEquals(2, graph.getInput(0).getType().getTensorType().getShape().getDimCount());
        assertEquals(List.of(TribuoSignature.OUTPUT), graph.getOutputList().stream()
                .map(OnnxMl.ValueInfoProto::getName).toList());
        return exported;
    }

    private static float[] predict(OnnxMl.ModelProto network, int rows) {
        try (DensePredictor predictor = new DensePredictor(network.toByteString(), 1)) {
            return predictor.predict(ROWS, rows);
        }
    }

    /** Adds 10, 20, 30, 40 to pixels of images [n, 1, 2, 2], with values in between that are called as ours. */
    private static OnnxMl.ModelProto network(long ir, OnnxMl.TensorShapeProto.Dimension batch) {
        GraphBuilder builder = new GraphBuilder();
        Value images = builder.input("pixel_values", ElementType.FLOAT, Shape.BATCH, 1, 2, 2);
        Value rows = builder.output("output", builder.reshape(images, -1, 4));
        Value shift = builder.initializer("input", Tensor.of(new float[] {10, 20, 30, 40}, 4));
        builder.output("scores", builder.add(rows, shift));
        OnnxMl.ModelProto.Builder model = OnnxFile.toModel(builder.build(), "images").toBuilder().setIrVersion(ir);
        OnnxMl.GraphProto.Builder graph = model.getGraphBuilder().removeOutput(0);
        List.of(graph.getInputBuilder(0), graph.getOutputBuilder(0)).forEach(end ->
                end.getTypeBuilder().getTensorTypeBuilder().getShapeBuilder().setDim(0, batch));
        if (ir < 4) {
            OnnxMl.ValueInfoProto input = graph.getInput(0);
            graph.clearInput();
            graph.getInitializerList().forEach(tensor -> {
                OnnxMl.TypeProto.Tensor.Builder type = graph.addInputBuilder().setName(tensor.getName())
                        .getTypeBuilder().getTensorTypeBuilder().setElemType(tensor.getDataType());
                tensor.getDimsList().forEach(extent -> type.getShapeBuilder().addDimBuilder().setDimValue(extent));
            });
            graph.addInput(input);
        }
        return model.build();
    }
}

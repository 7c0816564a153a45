package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.emtal.onnx.EmtalException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class OnnxReaderTest {

    /** The graph gives what ONNX Runtime gives for the file itself, and every declared shape is the real one. */
    @ParameterizedTest
    @ValueSource(strings = {"deeploy/Models/CCT/FP32/CCT_1_16_16_8/network.onnx",
            "deeploy/Models/CCT/FP32/CCT_1_32_32_32/network.onnx",
            "deeploy/Models/CCT/FP32/CCT_2_32_32_128_Opset20/network.onnx",
            "deeploy/Models/CCT_Train/CCT2_LP/network_infer.onnx",
            "deeploy/Models/CCT_Train/CCT2_LoRA1/network_infer.onnx",
            "deeploy/Kernels/FP32/GELU/network.onnx", "deeploy/Kernels/FP32/LayerNorm/network.onnx",
            "deeploy/Kernels/FP32/MatMul/network.onnx", "deeploy/Kernels/FP32/Softmax/Regular/network.onnx",
            "vit-mnist-onnx/vit-mnist-opset12.onnx", "vit-mnist-onnx/vit-mnist-opset17.onnx",
            "vit-mnist-onnx/vit-mnist-features.onnx", "tinybert-onnx/tinybert.onnx"})
    void computesWhatTheFileComputes(String file) throws IOException, OrtException {
        OnnxMl.ModelProto model = OnnxFile.load(SharedData.path(file));
        long batch = file.startsWith("deeploy") ? 1 : 3;
        long seed = System.nanoTime();
        Graph graph = OnnxFile.read(model, batch, Map.of("sequence", 5L));
        Map<String, Tensor> inputs = inputs(graph, new Random(seed));
        GraphBuilder everything = new GraphBuilder();
        graph.inputs().forEach(v -> everything.input(v.name(), v.type(), v.shape().extents()));
        Map<String, Value> bindings = new HashMap<>();
        graph.inputs().forEach(v -> bindings.put(v.name(), v));
        var lookUp = everything.inline(graph, bindings, GraphBuilder.Replacement.NONE);
        graph.nodes().forEach(n -> n.outputs().forEach(v -> everything.output(lookUp.apply(v))));
        Map<String, Tensor> found;
        try (GraphSession session = new GraphSession(everything.build())) {
            found = session.run(inputs);
        }
        for (Node node : graph.nodes()) {
            assertEquals(node.output().shape(), found.get(node.output().name()).shape(), node.name());
        }
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession session = environment.createSession(model.toByteArray())) {
            Map<String, OnnxTensor> fed = new HashMap<>();
            for (Map.Entry<String, Tensor> input : inputs.entrySet()) {
                fed.put(input.getKey(), GraphSession.tensor(environment, input.getValue()));
            }
            try (OrtSession.Result result = session.run(fed)) {
                for (Map.Entry<String, OnnxValue> output : result) {
                    float[] expected = GraphSession.tensor((OnnxTensor) output.getValue()).floats();
                    assertArrayEquals(expected, found.get(output.getKey()).floats(), 1e-4f,
                            output.getKey() + ", seed " + seed);
                }
            }
            fed.values().forEach(OnnxTensor::close);
        }
    }

    private static Map<String, Tensor> inputs(Graph graph, Random random) {
        Map<String, Tensor> inputs = new HashMap<>();
        for (Value input : graph.inputs()) {
            int size = input.shape().size();
            if (input.type() == ElementType.INT64) {
                inputs.put(input.name(), new Tensor(input.type(), input.shape(), random.longs(size, 0, 2).toArray()));
            } else {
                float[] elements = new float[size];
                for (int i = 0; i < size; i++) {
                    elements[i] = (float) random.nextGaussian();
                }
                inputs.put(input.name(), new Tensor(input.type(), input.shape(), elements));
            }
        }
        return inputs;
    }

    /** Losses, gradients and optimisers are no part of a network that predicts. */
    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "deeploy/Kernels/FP32/Softmax/CrossEntropy/network.onnx | SoftmaxCrossEntropyLoss (1); supported",
        "deeploy/Kernels/FP32/Softmax/Grad/network.onnx | com.microsoft.SoftmaxGrad (1); supported",
        "deeploy/Models/CCT_Train/CCT2_LP/network.onnx | operator sets 19 and 12 of domain ai.onnx are both",
        "deeploy/Models/CCT_Train/CCT2_LoRA1/network.onnx | operator sets 19 and 12 of domain ai.onnx are both"})
    void trainingGraphsAreRefused(String file, String part) {
        Path path = SharedData.path(file);
        String message = assertThrows(EmtalException.class, () -> OnnxFile.load(path)).getMessage();
        assertTrue(message.contains(part), message);
    }

    @Test
    void shapeArithmeticIsGone() throws IOException {
        Graph graph = OnnxFile.read(SharedData.model("vit-mnist-onnx/vit-mnist-opset12.onnx"), 4);
        List<String> arithmetic = List.of("Shape", "Constant", "ConstantOfShape", "Gather", "Unsqueeze", "Equal",
                "Where");
        assertTrue(graph.nodes().stream().filter(n -> arithmetic.contains(n.op())).allMatch(n ->
                n.input(0).type() == ElementType.FLOAT), () -> graph.nodes().toString());
        assertEquals(4, graph.outputs().get(0).extent(0));
    }

    @Test
    void writtenModelsAreReadAgain() throws OrtException {
        GraphBuilder b = new GraphBuilder();
        Value x = b.input("x", ElementType.FLOAT, Shape.BATCH, 3, 4);
        List<Value> parts = b.split(b.layerNorm(x, b.constant(Tensor.of(new float[] {1, 2, 3, 4}, 4)),
                b.constant(Tensor.of(new float[4], 4)), 1e-5), 2, 1, 3);
        b.output("y", b.reduceSum(b.gelu(parts.get(1)), false, 1));
        Graph graph = OnnxFile.read(OnnxFile.toModel(b.build(), "written"), 2);
        assertEquals(Shape.of(2, 3), graph.outputs().get(0).shape());
        try (GraphSession session = new GraphSession(graph)) {
            assertEquals(Shape.of(2, 3), session.run(Map.of("x", Tensor.of(new float[24], 2, 3, 4))).get("y").shape());
        }
    }

    /** Attributes of operator set 11 and inputs of operator set 18 give the same graph. */
    @Test
    void olderAndNewerFormsAreOne() {
        long[] axes = {1};
        OnnxMl.ModelProto old = model(11, node("ReduceMean", "x", "m").addAttribute(integers("axes", axes)),
                node("Squeeze", "m", "s").addAttribute(integers("axes", axes)),
                node("Softmax", "s", "y"));
        OnnxMl.ModelProto recent = model(18, node("ReduceMean", "x", "m").addInput("axes"),
                node("Squeeze", "m", "s").addInput("axes"),
                node("Softmax", "s", "y").addAttribute(integer("axis", -1)));
        Graph first = OnnxFile.read(old, 2);
        Graph second = OnnxFile.read(recent, 2);
        assertEquals(List.of("ReduceMean", "Squeeze", "Softmax"), first.nodes().stream().map(Node::op).toList());
        for (int i = 0; i < 3; i++) {
            assertEquals(first.nodes().get(i).op(), second.nodes().get(i).op());
            assertEquals(first.nodes().get(i).output(), second.nodes().get(i).output());
        }
    }

    @Test
    void oldSoftmaxTakesAllAxesBehind() {
        Graph graph = OnnxFile.read(model(12, node("Softmax", "x", "y").addAttribute(integer("axis", 1))), 2);
        assertEquals(List.of("Flatten", "Softmax", "Reshape"), graph.nodes().stream().map(Node::op).toList());
        assertEquals(Shape.of(2, 3, 4), graph.outputs().get(0).shape());
    }

    /** The target of a reshape is the largest or the smallest of lists of extents. */
    @ParameterizedTest
    @CsvSource({"Max, 1, 3", "Max, 2, 4", "Max, 3, 6", "Min, 1, 3", "Min, 2, 2", "Min, 3, 1"})
    void extremesOfSomeConstantsAreComputed(String op, int count, long expected) {
        OnnxMl.NodeProto.Builder extreme = OnnxMl.NodeProto.newBuilder().setOpType(op).addOutput("target");
        OnnxMl.ModelProto.Builder model = model(17, extreme, node("Reshape", "x", "y").addInput("target")).toBuilder();
        boolean most = op.equals("Max");
        long[][] lists = {{3, -1}, {most ? 4 : 2, -1}, {most ? 6 : 1, -1}};
        for (int i = 0; i < count; i++) {
            model.getGraphBuilder().addInitializer(Tensor.of(lists[i], lists[i].length).toProto("list" + i))
                    .getNodeBuilder(0).addInput("list" + i);
        }
        assertEquals(Shape.of(expected, 24 / expected), OnnxFile.read(model.build(), 2).outputs().get(0).shape());
    }

    @Test
    void unevenPartsAreRefusedAsTheFileHasThem() {
        OnnxMl.NodeProto.Builder split = node("Split", "x", "y").addAttribute(integer("axis", 2))
                .addAttribute(integer("num_outputs", 3)).addOutput("y1").addOutput("y2").setName("cut");
        EmtalException e = assertThrows(EmtalException.class, () -> OnnxFile.read(model(18, split), 2));
        assertEquals("node 'cut' (Split): found 3 parts of an extent of 4, which are 2 each and leave nothing for the"
                + " last; allowed are numbers of parts that leave something", e.getMessage());
    }

    @Test
    void outputsThatAreNotSupportedAreNamed() {
        OnnxMl.NodeProto.Builder drop = node("Dropout", "x", "kept").addOutput("mask").setName("drop");
        OnnxMl.NodeProto.Builder use = node("Where", "mask", "y").addInput("kept").addInput("x").setName("use");
        assertEquals(Shape.of(2, 3, 4), OnnxFile.read(model(13, drop, node("Relu", "kept", "y")), 2).outputs().get(0)
                .shape());
        EmtalException e = assertThrows(EmtalException.class, () -> OnnxFile.read(model(13, drop, use), 2));
        assertEquals("node 'use' (Where): reads 'mask', output 1 of node 'drop' (Dropout), which is not supported;"
                + " allowed is a model that does not use it", e.getMessage());
    }

    @Test
    void onlyTheBatchIsOpen() throws IOException {
        OnnxMl.ModelProto model = SharedData.model("tinybert-onnx/tinybert.onnx");
        EmtalException e = assertThrows(EmtalException.class, () -> OnnxFile.read(model, 2));
        assertTrue(e.getMessage().contains("axis 1 ('sequence')"), e.getMessage());
    }

    /** From x [batch, 3, 4] to y, with the axes [1] as an initialiser. */
    private static OnnxMl.ModelProto model(int opset, OnnxMl.NodeProto.Builder... nodes) {
        OnnxMl.GraphProto.Builder graph = OnnxMl.GraphProto.newBuilder().setName("test")
                .addInput(value("x")).addOutput(floats("y"))
                .addInitializer(Tensor.of(new long[] {1}, 1).toProto("axes"));
        Arrays.stream(nodes).forEach(graph::addNode);
        return OnnxMl.ModelProto.newBuilder().setIrVersion(8).setGraph(graph)
                .addOpsetImport(OnnxMl.OperatorSetIdProto.newBuilder().setVersion(opset)).build();
    }

    private static OnnxMl.ValueInfoProto value(String name) {
        return OnnxMl.ValueInfoProto.newBuilder().setName(name).setType(OnnxMl.TypeProto.newBuilder().setTensorType(
                OnnxMl.TypeProto.Tensor.newBuilder().setElemType(1).setShape(OnnxMl.TensorShapeProto.newBuilder()
                        .addDim(OnnxMl.TensorShapeProto.Dimension.newBuilder().setDimParam("batch"))
                        .addDim(OnnxMl.TensorShapeProto.Dimension.newBuilder().setDimValue(3))
                        .addDim(OnnxMl.TensorShapeProto.Dimension.newBuilder().setDimValue(4))))).build();
    }

    private static OnnxMl.ValueInfoProto floats(String name) {
        return OnnxMl.ValueInfoProto.newBuilder().setName(name).setType(OnnxMl.TypeProto.newBuilder()
                .setTensorType(OnnxMl.TypeProto.Tensor.newBuilder().setElemType(1))).build();
    }

    private static OnnxMl.NodeProto.Builder node(String op, String input, String output) {
        return OnnxMl.NodeProto.newBuilder().setOpType(op).addInput(input).addOutput(output);
    }

    private static OnnxMl.AttributeProto integers(String name, long... values) {
        OnnxMl.AttributeProto.Builder proto = OnnxMl.AttributeProto.newBuilder().setName(name)
                .setType(OnnxMl.AttributeProto.AttributeType.INTS);
        Arrays.stream(values).forEach(proto::addInts);
        return proto.build();
    }

    private static OnnxMl.AttributeProto integer(String name, long value) {
        return OnnxMl.AttributeProto.newBuilder().setName(name).setType(OnnxMl.AttributeProto.AttributeType.INT)
                .setI(value).build();
    }
}

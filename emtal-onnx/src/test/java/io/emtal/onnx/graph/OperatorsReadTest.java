package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnxruntime.OrtException;
import com.google.protobuf.ByteString;
import io.emtal.onnx.EmtalException;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Models of one node: the graph that is read computes what ONNX Runtime computes with the node itself. */
class OperatorsReadTest {

    private static final double TOLERANCE = 2e-6;

    /**
     * One node.
     *
     * @param variant what is special about it
     * @param opset the operator set
     * @param node the node; operands are named a, b, c, …, outputs y, y1, …
     * @param shapes the operands' shapes; those with the extent −1, the batch, are inputs, the others initialisers
     */
    private record Case(String variant, long opset, NodeProto node, List<long[]> shapes) {

        @Override
        public String toString() {
            return node.getOpType() + " " + opset + (variant.isEmpty() ? "" : ", " + variant);
        }
    }

    private static Case of(String op, String variant, long opset, List<AttributeProto> attributes, long[]... shapes) {
        return outputs(op, variant, opset, attributes, List.of("y"), shapes);
    }

    private static Case outputs(String op, String variant, long opset, List<AttributeProto> attributes,
                                List<String> outputs, long[]... shapes) {
        boolean contrib = op.startsWith(Node.CONTRIB);
        NodeProto.Builder node = NodeProto.newBuilder().setName("node").addAllAttribute(attributes)
                .setDomain(contrib ? Node.CONTRIB : "").addAllOutput(outputs)
                .setOpType(contrib ? op.substring(Node.CONTRIB.length() + 1) : op);
        for (int i = 0; i < shapes.length; i++) {
            node.addInput(shapes[i] == null ? "" : name(i));
        }
        return new Case(variant, opset, node.build(), Arrays.asList(shapes));
    }

    private static String name(int operand) {
        return Character.toString('a' + operand);
    }

    private static long[] shape(long... extents) {
        return extents;
    }

    private static AttributeProto integer(String name, long value) {
        return Models.integer(name, value);
    }

    private static AttributeProto real(String name, double value) {
        return AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.FLOAT)
                .setF((float) value).build();
    }

    private static AttributeProto integers(String name, long... values) {
        AttributeProto.Builder proto = AttributeProto.newBuilder().setName(name)
                .setType(AttributeProto.AttributeType.INTS);
        Arrays.stream(values).forEach(proto::addInts);
        return proto.build();
    }

    private static AttributeProto text(String name, String value) {
        return AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.STRING)
                .setS(ByteString.copyFromUtf8(value)).build();
    }

    private static List<Case> cases() {
        List<Case> all = new ArrayList<>();
        fused(all);
        activations(all);
        convolutions(all);
        normalizations(all);
        return all;
    }

    private static void fused(List<Case> all) {
        String attention = Node.CONTRIB + ".Attention";
        long[] tokens = shape(-1, 5, 8);
        all.add(of(attention, "", 17, List.of(integer("num_heads", 2)), tokens, shape(8, 24), shape(24)));
        all.add(of(attention, "other scale", 14, List.of(integer("num_heads", 2), real("scale", 0.7)), tokens,
                shape(8, 24), shape(24)));
        all.add(of(attention, "values of another width", 17, List.of(integer("num_heads", 2),
                integers("qkv_hidden_sizes", 12, 12, 6)), tokens, shape(8, 30), shape(30)));
        all.add(of(attention, "position bias", 17, List.of(integer("num_heads", 2)), tokens, shape(8, 24), shape(24),
                null, null, shape(1, 2, 5, 5)));
        String multiHead = Node.CONTRIB + ".MultiHeadAttention";
        for (int operands : new int[] {3, 4}) {
            all.add(of(multiHead, operands + " operands", 17, List.of(integer("num_heads", 4)),
                    Arrays.copyOf(new long[][] {tokens, shape(-1, 5, 8), shape(-1, 5, 8), shape(24)}, operands)));
        }
        all.add(of(multiHead, "other tokens, values of another width", 17, List.of(integer("num_heads", 4),
                real("scale", 0.3)), tokens, shape(-1, 3, 8), shape(-1, 3, 12), shape(28)));
        String skip = Node.CONTRIB + ".SkipLayerNormalization";
        for (int operands = 3; operands <= 5; operands++) {
            all.add(of(skip, operands + " operands", 12, List.of(real("epsilon", 1e-5)),
                    Arrays.copyOf(new long[][] {tokens, shape(-1, 5, 8), shape(8), shape(8), shape(8)}, operands)));
        }
        all.add(of(skip, "no epsilon, no shift, a bias", 17, List.of(), tokens, shape(-1, 5, 8), shape(8), null,
                shape(8)));
        all.add(outputs(skip, "with the sum", 17, List.of(), List.of("y", "", "", "y1"), tokens, shape(-1, 5, 8),
                shape(8), shape(8), shape(8)));
        all.add(of(Node.CONTRIB + ".BiasGelu", "", 17, List.of(), tokens, shape(8)));
        all.add(of(Node.CONTRIB + ".FastGelu", "", 17, List.of(), tokens));
        all.add(of(Node.CONTRIB + ".FastGelu", "bias", 17, List.of(), tokens, shape(8)));
        all.add(of(Node.CONTRIB + ".QuickGelu", "", 17, List.of(), tokens));
        all.add(of(Node.CONTRIB + ".QuickGelu", "alpha", 17, List.of(real("alpha", 1)), tokens));
        all.add(of(Node.CONTRIB + ".Gelu", "", 17, List.of(), tokens));
    }

    private static void activations(List<Case> all) {
        long[] tokens = shape(-1, 5, 8);
        for (String approximation : List.of("none", "tanh")) {
            all.add(of("Gelu", approximation, 20, List.of(text("approximate", approximation)), tokens));
        }
        all.add(of("HardSwish", "", 14, List.of(), tokens));
        all.add(of("HardSigmoid", "", 11, List.of(real("alpha", 1 / 6.0)), tokens));
        all.add(of("LeakyRelu", "", 16, List.of(real("alpha", 0.2)), tokens));
        all.add(of("Elu", "", 11, List.of(), tokens));
        all.add(of("ReduceL2", "", 13, List.of(integers("axes", -1)), tokens));
        for (long opset : new long[] {18, 21}) {
            for (String op : List.of("ReduceSumSquare", "ReduceL2", "ReduceMax", "ReduceMean", "ReduceSum")) {
                all.add(of(op, "no axes, nothing reduced", opset, List.of(integer("noop_with_empty_axes", 1)),
                        tokens));
            }
        }
        all.add(of("ReduceL2", "all", 18, List.of(integer("keepdims", 0)), tokens));
    }

    private static void convolutions(List<Case> all) {
        long[] image = shape(-1, 4, 9, 7);
        for (long opset : new long[] {11, 17, 21}) {
            all.add(of("Conv", "3 x 3, padded, stride 2", opset, List.of(integers("kernel_shape", 3, 3),
                    integers("pads", 1, 1, 1, 1), integers("strides", 2, 2)), image, shape(6, 4, 3, 3), shape(6)));
            all.add(of("MaxPool", "3 x 3, padded, stride 2", opset, List.of(integers("kernel_shape", 3, 3),
                    integers("pads", 1, 1, 1, 1), integers("strides", 2, 2)), image));
            all.add(of("AveragePool", "2 x 3, padding not counted", opset, List.of(integers("kernel_shape", 2, 3),
                    integers("pads", 0, 1, 1, 1), integers("strides", 2, 1)), image));
            all.add(of("GlobalAveragePool", "", opset, List.of(), image));
            all.add(of("BatchNormalization", "", opset, List.of(real("epsilon", 1e-3)), image, shape(4), shape(4),
                    shape(4), shape(4)));
        }
        all.add(of("Conv", "depthwise", 17, List.of(integer("group", 4), integers("pads", 1, 1, 1, 1)), image,
                shape(4, 1, 3, 3)));
        all.add(of("Conv", "two groups, dilated", 17, List.of(integer("group", 2), integers("dilations", 2, 1)), image,
                shape(6, 2, 3, 2), shape(6)));
        all.add(of("Conv", "same size", 12, List.of(text("auto_pad", "SAME_UPPER"), integers("strides", 2, 2)), image,
                shape(3, 4, 3, 3)));
        all.add(of("Conv", "uneven pads", 12, List.of(integers("pads", 0, 2, 1, 0)), image, shape(3, 4, 2, 2)));
        all.add(of("MaxPool", "rounded up", 12, List.of(integers("kernel_shape", 2, 2), integers("strides", 2, 2),
                integer("ceil_mode", 1)), image));
        all.add(of("MaxPool", "dilated", 12, List.of(integers("kernel_shape", 2, 2), integers("dilations", 2, 3)),
                image));
        all.add(of("AveragePool", "padding counted", 17, List.of(integers("kernel_shape", 3, 3),
                integers("pads", 1, 1, 1, 1), integer("count_include_pad", 1)), image));
        all.add(of("GlobalAveragePool", "of tokens", 17, List.of(), shape(-1, 4, 9)));
    }

    private static void normalizations(List<Case> all) {
        all.add(of("InstanceNormalization", "", 17, List.of(), shape(-1, 4, 9, 7), shape(4), shape(4)));
        all.add(of("InstanceNormalization", "of tokens", 11, List.of(real("epsilon", 1e-2)), shape(-1, 4, 9), shape(4),
                shape(4)));
        all.add(of("LayerNormalization", "", 17, List.of(integer("axis", -1)), shape(-1, 5, 8), shape(8), shape(8)));
        all.add(of("LayerNormalization", "two axes, no shift", 17, List.of(integer("axis", 1), real("epsilon", 1e-2)),
                shape(-1, 5, 8), shape(5, 8)));
        all.add(of("LayerNormalization", "before it was standard", 13, List.of(), shape(-1, 5, 8), shape(8), shape(8)));
    }

    @TestFactory
    Stream<DynamicTest> computeWhatTheNodeComputes() {
        return cases().stream().map(c -> DynamicTest.dynamicTest(c.toString(), () -> check(c, System.nanoTime())));
    }

    private static void check(Case c, long seed) throws OrtException {
        Random random = new Random(seed);
        ModelProto model = model(c, random);
        for (long batch : new long[] {2, Shape.BATCH}) {
            Graph graph = OnnxFile.read(model, batch);
            Map<String, Tensor> fed = new HashMap<>();
            graph.inputs().forEach(v -> fed.put(v.name(), Tensor.of(gaussian(v.shape().withBatch(2).size(), random),
                    v.shape().withBatch(2).extents())));
            try (GraphSession original = new GraphSession(model); GraphSession read = new GraphSession(graph)) {
                Map<String, Tensor> expected = original.run(fed);
                Map<String, Tensor> found = read.run(fed);
                assertEquals(expected.keySet(), found.keySet());
                for (Value output : graph.outputs()) {
                    String where = c + ", output " + output.name() + ", seed " + seed;
                    assertEquals(expected.get(output.name()).shape(), output.shape().withBatch(2), where);
                    float[] values = expected.get(output.name()).floats();
                    double scale = 1;
                    for (float value : values) {
                        scale = Math.max(scale, Math.abs(value));
                    }
                    assertArrayEquals(values, found.get(output.name()).floats(), (float) (scale * TOLERANCE), where);
                }
            }
        }
    }

    private static float[] gaussian(int size, Random random) {
        float[] elements = new float[size];
        for (int i = 0; i < size; i++) {
            elements[i] = (float) random.nextGaussian();
        }
        return elements;
    }

    private static ModelProto model(Case c, Random random) {
        ModelProto.Builder model = ModelProto.newBuilder().setIrVersion(8)
                .addOpsetImport(Models.operators("", c.opset));
        if (c.node.getDomain().equals(Node.CONTRIB)) {
            model.addOpsetImport(Models.operators(Node.CONTRIB, 1));
        }
        model.getGraphBuilder().setName("test").addNode(c.node);
        for (int i = 0; i < c.shapes.size(); i++) {
            if (c.shapes.get(i) == null) {
                continue;
            }
            Shape shape = Shape.of(c.shapes.get(i));
            if (!shape.isStatic()) {
                model.getGraphBuilder().addInput(Models.value(name(i), 1, Arrays.stream(shape.extents())
                        .mapToObj(e -> e == Shape.BATCH ? "batch" : (Object) e).toArray()));
                continue;
            }
            float[] elements = gaussian(shape.size(), random);
            boolean variance = c.node.getOpType().equals("BatchNormalization") && i == 4;
            for (int k = 0; variance && k < elements.length; k++) {
                elements[k] = 0.5f + Math.abs(elements[k]);
            }
            model.getGraphBuilder().addInitializer(Tensor.of(elements, shape.extents()).toProto(name(i)));
        }
        c.node.getOutputList().stream().filter(n -> !n.isEmpty()).forEach(n -> {
            var output = Models.value(n, 1).toBuilder();
            output.getTypeBuilder().getTensorTypeBuilder().clearShape();
            model.getGraphBuilder().addOutput(output);
        });
        return model.build();
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "MultiHeadAttention | 0 1 2 3 4 | operand 4: found a mask, allowed is attention of every token",
        "MultiHeadAttention | 0         | allowed are queries, keys and values apart",
        "MultiHeadAttention | 0 1 2 . . . 6 | operand 6: found a past",
        "Attention          | 0 1 2 3   | operand 3: found a mask",
        "Attention          | 0 1 2 . 4 | operand 4: found a past",
        "Attention          | 0 1       | found 2 operands, allowed are 3 to 7"})
    void whatIsMaskedIsRefused(String op, String operands, String part) {
        ModelProto.Builder model = Models.model(17).addOpsetImport(Models.operators(Node.CONTRIB, 1));
        NodeProto.Builder node = NodeProto.newBuilder().setOpType(op).setName("attend").setDomain(Node.CONTRIB)
                .addOutput("y").addAttribute(integer("num_heads", 1));
        for (String operand : operands.strip().split("\\s+")) {
            node.addInput(operand.equals(".") ? "" : operand.equals("0") ? "x" : "w" + operand);
        }
        for (String name : node.getInputList()) {
            boolean mask = name.equals(op.equals("Attention") ? "w3" : "w4");
            boolean integers = mask && part.contains("mask");
            if (!name.isEmpty() && !name.equals("x")) {
                model.getGraphBuilder().addInitializer(integers
                        ? new Tensor(ElementType.INT32, Shape.of(3), new int[3]).toProto(name)
                        : Tensor.of(new float[3], 3).toProto(name));
            }
        }
        model.getGraphBuilder().addNode(node);
        String message = assertThrows(EmtalException.class, () -> OnnxFile.read(model.build(), 2)).getMessage();
        assertTrue(message.startsWith("node 'attend' (com.microsoft." + op + ")") && message.contains(part), message);
    }

    @Test
    void causalAttentionIsRefused() {
        Case c = of(Node.CONTRIB + ".Attention", "", 17, List.of(integer("num_heads", 2), integer("unidirectional", 1)),
                shape(-1, 5, 8), shape(8, 24), shape(24));
        String message = assertThrows(EmtalException.class,
                () -> OnnxFile.read(model(c, new Random(1)), 2)).getMessage();
        assertTrue(message.contains("attribute 'unidirectional': found it switched on"), message);
    }

    @Test
    void trainingModeIsRefused() {
        Case c = of("BatchNormalization", "", 17, List.of(integer("training_mode", 1)), shape(-1, 4, 5), shape(4),
                shape(4), shape(4), shape(4));
        String message = assertThrows(EmtalException.class,
                () -> OnnxFile.read(model(c, new Random(1)), 2)).getMessage();
        assertTrue(message.contains("found training mode"), message);
    }

    /** Exporters keep equal weights once and name copies after the others. */
    @Test
    void copiesOfWeightsAreTheWeights() {
        ModelProto.Builder model = Models.product();
        model.getGraphBuilder().getNodeBuilder(0).setInput(1, "copy");
        model.getGraphBuilder().addNode(Models.node("Identity", "copying", List.of("w"), "copy"));
        Graph graph = OnnxFile.read(model.build(), 2);
        assertEquals(List.of("MatMul", "Relu"), graph.nodes().stream().map(Node::op).toList());
        assertEquals("w", graph.nodes().get(0).input(1).name());
    }

    /** A whole exponent is read as one of the base's type, as gradients and patterns take it. */
    @ParameterizedTest
    @CsvSource({"INT64, 0", "INT32, 0", "INT64, 1", "DOUBLE, 0"})
    void exponentsAreOfTheBasesType(ElementType type, int rank) throws OrtException {
        Shape shape = rank == 0 ? Shape.SCALAR : Shape.of(1);
        Tensor exponent = switch (type) {
            case INT32 -> new Tensor(type, shape, new int[] {3});
            case INT64 -> new Tensor(type, shape, new long[] {3});
            default -> Tensor.filled(type, shape, 3);
        };
        ModelProto.Builder model = Models.model(17);
        model.getGraphBuilder().addNode(Models.node("Pow", "power", List.of("x", "exponent"), "y"))
                .addInitializer(exponent.toProto("exponent"))
                .getOutputBuilder(0).getTypeBuilder().getTensorTypeBuilder().clearShape();
        Graph graph = OnnxFile.read(model.build(), 2);
        String name = graph.nodes().get(0).input(1).name();
        assertEquals(Tensor.filled(ElementType.FLOAT, shape, 3), graph.initializers().get(name));
        Map<String, Tensor> fed = Map.of("x", Tensor.of(new float[] {1, -2, 3, 0.5f, 0, -1}, 2, 3));
        try (GraphSession original = new GraphSession(model.build()); GraphSession read = new GraphSession(graph)) {
            assertArrayEquals(original.run(fed).get("y").floats(), read.run(fed).get("y").floats(), 1e-6f);
        }
    }

    /** What else a node gives keeps its name, so that others find it. */
    @Test
    void theSumBeforeANormKeepsItsName() {
        Case c = outputs(Node.CONTRIB + ".SkipLayerNormalization", "", 17, List.of(), List.of("y", "", "", "sum"),
                shape(-1, 5, 8), shape(-1, 5, 8), shape(8));
        Graph graph = OnnxFile.read(model(c, new Random(1)), 2);
        assertEquals(List.of("Add", "LayerNormalization"), graph.nodes().stream().map(Node::op).toList());
        assertEquals("sum", graph.nodes().get(0).output().name());
        Map<String, Value> outputs = new HashMap<>();
        graph.outputs().forEach(v -> outputs.put(v.name(), v));
        assertEquals(graph.nodes().get(0).output(), outputs.get("sum"));
    }
}

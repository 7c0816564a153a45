package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.AttributeProto.AttributeType;
import ai.onnx.proto.OnnxMl.FunctionProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.SparseTensorProto;
import ai.onnx.proto.OnnxMl.TensorAnnotation;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TrainingInfoProto;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import com.google.protobuf.ByteString;
import io.emtal.onnx.EmtalException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.function.Consumer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Models that must be refused, each with a message that says where, what was found and what is allowed. */
class FaultyModelsTest {

    // No model at all.

    @Test
    void truncatedModel() {
        byte[] bytes = Models.product().build().toByteArray();
        for (int length = 0; length < bytes.length; length++) {
            ByteString cut = ByteString.copyFrom(bytes, 0, length);
            String message = assertThrows(EmtalException.class, () -> OnnxFile.load(cut, ReadLimits.DEFAULT))
                    .getMessage();
            assertTrue(message.startsWith("model of " + length + " bytes: "), message);
        }
    }

    @Test
    void noBytes() {
        assertBytes(new byte[0], "found no bytes");
    }

    @Test
    void otherFiles() {
        assertBytes("PK\3\4 a zip archive, perhaps of PyTorch".getBytes(), "no ONNX model");
        assertBytes("<?xml version=\"1.0\"?><config/>".getBytes(), "found a protobuf group");
        assertBytes("version https://git-lfs.github.com/spec/v1\noid sha256:12\n".getBytes(), "");
    }

    @Test
    void missingFile(@TempDir Path folder) {
        Path file = folder.resolve("absent.onnx");
        String message = assertThrows(EmtalException.class, () -> OnnxFile.load(file)).getMessage();
        assertTrue(message.endsWith("absent.onnx: cannot be read: no such file"), message);
    }

    @Test
    void folderInsteadOfFile(@TempDir Path folder) {
        String message = assertThrows(EmtalException.class, () -> OnnxFile.load(folder)).getMessage();
        assertTrue(message.contains("found a directory, pipe or device, allowed is a regular file"), message);
    }

    @Test
    void deeplyNestedMessages() {
        GraphProto inner = GraphProto.getDefaultInstance();
        for (int i = 0; i < 40; i++) {
            inner = GraphProto.newBuilder().addNode(NodeProto.newBuilder()
                    .addAttribute(AttributeProto.newBuilder().setG(inner))).build();
        }
        GraphProto nested = inner;
        assertRefused(model -> model.setGraph(nested), "nested more than 24 deep");
    }

    // Malformed graphs.

    @Test
    void noGraph() {
        assertRefused(ModelProto.Builder::clearGraph, "found no graph");
    }

    @Test
    void inputWithoutType() {
        assertRefused(model -> model.getGraphBuilder().getInputBuilder(0).clearType(),
                "input 'x': found no type, allowed is a tensor type");
    }

    @Test
    void inputWithoutElementType() {
        assertRefused(model -> model.getGraphBuilder().getInputBuilder(0).getTypeBuilder().getTensorTypeBuilder()
                .clearElemType(), "input 'x': found no type");
    }

    @Test
    void inputWithoutShape() {
        assertRefused(model -> model.getGraphBuilder().getInputBuilder(0).getTypeBuilder().getTensorTypeBuilder()
                .clearShape(), "input 'x': found no shape");
    }

    @Test
    void sequenceInput() {
        assertRefused(model -> model.getGraphBuilder().getInputBuilder(0)
                        .setType(TypeProto.newBuilder().setSequenceType(TypeProto.Sequence.getDefaultInstance())),
                "input 'x': found SEQUENCE_TYPE, allowed is a tensor type");
    }

    @Test
    void outputWithoutType() {
        assertRefused(model -> model.getGraphBuilder().getOutputBuilder(0).clearType(), "output 'y': found no type");
    }

    @Test
    void noOutputs() {
        assertRefused(model -> model.getGraphBuilder().clearOutput(), "found a graph without outputs");
    }

    @Test
    void cycle() {
        assertRefused(model -> model.getGraphBuilder().clearNode()
                        .addNode(Models.node("MatMul", "multiply", List.of("x", "w"), "h"))
                        .addNode(Models.node("Add", "first", List.of("h", "c"), "a"))
                        .addNode(Models.node("Relu", "second", List.of("a"), "b"))
                        .addNode(Models.node("Neg", "third", List.of("b"), "c"))
                        .addNode(Models.node("Add", "below", List.of("c", "h"), "y")),
                "found a cycle of 3 nodes, each of which needs the next: node 'first' (Add), node 'third' (Neg), node"
                + " 'second' (Relu)");
    }

    @Test
    void nodeThatNeedsItself() {
        assertRefused(model -> model.getGraphBuilder().setNode(1, Models.node("Add", "own", List.of("h", "y"), "y")),
                "found a cycle of 1 nodes, each of which needs the next: node 'own' (Add)");
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 3})
    void wrongNumberOfOperands(int count) {
        assertRefused(model -> model.getGraphBuilder().setNode(0,
                        Models.node("MatMul", "multiply", Collections.nCopies(count, "x"), "h")),
                "node 'multiply' (MatMul): found " + count + " operands, allowed are 2");
    }

    @Test
    void neededOperandLeftOut() {
        assertRefused(model -> model.getGraphBuilder().getNodeBuilder(0).setInput(1, ""),
                "node 'multiply' (MatMul): operand 1 is left out, but it is needed");
    }

    @Test
    void wrongNumberOfOutputs() {
        assertRefused(model -> model.getGraphBuilder().getNodeBuilder(1).addOutput("more"),
                "node 'cut' (Relu): found 2 outputs, allowed are 1");
        assertRefused(model -> model.getGraphBuilder().getNodeBuilder(1).clearOutput(),
                "node 'cut' (Relu): found 0 outputs, allowed are 1");
        assertRefused(model -> model.getGraphBuilder().getNodeBuilder(1).setOutput(0, ""),
                "node 'cut' (Relu): none of its outputs has a name");
    }

    @Test
    void danglingOperand() {
        assertRefused(model -> model.getGraphBuilder().getNodeBuilder(1).setInput(0, "gone"),
                "node 'cut' (Relu): its operand 'gone' is made by nothing: no input, initialiser or node has that"
                + " name");
    }

    @Test
    void danglingOutput() {
        assertRefused(model -> model.getGraphBuilder().getOutputBuilder(0).setName("gone"),
                "output 'gone': made by nothing");
    }

    @Test
    void unnamedNodesAreNamedByTheirOutput() {
        assertRefused(model -> model.getGraphBuilder().getNodeBuilder(1).setName("").setInput(0, "gone"),
                "node 1 (Relu) of output 'y': its operand 'gone'");
    }

    @Test
    void duplicateNodeName() {
        assertRefused(model -> model.getGraphBuilder().getNodeBuilder(1).setName("multiply"),
                "node 'multiply' (Relu): another node has its name");
    }

    @Test
    void valueMadeTwice() {
        assertRefused(model -> model.getGraphBuilder().addNode(Models.node("Neg", "again", List.of("x"), "h")),
                "node 'again' (Neg): makes 'h', but node 'multiply' (MatMul) has that name already");
        assertRefused(model -> model.getGraphBuilder().addNode(Models.node("Neg", "again", List.of("x"), "w")),
                "node 'again' (Neg): makes 'w', but initialiser 'w' has that name already");
        assertRefused(model -> model.getGraphBuilder().addNode(Models.node("Neg", "again", List.of("w"), "x")),
                "node 'again' (Neg): makes 'x', but input 'x' has that name already");
    }

    @Test
    void duplicateInput() {
        assertRefused(model -> model.getGraphBuilder().addInput(Models.value("x", 1, 3)), "input 'x'");
    }

    @Test
    void duplicateOutput() {
        assertRefused(model -> model.getGraphBuilder().addOutput(model.getGraph().getOutput(0)),
                "output 'y': found twice, allowed is once");
    }

    @Test
    void duplicateInitialiser() {
        assertRefused(model -> model.getGraphBuilder().addInitializer(model.getGraph().getInitializer(0)),
                "initialiser 'w': found twice, allowed is once");
    }

    @Test
    void namelessThings() {
        assertRefused(model -> model.getGraphBuilder().getInputBuilder(0).setName(""), "found an input without a name");
        assertRefused(model -> model.getGraphBuilder().getOutputBuilder(0).setName(""),
                "found an output without a name");
        assertRefused(model -> model.getGraphBuilder().getInitializerBuilder(0).setName(""),
                "found an initialiser without a name");
    }

    @Test
    void unknownAttribute() {
        assertRefused(model -> model.getGraphBuilder().getNodeBuilder(1).addAttribute(Models.integer("slope", 1)),
                "node 'cut' (Relu): found attribute 'slope', allowed are []");
    }

    @Test
    void attributeOfAnotherKind() {
        AttributeProto text = AttributeProto.newBuilder().setName("axis").setType(AttributeType.STRING)
                .setS(ByteString.copyFromUtf8("1")).build();
        NodeProto node = Models.node("Softmax", "soft", List.of("h"), "y", text);
        assertRefused(model -> model.getGraphBuilder().setNode(1, node),
                "node 'soft' (Softmax): attribute 'axis' is of kind STRING, allowed is INT");
    }

    @Test
    void attributeThatHoldsSomethingElse() {
        AttributeProto mixed = Models.integer("axis", 1).toBuilder().setF(1).build();
        NodeProto node = Models.node("Softmax", "soft", List.of("h"), "y", mixed);
        assertRefused(model -> model.getGraphBuilder().setNode(1, node),
                "node 'soft' (Softmax), attribute 'axis': is said to be INT, but holds [FLOAT]");
    }

    @Test
    void attributeWithoutValue() {
        AttributeProto empty = AttributeProto.newBuilder().setName("axis").setType(AttributeType.INT).build();
        NodeProto node = Models.node("Softmax", "soft", List.of("h"), "y", empty);
        assertRefused(model -> model.getGraphBuilder().setNode(1, node),
                "node 'soft' (Softmax), attribute 'axis': is said to be INT, but holds no value");
    }

    @Test
    void missingAttribute() {
        NodeProto node = Models.node("Concat", "join", List.of("h", "h"), "y");
        assertRefused(model -> model.getGraphBuilder().setNode(1, node),
                "node 'join' (Concat): attribute 'axis' is missing");
    }

    @Test
    void namesAreShownOnOneShortLine() {
        String name = "a\nb\u202e" + "c".repeat(5000);
        assertRefused(model -> model.getGraphBuilder().getNodeBuilder(1).setName(name).setInput(0, "gone"),
                "node 'a\\u000ab\\u202e" + "c".repeat(96) + "…' (Relu): its operand 'gone'");
    }

    // Shapes that do not fit.

    @Test
    void shapesThatDoNotFit() {
        assertNotRead(model -> model.getGraphBuilder().setInput(0, Models.value("x", 1, "batch", 4)),
                "node 'multiply' (MatMul): found operands [2, 4] and [3, 2] whose inner extents 4 and 3 differ");
    }

    @Test
    void typesThatDoNotFit() {
        assertNotRead(model -> model.getGraphBuilder().setInput(0, Models.value("x", 7, "batch", 3)),
                "node 'multiply' (MatMul): operand 1 has type FLOAT, allowed is INT64 as for the operands before it");
    }

    @Test
    void outputOfAnotherShape() {
        assertNotRead(model -> model.getGraphBuilder().setOutput(0, Models.value("y", 1, "batch", 3)),
                "output 'y': declared with extent 3 at axis 1, found [2, 2]");
        assertNotRead(model -> model.getGraphBuilder().setOutput(0, Models.value("y", 11, "batch", 2)),
                "output 'y': declared with element type 11, found FLOAT");
    }

    @Test
    void openExtentsBesideTheBatch() {
        assertNotRead(model -> model.getGraphBuilder().setInput(0, Models.value("x", 1, "batch", "width")),
                "input 'x': found axis 1 ('width') open");
    }

    @Test
    void shapeOfAnOpenBatch() {
        ModelProto model = Models.model(17).build().toBuilder().setGraph(Models.model(17).getGraph().toBuilder()
                .addNode(Models.node("Shape", "measure", List.of("x"), "s"))
                .addNode(Models.node("Expand", "grow", List.of("x", "s"), "y"))
                .setOutput(0, Models.value("y", 1, "batch", 3))).build();
        assertEquals(Shape.of(5, 3), OnnxFile.read(model, 5).outputs().get(0).shape());
        String message = assertThrows(EmtalException.class, () -> OnnxFile.read(model, Shape.BATCH)).getMessage();
        assertTrue(message.startsWith("node 'measure' (Shape): found shape [batch, 3], allowed is one without an open"
                + " batch"), message);
    }

    // Sizes.

    @Test
    void declaredExtentsThatOverflow() {
        for (long extent : new long[] {1L << 31, 1L << 62, Long.MAX_VALUE}) {
            assertRefused(model -> model.getGraphBuilder().setInput(0, Models.value("x", 1, "batch", extent)),
                    "input 'x': found extent " + extent + ", allowed are 0 to 2147483647");
        }
        assertRefused(model -> model.getGraphBuilder().setInput(0, Models.value("x", 1, 1 << 16, 1 << 16, 1 << 16,
                1 << 16)), "input 'x': found shape [65536, 65536, 65536, 65536] of type FLOAT, allowed are 1073741824"
                + " bytes at most");
    }

    @Test
    void negativeExtents() {
        assertRefused(model -> model.getGraphBuilder().setInput(0, Models.value("x", 1, "batch", -3)),
                "input 'x': found extent -3");
        assertRefused(model -> model.getGraphBuilder().getInitializerBuilder(0).setDims(0, -3).setDims(1, -2),
                "initialiser 'w': found extent -3, allowed are 0 and more");
    }

    @Test
    void initialiserThatClaimsToBeHuge() {
        assertRefused(model -> model.getGraphBuilder().getInitializerBuilder(0).setDims(0, 1 << 20).setDims(1, 1 << 20),
                "initialiser 'w': found shape [1048576, 1048576] of type FLOAT, allowed are 1073741824 bytes at most");
        assertRefused(model -> model.getGraphBuilder().getInitializerBuilder(0).setDims(0, Long.MAX_VALUE),
                "initialiser 'w': found extent 9223372036854775807");
    }

    @Test
    void initialiserWithoutItsBytes() {
        assertRefused(model -> model.getGraphBuilder().getInitializerBuilder(0).setDims(0, 4),
                "initialiser 'w' of shape [4, 2] and type FLOAT: found 24 bytes, allowed are 32");
    }

    @Test
    void tooManyDimensions() {
        Object[] extents = Collections.nCopies(17, 1).toArray();
        assertRefused(model -> model.getGraphBuilder().setInput(0, Models.value("x", 1, extents)),
                "input 'x': found 17 dimensions, allowed are 16 at most");
    }

    @Test
    void valueThatIsHugeWhenComputed() {
        assertNotRead(model -> model.getGraphBuilder().addInitializer(Tensor.of(new long[] {1 << 27, 2, 2}, 3)
                .toProto("to")).setNode(1, Models.node("Expand", "grow", List.of("h", "to"), "y")),
                "node 'grow' (Expand): found shape [134217728, 2, 2] of type FLOAT, allowed are 1073741824 bytes at"
                + " most");
    }

    @Test
    void constantsThatAreComputedToFillTheMemory() {
        ModelProto.Builder model = Models.product();
        model.getGraphBuilder().addInitializer(Tensor.of(new long[] {1 << 20, 8}, 2).toProto("to"));
        for (int i = 0; i < 50; i++) {
            model.getGraphBuilder().addNode(Models.node("ConstantOfShape", "fill" + i, List.of("to"), "filled" + i));
        }
        String message = assertThrows(EmtalException.class, () -> OnnxFile.read(model.build(), 2)).getMessage();
        assertTrue(message.startsWith("node 'fill2' (ConstantOfShape): with it the constants that the graph computes"
                + " have"), message);
    }

    @Test
    void largeFile(@TempDir Path folder) throws IOException {
        Path file = folder.resolve("large.onnx");
        Files.write(file, Models.product().build().toByteArray());
        ReadLimits limits = new ReadLimits(50, 1000, 1000, 10, false);
        String message = assertThrows(EmtalException.class, () -> OnnxFile.load(file, limits)).getMessage();
        assertTrue(message.endsWith("found " + Files.size(file) + " bytes, allowed are 50"), message);
    }

    @Test
    void tooManyNodes() {
        ReadLimits limits = new ReadLimits(10_000, 1000, 1000, 1, false);
        String message = assertThrows(EmtalException.class,
                () -> OnnxFile.load(Models.product().build().toByteString(), limits)).getMessage();
        assertTrue(message.endsWith("found 2 nodes, allowed are 1"), message);
    }

    /** Two bytes of file would become an object of a hundred. */
    @Test
    void emptyMessagesWithoutEnd() {
        byte[] nodes = new byte[200_000];
        for (int i = 0; i < nodes.length; i += 2) {
            nodes[i] = 10;
        }
        ByteString graph = ByteString.copyFrom(new byte[] {58, (byte) 0xc0, (byte) 0x9a, 12})
                .concat(ByteString.copyFrom(nodes));
        ReadLimits limits = new ReadLimits(1 << 20, 1000, 1000, 100, false);
        String message = assertThrows(EmtalException.class, () -> OnnxFile.load(graph, limits)).getMessage();
        assertTrue(message.contains("found more than 5050 protobuf parts"), message);
    }

    @Test
    void limitsOutOfRange() {
        assertThrows(EmtalException.class, () -> new ReadLimits(0, 1, 1, 1, false));
        assertThrows(EmtalException.class, () -> new ReadLimits(1, 1L << 31, 1, 1, false));
        assertThrows(EmtalException.class, () -> new ReadLimits(1, 1, 1, -1, false));
    }

    // Versions and operators.

    @ParameterizedTest
    @ValueSource(longs = {-1, 0, 10, 22, Long.MAX_VALUE})
    void unknownOperatorSet(long version) {
        assertRefused(model -> model.setOpsetImport(0, Models.operators("", version)),
                "unsupported: found operator set " + version + ", allowed are the operator sets 11 to 21 of domain"
                + " ai.onnx; the operators are [MatMul, Relu]");
    }

    @Test
    void noOperatorSet() {
        assertRefused(ModelProto.Builder::clearOpsetImport, "unsupported: found no operator set of domain ai.onnx");
    }

    @Test
    void contradictoryOperatorSets() {
        assertRefused(model -> model.addOpsetImport(Models.operators("ai.onnx", 12)),
                "operator sets 17 and 12 of domain ai.onnx are both imported, allowed is one; the operators are"
                + " [MatMul, Relu]");
    }

    @ParameterizedTest
    @ValueSource(longs = {-1, 0, 2, 14})
    void unknownIrVersion(long version) {
        assertRefused(model -> model.setIrVersion(version), "unsupported: found IR version " + version
                + ", allowed are 3 to 13");
    }

    /** FLOAT4E2M1, FLOAT8E8M0, UINT2 and INT2, which came with the IR versions 11 to 13. */
    @ParameterizedTest
    @ValueSource(ints = {23, 24, 25, 26})
    void typesOfNewerModels(int type) {
        assertRefused(model -> model.setIrVersion(13).getGraphBuilder().getInitializerBuilder(0).setDataType(type),
                "initialiser 'w': element type ");
        assertRefused(model -> model.setIrVersion(13).getGraphBuilder().setInput(0, Models.value("x", type, "batch",
                3)), "input 'x': element type ");
    }

    @Test
    void allUnsupportedOperatorsAreListed() {
        assertRefused(model -> model.addOpsetImport(Models.operators("com.microsoft", 1)).getGraphBuilder()
                        .addNode(Models.node("Einsum", "e1", List.of("x"), "e1"))
                        .addNode(Models.node("Einsum", "e2", List.of("x"), "e2"))
                        .addNode(Models.node("Loop", "l", List.of("x"), "l"))
                        .addNode(Models.node("Gelu", "g", List.of("x"), "g"))
                        .addNode(NodeProto.newBuilder().setOpType("BiasSplitGelu").setDomain("com.microsoft"))
                        .addNode(NodeProto.newBuilder().setOpType("Fused").setDomain("org.example")),
                "unsupported operators (number of nodes): Einsum (2), Loop (1), Gelu (1, not in operator set 17),"
                        + " com.microsoft.BiasSplitGelu (1), org.example.Fused (1, its domain is not imported);"
                        + " supported are Abs, Add,");
    }

    @Test
    void operatorsOfOtherDomainsMayBeImportedUnused() {
        OnnxFile.load(Models.product().addOpsetImport(Models.operators("ai.onnx.ml", 5)).build().toByteString(),
                ReadLimits.DEFAULT);
    }

    @Test
    void halfPrecision() {
        for (TensorProto.DataType type : List.of(TensorProto.DataType.FLOAT16, TensorProto.DataType.BFLOAT16,
                TensorProto.DataType.INT8, TensorProto.DataType.UINT8)) {
            assertRefused(model -> model.getGraphBuilder().getInitializerBuilder(0).setDataType(type.getNumber()),
                    "initialiser 'w': element type " + type + " is not supported; allowed are FLOAT, DOUBLE, INT32,"
                    + " INT64, BOOL (export half-precision or quantised models as 32-bit floats)");
            assertRefused(model -> model.getGraphBuilder().setInput(0, Models.value("x", type.getNumber(), "batch", 3)),
                    "input 'x': element type " + type + " is not supported");
        }
    }

    @Test
    void halfPrecisionInside() {
        assertNotRead(model -> model.getGraphBuilder().setNode(1, Models.node("Cast", "halve", List.of("h"), "y",
                        Models.integer("to", TensorProto.DataType.FLOAT16.getNumber()))),
                "node 'halve' (Cast): target: element type FLOAT16 is not supported");
    }

    @Test
    void quantisedOperators() {
        assertRefused(model -> model.getGraphBuilder().addNode(Models.node("DequantizeLinear", "q", List.of("x", "x"),
                "q")).addNode(Models.node("MatMulInteger", "m", List.of("x", "x"), "m")),
                "unsupported operators (number of nodes): DequantizeLinear (1), MatMulInteger (1); export the model"
                + " with 32-bit floats, not quantised; supported are");
    }

    @Test
    void quantisedTensors() {
        assertRefused(model -> model.getGraphBuilder().addQuantizationAnnotation(TensorAnnotation.newBuilder()
                .setTensorName("w")), "unsupported: tensor 'w' is quantised");
    }

    @Test
    void subgraphs() {
        AttributeProto branch = AttributeProto.newBuilder().setName("then_branch").setType(AttributeType.GRAPH)
                .setG(GraphProto.getDefaultInstance()).build();
        NodeProto choice = Models.node("If", "choose", List.of("h"), "y", branch);
        assertRefused(model -> model.getGraphBuilder().setNode(1, choice),
                "unsupported operators (number of nodes): If (1)");
        NodeProto node = Models.node("Relu", "cut", List.of("h"), "y", branch);
        assertRefused(model -> model.getGraphBuilder().setNode(1, node),
                "node 'cut' (Relu), attribute 'then_branch': unsupported: found GRAPH");
    }

    @Test
    void functions() {
        assertRefused(model -> model.addFunctions(FunctionProto.newBuilder().setName("attention")),
                "unsupported: found 1 functions, the first 'attention'");
    }

    @Test
    void sparseInitialisers() {
        assertRefused(model -> model.getGraphBuilder().addSparseInitializer(SparseTensorProto.newBuilder()
                .setValues(TensorProto.newBuilder().setName("few"))), "unsupported: sparse initialiser 'few'");
    }

    @Test
    void trainingInformation() {
        assertRefused(model -> model.addTrainingInfo(TrainingInfoProto.getDefaultInstance()),
                "unsupported: found training information");
    }

    // What must not be refused.

    @Test
    void nodesInAnyOrder() {
        long seed = System.nanoTime();
        ModelProto.Builder model = Models.model(17);
        List<NodeProto> nodes = new ArrayList<>();
        for (int i = 0; i < 3000; i++) {
            nodes.add(Models.node("Neg", "n" + i, List.of(i == 0 ? "x" : "v" + (i - 1)), "v" + i));
        }
        Collections.shuffle(nodes, new Random(seed));
        model.getGraphBuilder().addAllNode(nodes).setOutput(0, Models.value("v2999", 1, "batch", 3));
        Graph graph = OnnxFile.read(OnnxFile.load(model.build().toByteString(), ReadLimits.DEFAULT), Shape.BATCH);
        for (int i = 0; i < 3000; i++) {
            assertEquals("n" + i, graph.nodes().get(i).name(), "seed " + seed);
        }
    }

    @Test
    void initialisersAmongTheInputs() {
        ModelProto.Builder model = Models.product().setIrVersion(3);
        model.getGraphBuilder().addInput(Models.value("w", 1, 3, 2));
        assertEquals(List.of("x"), OnnxFile.read(model.build(), 2).inputs().stream().map(Value::name).toList());
        model.getGraphBuilder().setInput(1, Models.value("w", 1, 2, 3));
        String message = assertThrows(EmtalException.class, () -> OnnxFile.read(model.build(), 2)).getMessage();
        assertTrue(message.startsWith("input 'w': declared with shape [2, 3]"), message);
    }

    @Test
    void valueTypesThatNothingNeeds() {
        ModelProto.Builder model = Models.product();
        model.getGraphBuilder().addValueInfo(ValueInfoProto.newBuilder().setName("h"));
        OnnxFile.load(model.build().toByteString(), ReadLimits.DEFAULT);
    }

    private static void assertBytes(byte[] bytes, String part) {
        String message = assertThrows(EmtalException.class,
                () -> OnnxFile.load(ByteString.copyFrom(bytes), ReadLimits.DEFAULT)).getMessage();
        assertTrue(message.contains(part), message);
    }

    /** A fault that shows when the model is loaded, and when it is read without having been loaded. */
    private static void assertRefused(Consumer<ModelProto.Builder> fault, String message) {
        ModelProto.Builder model = Models.product();
        fault.accept(model);
        ByteString bytes = model.build().toByteString();
        String found = assertThrows(EmtalException.class, () -> OnnxFile.load(bytes, ReadLimits.DEFAULT)).getMessage();
        String prefix = "model of " + bytes.size() + " bytes: ";
        assertTrue(found.startsWith(prefix) && found.substring(prefix.length()).contains(message), found);
        if (!message.startsWith("nested")) {
            String again = assertThrows(EmtalException.class, () -> OnnxFile.read(model.build(), 2)).getMessage();
            assertEquals(found.substring(prefix.length()), again);
        }
    }

    /** A fault that shows when the graph is made. */
    private static void assertNotRead(Consumer<ModelProto.Builder> fault, String message) {
        ModelProto.Builder model = Models.product();
        fault.accept(model);
        ModelProto loaded = OnnxFile.load(model.build().toByteString(), ReadLimits.DEFAULT);
        String found = assertThrows(EmtalException.class, () -> OnnxFile.read(loaded, 2, Map.of())).getMessage();
        assertTrue(found.startsWith(message), found);
    }
}

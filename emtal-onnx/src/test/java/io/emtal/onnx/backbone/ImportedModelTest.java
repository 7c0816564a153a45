package io.emtal.onnx.backbone;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto;
import ai.onnx.proto.OnnxMl.TensorShapeProto.Dimension;
import ai.onnx.proto.OnnxMl.TypeProto;
import ai.onnx.proto.OnnxMl.ValueInfoProto;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.adapt.Adaptation;
import io.emtal.onnx.adapt.FullDense;
import io.emtal.onnx.adapt.Lora;
import io.emtal.onnx.backbone.ExporterVariant.Weights;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.GraphSession;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.ReadLimits;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.SharedData;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.predict.DensePredictor;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.HeadScope;
import io.emtal.onnx.task.Heads;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.TaskLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Collectors;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What stays of an imported model, what changes, and that it computes what the training graph computes. */
class ImportedModelTest {

    private static final TaskLayout TASKS = tasks(HeadScope.PER_TASK);

    /** Kinds in turns, so that columns of one kind lie apart, and two softmaxes of one width. */
    private static TaskLayout tasks(HeadScope scope) {
        return new TaskLayout(List.of(new CategoricalTask("a", 3, 1), new BinaryTask("b", 1), new RealTask("r", 5, 2, 1),
                new CategoricalTask("c", 3, 1), new BinaryTask("d", 1), new CategoricalTask("e", 2, 1),
                new RealTask("s", -1, 0.5, 1)), scope);
    }

    @ParameterizedTest
    @CsvSource({"11, 3", "11, 6", "12, 7", "13, 7", "14, 7", "15, 8", "16, 8", "17, 8", "18, 8", "19, 9", "20, 9",
        "21, 10", "11, 11", "17, 11", "17, 12", "17, 13", "21, 13"})
    void headsOfEveryKindInEveryOperatorSet(long operatorSet, long ir) throws Exception {
        ModelProto original = model(operatorSet, ir);
        for (HeadScope scope : HeadScope.values()) {
            for (Pooling.Kind pooling : Pooling.Kind.values()) {
                ModelProto merged = agrees(imported(original, pooling), tasks(scope), disturbed(original));
                keeps(original, merged, Set.of("weight", "bias"));
            }
        }
    }

    @ParameterizedTest
    @EnumSource(Pooling.Kind.class)
    void onlyTheOldHeadGoes(Pooling.Kind pooling) {
        ModelProto original = model(17, 8);
        GraphProto merged = merged(imported(original, pooling), graph(original)).getGraph();
        int kept = switch (pooling) {
            case VALUE -> 5;
            case CLASS_TOKEN, MEAN -> 4;
            case PAIR -> 6;
        };
        assertEquals(original.getGraph().getNodeList().subList(0, kept), merged.getNodeList().subList(0, kept));
        List<String> initializers = names(merged);
        assertFalse(initializers.contains("head.weight"));
        assertFalse(initializers.contains("head.bias"));
        assertEquals(pooling == Pooling.Kind.PAIR, initializers.contains("three"));
        assertEquals(List.of("output"), merged.getOutputList().stream().map(ValueInfoProto::getName).toList());
        assertEquals(List.of("tokens"), merged.getValueInfoList().stream().map(ValueInfoProto::getName).toList());
    }

    @Test
    void nodesThatNothingNeedsStayUnlessTheyReadTheOldHead() throws Exception {
        ModelProto.Builder original = model(17, 8).toBuilder();
        original.getGraphBuilder()
                .addNode(0, node("Neg", "of the old head", List.of("probe"), "unused"))
                .addNode(0, node("Neg", "of the product", List.of("product"), "free"))
                .addNode(node("Neg", "of the logits", List.of("logits"), "probe"));
        ModelProto merged = agrees(imported(original.build(), Pooling.Kind.VALUE), TASKS, disturbed(original.build()));
        List<String> names = merged.getGraph().getNodeList().stream().map(NodeProto::getName).toList();
        assertEquals(List.of("of the product", "cut", "embed", "shift", "rectify", "first"), names.subList(0, 6));
        assertFalse(names.contains("of the logits") || names.contains("of the old head"), names.toString());
    }

    @Test
    void newNamesDoNotClash() throws Exception {
        ModelProto.Builder original = model(17, 8).toBuilder();
        rename(original.getGraphBuilder(), Map.of("product", "output", "output", "answer", "shifted", "Gemm_0", "weight",
                "head.a.weight", "bias", "const_0"));
        original.getGraphBuilder().getNodeBuilder(3).setName("output_2");
        ModelProto merged = merged(imported(original.build(), Pooling.Kind.VALUE), graph(original.build()));
        assertEquals("output_3", merged.getGraph().getOutput(0).getName());
        keeps(original.build(), merged, Set.of());
        ModelProto plain = merged(imported(model(17, 8), Pooling.Kind.VALUE), graph(model(17, 8)));
        try (GraphSession expected = new GraphSession(plain); GraphSession actual = new GraphSession(merged)) {
            Map<String, Tensor> rows = Map.of("x", rows(2));
            assertEquals(expected.run(rows).get("output"), actual.run(rows).get("output_3"));
        }
    }

    /** ONNX Runtime ends the process where an output of Split has no name. */
    @Test
    void partsThatNothingReadsGetNames() throws Exception {
        ModelProto.Builder original = model(17, 8).toBuilder();
        GraphProto.Builder graph = original.getGraphBuilder();
        graph.addInitializer(Tensor.of(new long[] {1, 1, 2}, 3).toProto("parts"))
                .addInitializer(Tensor.of(new long[] {1}, 1).toProto("one"))
                .addNode(4, node("Squeeze", "drop", List.of("part", "one"), "cls"))
                .addNode(4, node("Split", "divide", List.of("tokens", "parts"), "part", integer("axis", 1)).toBuilder()
                        .clearOutput().addAllOutput(List.of("", "part", "")).build());
        graph.setNode(6, node("Identity", "first", List.of("cls"), "unread"));
        graph.getNodeBuilder(8).setInput(0, "unread");
        ModelProto merged = agrees(imported(original.build(), Pooling.Kind.VALUE), TASKS, disturbed(original.build()));
        assertEquals(List.of("unread_2", "part", "unread_3"), merged.getGraph().getNode(4).getOutputList());
        try (DensePredictor read = new DensePredictor(original.build().toByteString(), 1);
             DensePredictor named = new DensePredictor(OnnxFile.named(original.build()).toByteString(), 1)) {
            float[] rows = rows(3).floats();
            assertArrayEquals(named.predict(rows, 3), read.predict(rows, 3));
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void nodesInAnyOrder(long seed) throws Exception {
        ModelProto.Builder original = model(17, 8).toBuilder();
        List<NodeProto> nodes = new ArrayList<>(original.getGraph().getNodeList());
        Collections.shuffle(nodes, new Random(seed));
        original.getGraphBuilder().clearNode().addAllNode(nodes);
        ModelProto merged = agrees(imported(original.build(), Pooling.Kind.VALUE), TASKS, disturbed(original.build()));
        keeps(original.build(), merged, Set.of("weight", "bias"));
    }

    @Test
    void weightsOfConstantNodes() throws Exception {
        ModelProto.Builder original = model(17, 8).toBuilder();
        GraphProto.Builder graph = original.getGraphBuilder();
        TensorProto weight = constants(original.getGraph()).get("weight");
        float[] bias = Tensor.fromProto(constants(original.getGraph()).get("bias")).floats();
        AttributeProto.Builder floats = AttributeProto.newBuilder().setName("value_floats")
                .setType(AttributeProto.AttributeType.FLOATS);
        for (float element : bias) {
            floats.addFloats(element);
        }
        graph.removeInitializer(names(original.getGraph()).indexOf("weight"));
        graph.removeInitializer(names(graph.build()).indexOf("bias"));
        graph.addNode(1, node("Constant", "matrix", List.of(), "weight", AttributeProto.newBuilder().setName("value")
                .setType(AttributeProto.AttributeType.TENSOR).setT(weight.toBuilder().clearName()).build()));
        graph.addNode(2, node("Constant", "row", List.of(), "bias", floats.build()));
        ModelProto merged = agrees(imported(original.build(), Pooling.Kind.VALUE), TASKS, disturbed(original.build()));
        assertEquals(7, keeps(original.build(), merged, Set.of("weight", "bias")));
    }

    /** Weights are trained wherever an exporter puts them, and go back there. */
    @Test
    void weightsOfConstantNodesAreTrained() {
        ModelProto original = ExporterGraphs.write(ExporterVariant.of("constants", Weights.CONSTANT_NODES), 12).model();
        Backbone backbone = OnnxBackbone.read(original);
        Backbone plain = OnnxBackbone.read(ExporterGraphs.write(ExporterVariant.of("initialisers"), 12).model());
        assertEquals(plain.weightCount(), backbone.weightCount());
        assertEquals(names(new FullDense().adapt(plain, 1)), names(new FullDense().adapt(backbone, 1)));
        Adaptation adaptation = Lora.builder().rank(2).embeddingRate(0.5).build().adapt(backbone, 1);
        Map<String, Tensor> values = new HashMap<>();
        adaptation.parameters().forEach(p -> values.put(p.name(), p.initial()));
        Set<String> outside = adaptation.parameters().stream().filter(p -> p.part().equals("backbone"))
                .map(Parameter::name).collect(Collectors.toSet());
        assertTrue(outside.containsAll(Set.of("cls_token", "pos_embed", "patch_embed.proj.weight",
                "blocks.0.norm1.weight", "norm.bias")), outside.toString());
        Graph trained = changed(backbone.graph(), outside);
        outside.forEach(name -> values.put(name, trained.initializers().get(name)));
        ModelProto merged = merged(backbone.imported().orElseThrow(),
                adaptation.merge(backbone, values::get, 1).graph());
        Map<String, TensorProto> now = MergedModel.constants(merged.getGraph());
        outside.forEach(name -> assertEquals(values.get(name), Tensor.fromProto(now.get(name)), name));
    }

    private static Set<String> names(Adaptation adaptation) {
        return adaptation.parameters().stream().map(Parameter::name).collect(Collectors.toSet());
    }

    @Test
    void floatDataStaysFloatDataWhereItDoesNotChange() throws Exception {
        ModelProto.Builder original = model(17, 8).toBuilder();
        GraphProto.Builder graph = original.getGraphBuilder();
        for (int i = 0; i < graph.getInitializerCount(); i++) {
            TensorProto.Builder tensor = graph.getInitializerBuilder(i);
            if (tensor.getDataType() == ElementType.FLOAT.code()) {
                float[] elements = Tensor.fromProto(tensor.build()).floats();
                tensor.clearRawData().setDocString("in words");
                for (float element : elements) {
                    tensor.addFloatData(element);
                }
            }
        }
        ImportedModel imported = imported(original.build(), Pooling.Kind.VALUE);
        Graph changed = changed(graph(original.build()), Set.of("weight"));
        ModelProto merged = agrees(imported, TASKS, changed);
        keeps(original.build(), merged, Set.of("weight"));
        assertEquals("in words", constants(merged.getGraph()).get("weight").getDocString());
        assertEquals(0, constants(merged.getGraph()).get("weight").getFloatDataCount());
    }

    @Test
    void weightsOfOtherFilesLieInside(@TempDir Path folder) throws Exception {
        ModelProto.Builder file = model(17, 8).toBuilder();
        int position = names(file.getGraph()).indexOf("weight");
        TensorProto weight = file.getGraph().getInitializer(position);
        Files.write(folder.resolve("weights.bin"), weight.getRawData().toByteArray());
        file.getGraphBuilder().getInitializerBuilder(position).clearRawData()
                .setDataLocation(TensorProto.DataLocation.EXTERNAL).addExternalDataBuilder().setKey("location")
                .setValue("weights.bin");
        Files.write(folder.resolve("model.onnx"), file.build().toByteArray());
        ModelProto original = OnnxFile.load(folder.resolve("model.onnx"), ReadLimits.DEFAULT.withExternalData());
        ModelProto merged = agrees(imported(original, Pooling.Kind.VALUE), TASKS, disturbed(original));
        keeps(model(17, 8), merged, Set.of("weight", "bias"));
    }

    /** A backbone's graph may hold a weight in parts and transposed. */
    @Test
    void weightsGoBackWhereTheyComeFrom() throws Exception {
        ModelProto original = model(17, 8);
        float[] weight = Tensor.fromProto(constants(original.getGraph()).get("weight")).floats();
        Map<String, InitializerOrigin> origins = Map.of(
                "left", InitializerOrigin.range("weight", 1, 0, 4).permuted(1, 0),
                "right", InitializerOrigin.range("weight", 1, 4, 8).permuted(1, 0));
        ImportedModel imported = new ImportedModel(original, Pooling.Kind.VALUE, List.of(value("cls", 8)), origins);

        Tensor right = Tensor.of(origins.get("right").take(Tensor.of(weight, 4, 8)), 4, 4);
        float[] changed = origins.get("left").take(Tensor.of(weight, 4, 8)).clone();
        changed[1] += 1;
        Graph graph = graph(original);
        Graph parts = new Graph(graph.inputs(), graph.outputs(), Map.of("left", Tensor.of(changed, 4, 4), "right", right),
                List.of());
        ModelProto merged = merged(imported, parts);
        float[] expected = weight.clone();
        expected[8] += 1;
        assertArrayEquals(expected, Tensor.fromProto(constants(merged.getGraph()).get("weight")).floats());
        keeps(original, merged, Set.of("weight"));
    }

    @Test
    void copiesOfOneWeightMustNotDiffer() {
        ModelProto original = model(17, 8);
        ImportedModel imported = new ImportedModel(original, Pooling.Kind.VALUE, List.of(value("cls", 8)),
                Map.of("copy", InitializerOrigin.of("weight")));
        Graph graph = disturbed(original);
        Tensor unchanged = Tensor.fromProto(constants(original.getGraph()).get("weight"));
        Graph copies = new Graph(graph.inputs(), graph.outputs(),
                Map.of("weight", graph.initializers().get("weight"), "copy", unchanged), List.of());
        EmtalException e = assertThrows(EmtalException.class, () -> merged(imported, copies));
        assertTrue(e.getMessage().contains("'copy'") && e.getMessage().contains("'weight'"), e.getMessage());
    }

    @Test
    void whatIsTrainedMustComeFromTheModel() {
        ModelProto original = model(17, 8);
        Graph graph = pooled(original);
        ImportedModel good = imported(original, Pooling.Kind.VALUE);
        Backbone backbone = new Backbone(graph, List.of(), Set.of(), false, Optional.empty(), Optional.of(good));
        assertEquals(good, backbone.withInitializers(Map.of()).imported().orElseThrow());
        ImportedModel bad = new ImportedModel(original, Pooling.Kind.VALUE, List.of(value("cls", 8)),
                Map.of("weight", InitializerOrigin.of("gone")));
        EmtalException e = assertThrows(EmtalException.class,
                () -> new Backbone(graph, List.of(), Set.of(), false, Optional.empty(), Optional.of(bad)));
        assertTrue(e.getMessage().contains("'weight'") && e.getMessage().contains("'gone'"), e.getMessage());
        new Backbone(graph, List.of(), Set.of("weight"), false, Optional.empty(), Optional.of(bad));
        ImportedModel part = new ImportedModel(original, Pooling.Kind.VALUE, List.of(value("cls", 8)),
                Map.of("weight", InitializerOrigin.range("weight", 0, 0, 3)));
        assertThrows(EmtalException.class,
                () -> new Backbone(graph, List.of(), Set.of(), false, Optional.empty(), Optional.of(part)));
    }

    @Test
    void featuresMustBeOfTheModel() {
        ModelProto original = model(17, 8);
        assertThrows(EmtalException.class,
                () -> new ImportedModel(original, Pooling.Kind.VALUE, List.of(value("none", 8))));
        assertThrows(EmtalException.class,
                () -> new ImportedModel(original, Pooling.Kind.MEAN, List.of(value("cls", 8))));
        assertThrows(EmtalException.class,
                () -> new ImportedModel(original, Pooling.Kind.PAIR, List.of(value("cls", 8))));
        ModelProto.Builder two = original.toBuilder();
        two.getGraphBuilder().addInput(two.getGraph().getInput(0).toBuilder().setName("y"));
        assertThrows(EmtalException.class,
                () -> new ImportedModel(two.build(), Pooling.Kind.VALUE, List.of(value("cls", 8))));
    }

    /** A fixed batch opens where no node insists on it, and a predictor keeps to one that does not. */
    @ParameterizedTest
    @CsvSource({"1, 0, batch", "1, -1, batch", "2, 0, batch", "1, 1, 1", "2, 2, 2"})
    void fixedBatch(long batch, long reshaped, String result) throws Exception {
        ModelProto.Builder original = model(17, 8).toBuilder();
        GraphProto.Builder graph = original.getGraphBuilder();
        graph.getInputBuilder(0).getTypeBuilder().getTensorTypeBuilder().getShapeBuilder().getDimBuilder(0)
                .clearDimParam().setDimValue(batch);
        graph.getOutputBuilder(0).clearType().getTypeBuilder().getTensorTypeBuilder().setElemType(1);
        graph.getValueInfoBuilder(0).getTypeBuilder().getTensorTypeBuilder().getShapeBuilder().getDimBuilder(0)
                .clearDimParam().setDimValue(batch);
        graph.setInitializer(names(graph.build()).indexOf("shape"), Tensor.of(new long[] {reshaped, 4, 4}, 3)
                .toProto("shape"));

        ImportedModel imported = imported(original.build(), Pooling.Kind.VALUE);
        ModelProto merged = merged(imported, disturbed(model(17, 8)));
        for (ValueInfoProto end : List.of(merged.getGraph().getInput(0), merged.getGraph().getOutput(0))) {
            Dimension first = end.getType().getTensorType().getShape().getDim(0);
            assertEquals(result, first.hasDimValue() ? Long.toString(first.getDimValue()) : first.getDimParam());
        }
        ModelProto open = merged(imported(model(17, 8), Pooling.Kind.VALUE), disturbed(model(17, 8)));
        try (DensePredictor expected = new DensePredictor(open.toByteString(), 1);
             DensePredictor actual = new DensePredictor(merged.toByteString(), 1)) {
            for (int rows = 0; rows <= 5; rows++) {
                assertArrayEquals(expected.predict(rows(5).floats(), rows), actual.predict(rows(5).floats(), rows), 1e-6f);
            }
        }
    }

    @Test
    void otherOpenExtentsBecomeThoseOfTheBackbone() throws Exception {
        ModelProto.Builder original = model(17, 8).toBuilder();
        original.getGraphBuilder().getInputBuilder(0).getTypeBuilder().getTensorTypeBuilder().getShapeBuilder()
                .getDimBuilder(2).clearDimValue().setDimParam("height");
        ModelProto merged = merged(imported(original.build(), Pooling.Kind.VALUE), graph(model(17, 8)));
        assertEquals(model(17, 8).getGraph().getInput(0), merged.getGraph().getInput(0));
    }

    /** The trained network in three files that exporters could have written. */
    @ParameterizedTest
    @ValueSource(strings = {"opset17", "opset12", "features"})
    void trainedTransformer(String name) throws Exception {
        ModelProto original = SharedData.model("vit-mnist-onnx/vit-mnist-" + name + ".onnx");
        GraphProto old = original.getGraph();
        boolean tokens = name.equals("features");
        // The head's Gemm reads the pooled representation.
        Value features = tokens ? new Value("last_hidden_state", ElementType.FLOAT, Shape.of(Shape.BATCH, 50, 64))
                : value(old.getNode(old.getNodeCount() - 1).getInput(0), 64);
        ImportedModel imported = new ImportedModel(original, tokens ? Pooling.Kind.CLASS_TOKEN : Pooling.Kind.VALUE,
                List.of(features));
        Graph fixed = OnnxFile.read(original, 2);
        Optional<String> weight = fixed.initializers().keySet().stream().filter(n -> n.startsWith("onnx::MatMul"))
                .findFirst();
        Set<String> change = Set.of(weight.orElseThrow());
        ModelProto merged = merged(imported, changed(fixed, change));
        keeps(original, merged, change);
        assertEquals(old.getInput(0), merged.getGraph().getInput(0));
        int kept = old.getNodeCount() - (tokens ? 0 : 1);
        assertEquals(old.getNodeList().subList(0, kept), merged.getGraph().getNodeList().subList(0, kept));
        try (DensePredictor predictor = new DensePredictor(merged.toByteString(), 1)) {
            assertEquals(784, predictor.inputWidth());
            float[] one = predictor.predict(new float[3 * 784], 3);
            assertArrayEquals(Arrays.copyOf(one, TASKS.columns()), predictor.predict(new float[784], 1), 1e-6f);
        }
    }

    static List<ExporterVariant> variants() {
        return ExporterVariants.ALL;
    }

    /** Every weight changed, in models as exporters write them. */
    @ParameterizedTest
    @MethodSource("variants")
    void exportersModels(ExporterVariant variant) throws Exception {
        ExportedTransformer exported = ExporterGraphs.write(variant, 11);
        Graph graph = OnnxFile.read(exported.model(), 1);
        Value output = graph.outputs().get(0);
        ImportedModel imported = new ImportedModel(exported.model(),
                output.rank() == 2 ? Pooling.Kind.VALUE : Pooling.Kind.MEAN,
                List.of(new Value(output.name(), ElementType.FLOAT, output.shape().with(0, Shape.BATCH))));
        Set<String> weights = new HashSet<>(MergedModel.constants(exported.model().getGraph()).keySet());
        weights.retainAll(graph.initializers().keySet());
        weights.removeIf(name -> graph.initializers().get(name).type() != ElementType.FLOAT
                || graph.initializers().get(name).shape().size() == 1);
        assertTrue(weights.size() > 20, weights.toString());
        ModelProto merged = agrees(imported, TASKS, changed(graph, weights), exported.images(1, 2));
        keeps(exported.model(), merged, weights);
    }

    /** With the old head as the heads' parameters, the merged model gives the original's logits. */
    @ParameterizedTest
    @ValueSource(strings = {"opset17", "opset12"})
    void theOldHeadAgain(String name) throws Exception {
        ModelProto original = SharedData.model("vit-mnist-onnx/vit-mnist-" + name + ".onnx");
        GraphProto old = original.getGraph();
        NodeProto head = old.getNode(old.getNodeCount() - 1);
        Map<String, TensorProto> constants = constants(old);
        ImportedModel imported = new ImportedModel(original, Pooling.Kind.VALUE, List.of(value(head.getInput(0), 64)));
        ModelProto merged = imported.model(OnnxFile.read(original, 2), "output", (graph, pooled) -> graph.gemm(pooled,
                graph.transpose(graph.initializer("w", Tensor.fromProto(constants.get(head.getInput(1)))), 1, 0),
                graph.initializer("b", Tensor.fromProto(constants.get(head.getInput(2))))));
        Random random = new Random(3);
        float[] pixels = new float[5 * 784];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (float) random.nextGaussian();
        }
        try (DensePredictor before = new DensePredictor(original.toByteString(), 1);
             DensePredictor after = new DensePredictor(merged.toByteString(), 1)) {
            assertArrayEquals(before.predict(pixels, 5), after.predict(pixels, 5), 1e-5f);
        }
    }

    /** Everything but heads and the changed constants is the original's, in its order. Counts the nodes that stayed. */
    private static int keeps(ModelProto original, ModelProto merged, Set<String> changed) {
        assertEquals(original.toBuilder().clearGraph().build(), merged.toBuilder().clearGraph().build());
        GraphProto old = original.getGraph();
        GraphProto now = merged.getGraph();
        assertEquals(shell(old), shell(now));

        Function<NodeProto, NodeProto> withoutChanged = node -> node.getOpType().equals("Constant")
                && changed.contains(node.getOutput(0)) ? node.toBuilder().clearAttribute().build() : node;
        List<NodeProto> nodes = now.getNodeList().stream().map(withoutChanged).toList();
        List<NodeProto> stayed = old.getNodeList().stream().map(withoutChanged).filter(nodes::contains).toList();
        assertEquals(stayed, nodes.subList(0, stayed.size()));

        List<TensorProto> tensors = now.getInitializerList();
        List<TensorProto> before = old.getInitializerList().stream().filter(t -> names(now).contains(t.getName())).toList();
        for (int i = 0; i < before.size(); i++) {
            assertEquals(before.get(i).getName(), tensors.get(i).getName());
            assertEquals(!changed.contains(before.get(i).getName()), before.get(i).equals(tensors.get(i)),
                    before.get(i).getName());
        }
        return stayed.size();
    }

    private static GraphProto shell(GraphProto graph) {
        return graph.toBuilder().clearNode().clearInitializer().clearInput().clearOutput().clearValueInfo().build();
    }

    /** The merged model gives what the backbone's graph gives with the same heads. */
    private static ModelProto agrees(ImportedModel imported, TaskLayout tasks, Graph graph) throws Exception {
        return agrees(imported, tasks, graph, rows(3));
    }

    private static ModelProto agrees(ImportedModel imported, TaskLayout tasks, Graph graph, Tensor images)
            throws Exception {
        ModelProto merged = imported.model(graph, "output", heads(tasks, imported));
        OnnxFile.load(merged.toByteString(), ReadLimits.DEFAULT);
        GraphBuilder ours = new GraphBuilder();
        Value input = ours.input(imported.input(), ElementType.FLOAT, graph.inputs().get(0).shape().extents());
        Function<Value, Value> lookUp = ours.inline(graph, Map.of(input.name(), input), GraphBuilder.Replacement.NONE);
        Value pooled = imported.pooling().write(ours, imported.features().stream().map(lookUp).toList());
        ours.output("result", heads(tasks, imported).apply(ours, pooled));
        Map<String, Tensor> rows = Map.of(input.name(), images);
        try (GraphSession expected = new GraphSession(ours.build()); GraphSession actual = new GraphSession(merged)) {
            Tensor output = actual.run(rows).get(merged.getGraph().getOutput(0).getName());
            assertEquals(Shape.of(images.shape().extent(0), tasks.columns()), output.shape());
            assertArrayEquals(expected.run(rows).get("result").floats(), output.floats(), 1e-5f);
        }
        return merged;
    }

    private static ModelProto merged(ImportedModel imported, Graph graph) {
        return imported.model(graph, "output", heads(TASKS, imported));
    }

    private static BiFunction<GraphBuilder, Value, Value> heads(TaskLayout tasks, ImportedModel imported) {
        Heads heads = new Heads(tasks, imported.features().stream().mapToInt(v -> (int) v.extent(-1)).sum());
        Map<String, Tensor> values = heads.parameters(5).stream()
                .collect(Collectors.toMap(Parameter::name, Parameter::initial));
        return (graph, pooled) -> heads.outputs(graph, heads.logits(graph, pooled,
                name -> graph.initializer(name, values.get(name))));
    }

    private static ImportedModel imported(ModelProto original, Pooling.Kind pooling) {
        return new ImportedModel(original, pooling, switch (pooling) {
            case VALUE -> List.of(value("cls", 8));
            case CLASS_TOKEN, MEAN -> List.of(value("tokens", 4, 8));
            case PAIR -> List.of(value("cls", 8), value("second", 8));
        });
    }

    private static Value value(String name, long... extents) {
        long[] shape = new long[extents.length + 1];
        shape[0] = Shape.BATCH;
        System.arraycopy(extents, 0, shape, 1, extents.length);
        return new Value(name, ElementType.FLOAT, Shape.of(shape));
    }

    private static Graph graph(ModelProto original) {
        return OnnxFile.read(original, Shape.BATCH);
    }

    /** The graph up to the pooled value. */
    private static Graph pooled(ModelProto original) {
        GraphBuilder builder = new GraphBuilder();
        Graph graph = graph(original);
        Value input = builder.input("x", ElementType.FLOAT, graph.inputs().get(0).shape().extents());
        builder.output(builder.inline(graph, Map.of("x", input), GraphBuilder.Replacement.NONE).apply(value("cls", 8)));
        return builder.build();
    }

    private static Graph disturbed(ModelProto original) {
        return changed(graph(original), Set.of("weight", "bias"));
    }

    private static Graph changed(Graph graph, Set<String> names) {
        return graph.withInitializers(names.stream().collect(Collectors.toMap(n -> n, n -> {
            Tensor tensor = graph.initializers().get(n);
            float[] elements = tensor.floats().clone();
            for (int i = 0; i < elements.length; i++) {
                elements[i] += 0.1f * (i % 7 - 3);
            }
            return new Tensor(tensor.type(), tensor.shape(), elements);
        })));
    }

    private static Tensor rows(int count) {
        return random(7, count, 1, 4, 4);
    }

    private static Tensor random(long seed, long... extents) {
        Random random = new Random(seed);
        float[] elements = new float[Shape.of(extents).size()];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = (float) random.nextGaussian();
        }
        return Tensor.of(elements, extents);
    }

    /** Four tokens of an image, two of which an old head reads. */
    private static ModelProto model(long operatorSet, long ir) {
        GraphProto.Builder graph = GraphProto.newBuilder().setName("small").setDocString("a graph")
                .addInput(declared("x", 1, "batch", 1, 4, 4)).addOutput(declared("output", 1, "batch", 5))
                .addValueInfo(declared("tokens", 1, "batch", 4, 8)).addValueInfo(declared("logits", 1, "batch", 5))
                .addInitializer(Tensor.of(new long[] {0, 4, 4}, 3).toProto("shape"))
                .addInitializer(random(1, 4, 8).toProto("weight"))
                .addInitializer(random(2, 5, 8).toProto("head.weight"))
                .addInitializer(random(3, 8).toProto("bias"))
                .addInitializer(random(4, 5).toProto("head.bias"))
                .addInitializer(new Tensor(ElementType.INT64, Shape.SCALAR, new long[] {0}).toProto("zero"))
                .addInitializer(new Tensor(ElementType.INT64, Shape.SCALAR, new long[] {3}).toProto("three"))
                .addNode(node("Reshape", "cut", List.of("x", "shape"), "patches"))
                .addNode(node("MatMul", "embed", List.of("patches", "weight"), "product"))
                .addNode(node("Add", "shift", List.of("bias", "product"), "shifted"))
                .addNode(node("Relu", "rectify", List.of("shifted"), "tokens"))
                .addNode(node("Gather", "first", List.of("tokens", "zero"), "cls", integer("axis", 1)))
                .addNode(node("Gather", "last", List.of("tokens", "three"), "second", integer("axis", 1)))
                .addNode(node("Add", "both", List.of("cls", "second"), "sum"))
                .addNode(node("Gemm", "classify", List.of("sum", "head.weight", "head.bias"), "logits",
                        integer("transB", 1)))
                .addNode(node("Softmax", "probabilities", List.of("logits"), "output", integer("axis", 1)));
        if (ir < 4) {
            graph.getInitializerList().forEach(tensor -> graph.addInput(declared(tensor.getName(),
                    tensor.getDataType(), tensor.getDimsList().toArray())));
        }
        ModelProto.Builder model = ModelProto.newBuilder().setIrVersion(ir).setProducerName("exporter")
                .setProducerVersion("1.2").setDomain("org.example").setModelVersion(3).setDocString("a model")
                .setGraph(graph);
        model.addOpsetImportBuilder().setDomain("").setVersion(operatorSet);
        model.addOpsetImportBuilder().setDomain("com.microsoft").setVersion(1);
        model.addMetadataPropsBuilder().setKey("image_mean").setValue("0.5");
        return model.build();
    }

    private static ValueInfoProto declared(String name, int type, Object... extents) {
        ValueInfoProto.Builder value = ValueInfoProto.newBuilder().setName(name);
        TypeProto.Tensor.Builder tensor = value.getTypeBuilder().getTensorTypeBuilder().setElemType(type);
        TensorShapeProto.Builder shape = tensor.getShapeBuilder();
        for (Object extent : extents) {
            Dimension.Builder dimension = shape.addDimBuilder();
            if (extent instanceof Number number) {
                dimension.setDimValue(number.longValue());
            } else {
                dimension.setDimParam(extent.toString());
            }
        }
        return value.build();
    }

    private static NodeProto node(String op, String name, List<String> inputs, String output,
                                  AttributeProto... attributes) {
        return NodeProto.newBuilder().setOpType(op).setName(name).addAllInput(inputs).addOutput(output)
                .addAllAttribute(Arrays.asList(attributes)).build();
    }

    private static AttributeProto integer(String name, long value) {
        return AttributeProto.newBuilder().setName(name).setType(AttributeProto.AttributeType.INT).setI(value).build();
    }

    private static List<String> names(GraphProto graph) {
        return graph.getInitializerList().stream().map(TensorProto::getName).toList();
    }

    private static Map<String, TensorProto> constants(GraphProto graph) {
        return graph.getInitializerList().stream().collect(Collectors.toMap(TensorProto::getName, t -> t));
    }

    /** Renames values. */
    private static void rename(GraphProto.Builder graph, Map<String, String> names) {
        graph.getNodeBuilderList().forEach(node -> {
            for (int i = 0; i < node.getInputCount(); i++) {
                node.setInput(i, names.getOrDefault(node.getInput(i), node.getInput(i)));
            }
            for (int i = 0; i < node.getOutputCount(); i++) {
                node.setOutput(i, names.getOrDefault(node.getOutput(i), node.getOutput(i)));
            }
        });
        graph.getInitializerBuilderList().forEach(t -> t.setName(names.getOrDefault(t.getName(), t.getName())));
        graph.getOutputBuilderList().forEach(v -> v.setName(names.getOrDefault(v.getName(), v.getName())));
    }
}

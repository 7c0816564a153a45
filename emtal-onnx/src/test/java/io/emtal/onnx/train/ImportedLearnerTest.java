package io.emtal.onnx.train;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.adapt.AdaptationMethod;
import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.adapt.FullDense;
import io.emtal.onnx.adapt.HeadsOnly;
import io.emtal.onnx.adapt.Lora;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.ImportedModel;
import io.emtal.onnx.backbone.LinearLayer;
import io.emtal.onnx.backbone.OnnxBackbone;
import io.emtal.onnx.backbone.Pooling;
import io.emtal.onnx.backbone.VisionTransformer;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.SharedData;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.predict.DensePredictor;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.TaskLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A training of an imported backbone gives the imported model back. */
class ImportedLearnerTest {

    private static final int PIXELS = 16;

    private static final TaskLayout TASKS = new TaskLayout(List.of(new CategoricalTask("c", 2, 1),
            new RealTask("r", 0, 1, 1)));

    private static final FeatureLayout LAYOUT = new FeatureLayout(IntStream.range(0, PIXELS)
            .mapToObj(i -> new FeatureColumn("p" + i, FeatureColumn.Kind.NUMERIC, i, 1)).toList());

    static Stream<AdaptationMethod> methods() {
        return Stream.of(Emtal.builder().experts(4).build(), Lora.builder().build(), new FullDense(), new HeadsOnly());
    }

    @ParameterizedTest
    @MethodSource("methods")
    void givesTheModelBack(AdaptationMethod method) {
        PackedExamples rows = rows(1);
        Backbone fresh = fresh(rows);
        ModelProto original = OnnxFile.toModel(fresh.graph(), "file").toBuilder().setProducerName("exporter").build();
        TrainedNetwork network = train(imported(fresh, OnnxFile.read(original, Shape.BATCH), original), method, rows);
        GraphProto old = original.getGraph();
        GraphProto now = network.model().getGraph();
        assertEquals("exporter", network.model().getProducerName());
        assertEquals(old.getInputList(), now.getInputList());
        assertEquals(old.getNodeList(), now.getNodeList().subList(0, old.getNodeCount()));
        Map<String, TensorProto> tensors = now.getInitializerList().stream()
                .collect(Collectors.toMap(TensorProto::getName, t -> t));
        Set<String> changed = new HashSet<>();
        old.getInitializerList().stream().filter(t -> !t.equals(tensors.get(t.getName())))
                .forEach(t -> changed.add(t.getName()));
        Set<String> weights = fresh.layers().map(LinearLayer::weight).collect(Collectors.toSet());
        if (method instanceof HeadsOnly) {
            assertEquals(Set.of(), changed);
        } else if (method instanceof FullDense) {
            assertTrue(changed.containsAll(weights) && changed.contains("pos_embed"), changed.toString());
        } else {
            assertTrue(!changed.isEmpty() && weights.containsAll(changed), changed.toString());
        }
        assertTrue(network.agreement() <= Learner.TOLERANCE);
    }

    /** Trained transformers of the shared data, recognised as users have it. */
    @ParameterizedTest
    @ValueSource(strings = {"opset17", "opset12", "features"})
    void givesTheFileBack(String name) {
        Path file = SharedData.path("vit-mnist-onnx/vit-mnist-" + name + ".onnx");
        Backbone backbone = OnnxBackbone.of(file).read();
        Random random = new Random(6);
        PackedExamples rows = PackedExamples.pack(48, 784, 2, (row, inputs, labels) -> {
            for (int i = 0; i < inputs.length; i++) {
                inputs[i] = (float) random.nextGaussian();
            }
            labels[0] = row % 2;
            labels[1] = inputs[0];
        });
        TrainedNetwork network = train(backbone, Emtal.builder().experts(4).rank(2).build(), rows);
        ModelProto original = OnnxFile.load(file);
        assertEquals(original.toBuilder().clearGraph().build(), network.model().toBuilder().clearGraph().build());
        GraphProto old = original.getGraph();
        GraphProto now = network.model().getGraph();
        // All but the Gemm of the old head.
        int kept = old.getNodeCount() - (name.equals("features") ? 0 : 1);
        assertEquals(old.getNodeList().subList(0, kept), now.getNodeList().subList(0, kept));
        assertEquals(old.getInputList(), now.getInputList());
        Set<String> changed = old.getInitializerList().stream().filter(t -> !now.getInitializerList().contains(t))
                .map(TensorProto::getName).filter(n -> !n.startsWith("mlp_head.1")).collect(Collectors.toSet());
        assertEquals(backbone.layers().map(LinearLayer::weight).collect(Collectors.toSet()), changed);
    }

    /** The model that comes back works for three rows at a time only, as the one that went in. */
    @Test
    void fixedBatch() {
        PackedExamples rows = rows(2);
        Backbone fresh = fresh(rows);
        ModelProto open = OnnxFile.toModel(fresh.graph(), "file");
        ModelProto.Builder three = open.toBuilder();
        three.getGraphBuilder().getInputBuilder(0).getTypeBuilder().getTensorTypeBuilder().getShapeBuilder()
                .getDimBuilder(0).clearDimParam().setDimValue(3);
        String target = open.getGraph().getNodeList().stream().filter(n -> n.getOpType().equals("Reshape")).findFirst()
                .orElseThrow().getInput(1);
        three.getGraphBuilder().getInitializerBuilderList().stream().filter(t -> t.getName().equals(target))
                .forEach(t -> {
                    long[] extents = Tensor.fromProto(t.build()).longs().clone();
                    extents[0] = 3;
                    t.setRawData(Tensor.of(extents, extents.length).toProto(target).getRawData());
                });
        TrainedNetwork expected = train(imported(fresh, fresh.graph(), open), new HeadsOnly(), rows);
        TrainedNetwork actual = train(imported(fresh, fresh.graph(), three.build()), new HeadsOnly(), rows);
        FloatBuffer inputs = FloatBuffer.allocate(rows.size() * PIXELS);
        IntStream.range(0, rows.size()).forEach(row -> rows.inputs(row, inputs));
        try (DensePredictor a = new DensePredictor(expected.model().toByteString(), 1);
             DensePredictor b = new DensePredictor(actual.model().toByteString(), 1)) {
            assertArrayEquals(a.predict(inputs.array(), rows.size()), b.predict(inputs.array(), rows.size()), 1e-5f);
        }
    }

    @Test
    void tasksMustNotTakeNamesOfTheBackbone() {
        PackedExamples rows = rows(3);
        Backbone fresh = fresh(rows);
        ModelProto model = OnnxFile.toModel(fresh.graph(), "file");
        ModelProto.Builder renamed = model.toBuilder();
        renamed.getGraphBuilder().getInitializerBuilderList().stream().filter(t -> t.getName().equals("pos_embed"))
                .forEach(t -> t.setName("head.c.weight"));
        renamed.getGraphBuilder().getNodeBuilderList().forEach(node -> IntStream.range(0, node.getInputCount())
                .filter(i -> node.getInput(i).equals("pos_embed")).forEach(i -> node.setInput(i, "head.c.weight")));
        Backbone backbone = imported(fresh, OnnxFile.read(renamed.build(), Shape.BATCH), renamed.build());
        EmtalException e = assertThrows(EmtalException.class, () -> train(backbone, new HeadsOnly(), rows));
        assertTrue(e.getMessage().contains("'head.c.weight'"), e.getMessage());
    }

    private static TrainedNetwork train(Backbone backbone, AdaptationMethod method, PackedExamples rows) {
        return new Learner(method, Recipe.builder().epochs(2).validationFraction(0).workers(1).build())
                .train(backbone, true, TASKS, rows, 4, TrainingListener.NONE);
    }

    private static Backbone fresh(PackedExamples rows) {
        return VisionTransformer.builder().image(4, 4, 1).patch(2).width(8).heads(2).depth(2).hidden(16).build()
                .create(LAYOUT, TASKS, rows, 5);
    }

    private static Backbone imported(Backbone fresh, Graph graph, ModelProto original) {
        return new Backbone(graph, fresh.blocks(), fresh.frozen(), false, Optional.empty(),
                Optional.of(new ImportedModel(original, Pooling.Kind.VALUE, fresh.graph().outputs())));
    }

    private static PackedExamples rows(long seed) {
        Random random = new Random(seed);
        return PackedExamples.pack(40, PIXELS, 2, (row, inputs, labels) -> {
            for (int i = 0; i < PIXELS; i++) {
                inputs[i] = (float) random.nextGaussian();
            }
            labels[0] = inputs[0] > 0 ? 1 : 0;
            labels[1] = inputs[1];
        });
    }
}

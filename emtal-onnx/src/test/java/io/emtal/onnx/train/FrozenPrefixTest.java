package io.emtal.onnx.train;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.adapt.Adaptation;
import io.emtal.onnx.adapt.AdaptationMethod;
import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.adapt.FullDense;
import io.emtal.onnx.adapt.HeadsOnly;
import io.emtal.onnx.adapt.Lora;
import io.emtal.onnx.adapt.Site;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.FeatureEnsemble;
import io.emtal.onnx.backbone.FeatureTransformer;
import io.emtal.onnx.backbone.LinearLayer;
import io.emtal.onnx.backbone.OnnxBackbone;
import io.emtal.onnx.backbone.VisionTransformer;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.SharedData;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.TaskLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Training on what a frozen prefix gives is training on the rows. */
class FrozenPrefixTest {

    private static final int SIDE = 8;
    private static final int DEPTH = 3;
    private static final int IN_MEMORY = 1 << 24;
    /** Five rows of [5, 16] and a bit. */
    private static final int IN_A_FILE = 5 * 5 * 16 * Float.BYTES + 7;
    private static final TaskLayout TASKS = new TaskLayout(List.of(new CategoricalTask("c", 2, 1),
            new RealTask("r", 0, 1, 1)));

    static Stream<AdaptationMethod> methods() {
        return Stream.of(Emtal.builder().experts(4).rank(2).adaptBlocks(1).build(),
                Lora.builder().adaptBlocks(2).build(), new HeadsOnly());
    }

    private static PackedExamples rows(int width, int count, long seed) {
        Random random = new Random(seed);
        return PackedExamples.pack(count, width, 2, (row, inputs, labels) -> {
            for (int i = 0; i < width; i++) {
                inputs[i] = (float) random.nextGaussian();
            }
            labels[0] = inputs[0] > 0 ? 1 : 0;
            labels[1] = inputs[1];
        });
    }

    private static FeatureLayout layout(int width) {
        return new FeatureLayout(IntStream.range(0, width)
                .mapToObj(i -> new FeatureColumn("p" + i, FeatureColumn.Kind.NUMERIC, i, 1)).toList());
    }

    private static Backbone vision(Examples rows, long seed) {
        return VisionTransformer.builder().image(SIDE, SIDE, 1).patch(4).width(16).heads(2).depth(DEPTH).hidden(32)
                .build().create(layout(SIDE * SIDE), TASKS, rows, seed);
    }

    /** Counts how often rows are read, and says whether they are augmented, which they are not. */
    private record View(Examples rows, boolean augments, AtomicInteger reads) implements Examples {

        private View(Examples rows, boolean augments) {
            this(rows, augments, new AtomicInteger());
        }

        @Override
        public int size() {
            return rows.size();
        }

        @Override
        public int width() {
            return rows.width();
        }

        @Override
        public void inputs(int row, FloatBuffer target) {
            reads.incrementAndGet();
            rows.inputs(row, target);
        }

        @Override
        public float label(int row, int task) {
            return rows.label(row, task);
        }
    }

    private static TrainedNetwork train(Backbone backbone, AdaptationMethod method, Examples rows, int memory) {
        Recipe recipe = Recipe.builder().pretrainEpochs(1).epochs(3).batchSize(16).dropout(0.2).validationFraction(0.2)
                .workers(2).build();
        return new Learner(method, recipe, Optional.empty(), memory).train(backbone, true, TASKS, rows, 3, TrainingListener.NONE);
    }

    private static float[] predictions(ModelProto model, Backbone backbone, Examples rows) {
        try (Evaluator evaluator = new Evaluator(model, rows, 16, backbone.input().name())) {
            return evaluator.outputs(IntStream.range(0, rows.size()).toArray());
        }
    }

    private static void assertSame(Backbone backbone, AdaptationMethod method, PackedExamples rows, int memory) {
        View once = new View(rows, false);
        View always = new View(rows, true);
        TrainedNetwork cached = train(backbone, method, once, memory);
        TrainedNetwork computed = train(backbone, method, always, memory);
        assertArrayEquals(predictions(computed.model(), backbone, rows), predictions(cached.model(), backbone, rows),
                1e-4f);
        assertEquals(computed.parameters(), cached.parameters());
        assertEquals(computed.bestEpoch(), cached.bestEpoch());
        assertEquals(computed.model().getGraph().getNodeList(), cached.model().getGraph().getNodeList());
        assertTrue(cached.agreement() <= Learner.TOLERANCE);
        // Once for the prefix and once for the comparison, padded to whole batches.
        assertTrue(once.reads.get() <= 4 * 64 && once.reads.get() < always.reads.get(),
                once.reads + " " + always.reads);
    }

    @ParameterizedTest
    @MethodSource("methods")
    void trainsTheSameAsWithout(AdaptationMethod method) {
        PackedExamples rows = rows(SIDE * SIDE, 70, 1);
        Backbone backbone = vision(rows, 1);
        assertSame(backbone, method, rows, IN_MEMORY);
        assertArrayEquals(train(backbone, method, rows, IN_MEMORY).model().toByteArray(),
                train(backbone, method, rows, IN_MEMORY).model().toByteArray());
    }

    @ParameterizedTest
    @MethodSource("methods")
    void trainsTheSameFromAFile(AdaptationMethod method) throws IOException {
        Set<Path> before = temporary();
        PackedExamples rows = rows(SIDE * SIDE, 70, 2);
        Backbone backbone = vision(rows, 2);
        assertSame(backbone, method, rows, IN_A_FILE);
        assertArrayEquals(train(backbone, method, rows, IN_MEMORY).model().toByteArray(),
                train(backbone, method, rows, IN_A_FILE).model().toByteArray());
        assertEquals(Set.of(), added(before));
    }

    @ParameterizedTest
    @ValueSource(strings = {"opset17", "features"})
    void trainsFilesTheSame(String name) {
        Backbone backbone = OnnxBackbone.of(SharedData.path("vit-mnist-onnx/vit-mnist-" + name + ".onnx")).read();
        PackedExamples rows = rows(784, 40, 3);
        assertSame(backbone, Emtal.builder().experts(4).rank(2).adaptBlocks(2).build(), rows, IN_MEMORY);
        assertSame(backbone, new HeadsOnly(), rows, IN_MEMORY);
    }

    @Test
    void trainsTablesTheSameUnlessInputsAreDropped() {
        PackedExamples rows = rows(6, 60, 4);
        Backbone ensemble = FeatureEnsemble.builder().members(3).width(16).depth(2).hidden(32).build()
                .create(layout(6), TASKS, rows, 4);
        Backbone transformer = FeatureTransformer.builder().width(16).depth(1).hidden(32).build()
                .create(layout(6), TASKS, rows, 4);
        for (double inputDropout : new double[] {0, 0.1}) {
            Backbone backbone = inputDropout > 0 ? transformer : ensemble;
            Recipe recipe = Recipe.builder().epochs(2).inputDropout(inputDropout).build();
            View once = new View(rows, false);
            View always = new View(rows, true);
            List<float[]> found = Stream.of(once, always).map(view -> predictions(new Learner(new HeadsOnly(), recipe)
                    .train(backbone, true, TASKS, view, 4, TrainingListener.NONE).model(), backbone, rows)).toList();
            assertArrayEquals(found.get(1), found.get(0), 1e-4f);
            assertEquals(inputDropout > 0, once.reads.get() == always.reads.get(), once.reads + " " + always.reads);
        }
    }

    @Test
    void prefixEndsAtTheFirstAdaptedBlock() {
        PackedExamples rows = rows(SIDE * SIDE, 10, 5);
        Backbone backbone = vision(rows, 5);
        for (int blocks = 1; blocks < DEPTH; blocks++) {
            AdaptationMethod method = Lora.builder().adaptBlocks(blocks).build();
            Backbone rest = FrozenPrefix.of(backbone, method.adapt(backbone, 5)).orElseThrow().rest();
            Set<String> names = new HashSet<>(rest.graph().initializers().keySet());
            Set<Integer> left = rest.layers().filter(l -> names.contains(l.weight())).map(LinearLayer::block)
                    .collect(Collectors.toSet());
            assertEquals(IntStream.range(DEPTH - blocks, DEPTH).boxed().collect(Collectors.toSet()), left);
            assertEquals(Shape.of(Shape.BATCH, 5, 16), rest.input().shape());
        }
        Graph heads = FrozenPrefix.of(backbone, new HeadsOnly().adapt(backbone, 5)).orElseThrow().rest().graph();
        assertEquals(List.of(), heads.nodes());
        assertEquals(backbone.graph().outputs(), heads.inputs());
    }

    @Test
    void withoutFrozenBlocksThereIsNoPrefix() {
        PackedExamples rows = rows(SIDE * SIDE, 10, 6);
        Backbone backbone = vision(rows, 6);
        for (AdaptationMethod method : List.of(Emtal.builder().experts(4).build(),
                Lora.builder().adaptBlocks(DEPTH).build(), new FullDense())) {
            assertEquals(Optional.empty(), FrozenPrefix.of(backbone, method.adapt(backbone, 6)));
        }
    }

    /** What has a row for every token, not for every example, is cut below. */
    @Test
    void cutsAtRowsOfExamples() {
        PackedExamples rows = rows(SIDE * SIDE, 10, 7);
        Backbone backbone = vision(rows, 7);
        Graph graph = backbone.graph();
        GraphBuilder builder = new GraphBuilder();
        Value input = builder.input(backbone.input().name(), ElementType.FLOAT, backbone.input().shape().extents());
        Value pooled = builder.inline(graph, Map.of(input.name(), input), GraphBuilder.Replacement.NONE)
                .apply(graph.outputs().get(0));
        Value flat = builder.relu(builder.reshape(pooled, -1, 8));
        Value scaled = builder.mul(flat, builder.initializer("scale",
                Tensor.of(new float[] {1, 2, 3, 4, 5, 6, 7, 8}, 8)));
        builder.output(builder.reshape(scaled, -1, 16));
        Backbone flattened = new Backbone(builder.build(), backbone.blocks(), backbone.frozen());
        AdaptationMethod dense = new FullDense();
        assertEquals(Optional.empty(), FrozenPrefix.of(flattened, dense.adapt(flattened, 7)));
        Backbone rest = FrozenPrefix.of(flattened, new OnlyScale(flattened)).orElseThrow().rest();
        assertEquals(pooled.name(), rest.input().name());
    }

    /** Trains one vector behind all blocks. */
    private record OnlyScale(Backbone backbone) implements Adaptation {

        @Override
        public List<Parameter> parameters() {
            return List.of(Parameter.shared("scale", "backbone",
                    backbone.graph().initializers().get("scale"), false));
        }

        @Override
        public boolean trains(LinearLayer layer) {
            return false;
        }

        @Override
        public Value linear(Site site, LinearLayer layer, Value input) {
            return site.dense(layer, input);
        }

        @Override
        public Backbone merge(Backbone into, Function<String, Tensor> values, double fade) {
            return into;
        }
    }

    @Test
    void cachedRowsAreThePrefixsInEitherPlace() throws IOException {
        PackedExamples rows = rows(SIDE * SIDE, 70, 8);
        Backbone backbone = vision(rows, 8);
        FrozenPrefix prefix = FrozenPrefix.of(backbone, Lora.builder().adaptBlocks(1).build().adapt(backbone, 8))
                .orElseThrow();
        Set<Path> before = temporary();
        try (CachedRows memory = prefix.compute(rows, 1, IN_MEMORY)) {
            assertEquals(Set.of(), added(before));
            try (CachedRows file = prefix.compute(rows, 1, IN_A_FILE)) {
                assertTrue(added(before).size() <= 1, added(before).toString());
                assertEquals(5 * 16, file.width());
                assertEquals(70, file.size());
                for (int row = 69; row >= 0; row--) {
                    assertArrayEquals(row(memory, row), row(file, row));
                    assertEquals(rows.label(row, 1), file.label(row, 1));
                    assertFalse(row > 0 && Arrays.equals(row(file, row), row(file, row - 1)));
                }
            }
        }
        assertEquals(Set.of(), added(before));
        String message = assertThrows(EmtalException.class, () -> prefix.compute(rows, 1, 100)).getMessage();
        assertTrue(message.contains("found 320 bytes a row, allowed are 100"), message);
    }

    private static float[] row(Examples rows, int row) {
        float[] inputs = new float[rows.width()];
        rows.inputs(row, FloatBuffer.wrap(inputs));
        return inputs;
    }

    private static Set<Path> temporary() throws IOException {
        try (Stream<Path> files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return files.filter(f -> f.getFileName().toString().startsWith("emtal-rows")).collect(Collectors.toSet());
        }
    }

    private static Set<Path> added(Set<Path> before) throws IOException {
        Set<Path> now = temporary();
        now.removeAll(before);
        return now;
    }
}

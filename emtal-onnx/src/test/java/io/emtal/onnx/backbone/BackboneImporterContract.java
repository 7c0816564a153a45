package io.emtal.onnx.backbone;

import ai.onnx.proto.OnnxMl.GraphProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import ai.onnxruntime.OrtException;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.adapt.AdaptationMethod;
import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.adapt.FullDense;
import io.emtal.onnx.adapt.Lora;
import io.emtal.onnx.backbone.ExporterVariant.Activation;
import io.emtal.onnx.backbone.ExporterVariant.Clutter;
import io.emtal.onnx.backbone.ExporterVariant.Outputs;
import io.emtal.onnx.backbone.ExporterVariant.Pool;
import io.emtal.onnx.backbone.ExporterVariant.Stem;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphSession;
import io.emtal.onnx.graph.Narrowing;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.ReadLimits;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.QualityRetaining;
import io.emtal.onnx.task.TaskLayout;
import io.emtal.onnx.train.EpochRecord;
import io.emtal.onnx.train.Learner;
import io.emtal.onnx.train.Recipe;
import io.emtal.onnx.train.TrainedNetwork;
import io.emtal.onnx.train.TrainingGraph;
import io.emtal.onnx.train.TrainingListener;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What every importer of backbones does with every model that {@link ExporterGraphs} writes. */
abstract class BackboneImporterContract {

    /** A fade at which every parameter of an adaptation has a gradient. */
    private static final double FADE = 0.4;

    private static final int SAMPLE = 8;

    /** The importer under test. */
    abstract Backbone read(ModelProto model);

    static List<ExporterVariant> variants() {
        return ExporterVariants.ALL;
    }

    private static ExportedTransformer exported(ExporterVariant variant) {
        return ExporterGraphs.write(variant, System.nanoTime());
    }

    private Backbone read(ExportedTransformer exported) {
        return read(OnnxFile.load(exported.model().toByteString(), ReadLimits.DEFAULT));
    }

    @ParameterizedTest
    @MethodSource("variants")
    void describesWhatIsThere(ExporterVariant variant) {
        ExportedTransformer exported = exported(variant);
        Backbone backbone = read(exported);
        BackboneDescription found = backbone.description().orElseThrow();
        String where = exported + "\n" + found;
        assertEquals(exported.blocks(), found.blocks().size(), where);
        for (BlockDescription block : found.blocks()) {
            assertEquals(exported.tokens(), block.tokens(), where);
            assertEquals(exported.width(), block.width(), where);
            assertEquals(exported.heads(), block.heads(), where);
            assertEquals(exported.headWidth(), block.headWidth(), where);
            assertEquals(exported.hidden(), block.hidden(), where);
            assertEquals(exported.activation(), block.activation(), where);
            assertEquals(exported.norm(), block.norm(), where);
        }
        assertEquals(exported.pooling().text(), found.pooling(), where);
        assertEquals(exported.pooledWidth(), found.pooledWidth(), where);
        assertEquals(exported.classes(), found.classes(), where);
        assertEquals(variant.is(Stem.CHANNELS_LAST) ? BackboneDescription.ImageLayout.NHWC
                : BackboneDescription.ImageLayout.NCHW, found.image(), where);
        assertEquals("0.5", found.metadata().get("image_mean"), where);
        assertTrue(found.toString().lines().anyMatch(("blocks: " + exported.blocks())::equals), where);
    }

    @ParameterizedTest
    @MethodSource("variants")
    void findsTheLinearLayers(ExporterVariant variant) {
        ExportedTransformer exported = exported(variant);
        Backbone backbone = read(exported);
        int inner = exported.heads() * exported.headWidth();
        for (Block block : backbone.blocks()) {
            String where = exported + ", " + block;
            int last = block.attention().size() - 1;
            List<LinearLayer> inputs = block.attention().subList(0, last);
            assertEquals(3 * inner, inputs.stream().mapToInt(LinearLayer::out).sum(), where);
            assertTrue(inputs.stream().allMatch(l -> l.in() == exported.width()), where);
            assertEquals(List.of(inner, exported.width()), widths(block.attention().get(last)), where);
            assertEquals(List.of(exported.width(), exported.hidden()), widths(block.fc1()), where);
            assertEquals(List.of(exported.hidden(), exported.width()), widths(block.fc2()), where);
        }
        long matrices = backbone.layers().map(LinearLayer::weight).distinct().count();
        assertEquals(backbone.layers().count(), matrices, exported.toString());
    }

    /** Means and variances of a batch norm come from the old training's images, and no gradient makes them. */
    @ParameterizedTest
    @MethodSource("variants")
    void statisticsAreFrozen(ExporterVariant variant) {
        ExportedTransformer exported = exported(variant);
        Backbone backbone = read(exported);
        List<String> statistics = backbone.graph().nodes().stream().filter(n -> n.op().equals("BatchNormalization"))
                .flatMap(n -> Stream.of(n.input(3).name(), n.input(4).name())).toList();
        boolean normed = variant.is(Stem.CONVOLUTIONS) || variant.is(Stem.HARD_SWISH);
        assertEquals(normed ? 2 : 0, statistics.size(), exported.toString());
        assertTrue(backbone.frozen().containsAll(statistics), exported + ": " + statistics);
    }

    private static List<Integer> widths(LinearLayer layer) {
        return List.of(layer.in(), layer.out());
    }

    /** Backbone and old head give the logits of the original, at every number of rows. */
    /** Behind the last attention, networks that read one token need no other. */
    @ParameterizedTest
    @MethodSource("variants")
    void computesTheSameForFewerTokens(ExporterVariant variant) throws OrtException {
        ExportedTransformer exported = exported(variant);
        Backbone backbone = read(exported);
        Graph narrow = Narrowing.of(backbone.graph(), Set.of());
        boolean oneToken = exported.pooling() == Pooling.Kind.CLASS_TOKEN
                || Stream.of(Pool.values()).noneMatch(pool -> pool != Pool.CLASS_TOKEN && variant.is(pool));
        String layer = backbone.blocks().get(backbone.blocks().size() - 1).fc2().result();
        assertEquals(shape(backbone.graph(), layer).with(1, oneToken ? 1 : exported.tokens()), shape(narrow, layer),
                exported.toString());
        Tensor images = exported.images(3, exported.seed());
        Map<String, Tensor> fed = Map.of(backbone.input().name(), images);
        try (GraphSession whole = new GraphSession(backbone.graph()); GraphSession part = new GraphSession(narrow)) {
            String output = backbone.graph().outputs().get(0).name();
            assertArrayEquals(whole.run(fed).get(output).floats(), part.run(fed).get(output).floats(), 1e-5f,
                    exported.toString());
        }
    }

    private static Shape shape(Graph graph, String value) {
        return graph.nodes().stream().flatMap(node -> node.outputs().stream()).filter(v -> v.name().equals(value))
                .findFirst().orElseThrow().shape();
    }

    @ParameterizedTest
    @MethodSource("variants")
    void computesWhatTheOriginalComputes(ExporterVariant variant) throws OrtException {
        ExportedTransformer exported = exported(variant);
        Backbone backbone = read(exported);
        try (GraphSession session = new GraphSession(backbone.graph())) {
            for (int rows : new int[] {1, 3}) {
                Tensor images = exported.images(rows, exported.seed() + rows);
                float[] pooled = session.run(Map.of(backbone.input().name(), images)).values().iterator().next()
                        .floats();
                assertEquals(rows * exported.pooledWidth(), pooled.length, exported.toString());
                float[][] results = exported.run(images);
                for (int row = 0; row < rows; row++) {
                    assertClose(exported.seen(results[row]), exported.shown(exported.head().logits(pooled, row)), 1e-5,
                            exported);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource("variants")
    void firstStepSeesTheOriginal(ExporterVariant variant) throws OrtException {
        ExportedTransformer exported = exported(variant);
        Backbone backbone = read(exported);
        int rows = 3;
        Tensor images = exported.images(rows, exported.seed());
        float[][] results = exported.run(images);
        for (AdaptationMethod method : List.of(emtal(), Lora.builder().rank(2).build())) {
            try (TrainingGraph step = step(backbone, method, exported, rows)) {
                float[] logits = step.run(images, step.initial(), step.firstFade()).logits();
                int classes = logits.length / rows;
                for (int row = 0; row < rows; row++) {
                    float[] own = new float[classes];
                    System.arraycopy(logits, row * classes, own, 0, classes);
                    assertClose(exported.seen(results[row]), exported.shown(own), 1e-4, exported + ", " + method);
                }
            }
        }
    }

    /** Some parameters' gradients along one direction each, half of it their own, half of it drawn at random. */
    @ParameterizedTest
    @MethodSource("variants")
    void gradientsEqualFiniteDifferences(ExporterVariant variant) throws OrtException {
        checkGradients(exported(variant), emtal());
    }

    /** All weights are trained where every operator above the first of them has a backward rule. */
    @ParameterizedTest
    @MethodSource("variants")
    void gradientsOfAllWeightsEqualFiniteDifferences(ExporterVariant variant) throws OrtException {
        ExportedTransformer exported = exported(variant);
        boolean overlapping = variant.is(Stem.CONVOLUTIONS) || variant.is(Stem.CONVOLUTION_AND_POOL)
                || variant.is(Stem.HARD_SWISH);
        if (overlapping) {
            Backbone backbone = read(exported);
            String message = assertThrows(EmtalException.class,
                    () -> step(backbone, new FullDense(), exported, 2).close()).getMessage();
            assertTrue(message.contains("operator Conv"), message);
        } else {
            checkGradients(exported, new FullDense());
        }
    }

    private void checkGradients(ExportedTransformer exported, AdaptationMethod method) throws OrtException {
        int rows = 2;
        // Even a short step may cross where ReLU has no derivative.
        double tolerance = exported.variant().is(Activation.RELU) ? 0.05 : 0.01;
        Random random = new Random(exported.seed());
        Tensor images = exported.images(rows, exported.seed());
        try (TrainingGraph step = step(read(exported), method, exported, rows)) {
            Map<String, Tensor> values = new HashMap<>();
            step.initial().forEach((name, tensor) -> values.put(name, TrainingGraph.moved(tensor,
                    unit(random.doubles(tensor.shape().size(), -1, 1).toArray()), 0.3)));
            Map<String, float[]> gradients = step.run(images, values, FADE).gradients();
            List<Parameter> sample = new ArrayList<>(step.parameters());
            Collections.shuffle(sample, random);
            for (Parameter p : sample.subList(0, Math.min(SAMPLE, sample.size()))) {
                float[] gradient = gradients.get(p.name());
                double[] own = new double[gradient.length];
                double[] drawn = unit(random.doubles(gradient.length, -1, 1).toArray());
                for (int i = 0; i < own.length; i++) {
                    own[i] = gradient[i];
                }
                unit(own);
                double expected = 0;
                for (int i = 0; i < own.length; i++) {
                    own[i] += drawn[i];
                    expected += own[i] * gradient[i];
                }
                String where = exported + ", " + method.getClass().getSimpleName() + ", " + p.name() + ": ";
                double found = expected;
                // Longer steps have less rounding, shorter ones cross fewer kinks.
                List<Double> differences = new ArrayList<>();
                boolean agrees = DoubleStream.of(5e-3, 1e-3, 2e-4).anyMatch(h -> {
                    double difference = difference(step, images, values, p.name(), own, h);
                    differences.add(difference);
                    return Math.abs(found - difference) <= 3e-4 + tolerance * Math.abs(difference);
                });
                assertTrue(agrees, where + found + ", differences give " + differences);
            }
        }
    }

    private static double difference(TrainingGraph step, Tensor images, Map<String, Tensor> values, String name,
                                     double[] direction, double h) {
        double difference = 0;
        for (int[] stencil : new int[][] {{-2, 1}, {-1, -8}, {1, 8}, {2, -1}}) {
            Map<String, Tensor> moved = new HashMap<>(values);
            moved.put(name, TrainingGraph.moved(values.get(name), direction, stencil[0] * h));
            difference += stencil[1] * step.loss(images, moved, FADE) / (12 * h);
        }
        return difference;
    }

    private static double[] unit(double[] direction) {
        double squares = 0;
        for (double d : direction) {
            squares += d * d;
        }
        for (int i = 0; i < direction.length && squares > 0; i++) {
            direction[i] /= Math.sqrt(squares);
        }
        return direction;
    }

    @ParameterizedTest
    @MethodSource("variants")
    void trainsAndGivesTheModelBack(ExporterVariant variant) {
        ExportedTransformer exported = exported(variant);
        Backbone backbone = read(exported);
        Random random = new Random(exported.seed());
        int count = 8;
        Tensor images = exported.images(count, exported.seed());
        int width = images.shape().size() / count;
        PackedExamples rows = PackedExamples.pack(count, width, 1, (row, inputs, labels) -> {
            System.arraycopy(images.floats(), row * width, inputs, 0, width);
            labels[0] = random.nextInt(3);
        });
        TaskLayout tasks = new TaskLayout(List.of(new CategoricalTask("class", 3)));
        boolean dropout = random.nextBoolean();
        Recipe recipe = Recipe.builder().epochs(3).batchSize(count).workers(1).dropout(dropout ? 0.2 : 0)
                .validationFraction(0).averageDecay(0).build();
        TrainedNetwork network = new Learner(emtal(), recipe).train(backbone, true, tasks, rows, exported.seed(),
                TrainingListener.NONE);
        List<EpochRecord> history = network.history();
        double first = history.get(0).trainLosses()[0];
        double last = history.get(history.size() - 1).trainLosses()[0];
        assertTrue(Double.isFinite(last) && (dropout || last < first), exported + ": " + first + " → " + last);
        assertTrue(network.agreement() <= Learner.TOLERANCE, exported + ": " + network.agreement());
        checkModel(exported, network.model());
    }

    /** Nodes stay as they are and in their order, but for the old head's; what is not adapted stays bit by bit. */
    private void checkModel(ExportedTransformer exported, ModelProto model) {
        GraphProto old = exported.model().getGraph();
        GraphProto now = model.getGraph();
        List<NodeProto> kept = nodes(old);
        List<NodeProto> merged = nodes(now);
        kept.retainAll(merged);
        assertEquals(kept, merged.subList(0, kept.size()), exported.toString());
        long lost = old.getNodeCount() - kept.size();
        boolean cut = exported.classes().isPresent() || exported.variant().is(Outputs.PROJECTION_TOO)
                || exported.variant().is(Clutter.LEFTOVERS);
        assertTrue(cut ? lost <= 10 : lost == 0, exported + ": lost " + lost + " nodes");
        assertEquals(exported.model().getMetadataPropsList(), model.getMetadataPropsList());
        assertEquals(exported.model().getOpsetImportList(), model.getOpsetImportList());
        assertEquals(exported.model().getIrVersion(), model.getIrVersion());
        assertEquals(exported.model().getProducerName(), model.getProducerName());
        Map<String, TensorProto> tensors = now.getInitializerList().stream()
                .collect(Collectors.toMap(TensorProto::getName, Function.identity()));
        long changed = old.getInitializerList().stream().filter(t -> tensors.containsKey(t.getName())
                && !tensors.get(t.getName()).equals(t)).count();
        assertTrue(changed <= 6L * exported.blocks(), exported + ": changed " + changed + " initialisers");
    }

    /** The nodes, those that hold weights without them. */
    private static List<NodeProto> nodes(GraphProto graph) {
        return graph.getNodeList().stream().map(n -> n.getOpType().equals("Constant")
                ? n.toBuilder().clearAttribute().build() : n).collect(Collectors.toCollection(ArrayList::new));
    }

    private static AdaptationMethod emtal() {
        return Emtal.builder().experts(4).rank(2).qualityRetaining(QualityRetaining.off()).build();
    }

    private static TrainingGraph step(Backbone backbone, AdaptationMethod method, ExportedTransformer exported,
                                      int rows) throws OrtException {
        return new TrainingGraph(backbone, method, exported.head().weight(), exported.head().bias(), rows,
                exported.seed());
    }

    private static void assertClose(float[] expected, float[] found, double tolerance, Object where) {
        assertEquals(expected.length, found.length, where.toString());
        double scale = 1;
        for (float value : expected) {
            scale = Math.max(scale, Math.abs(value));
        }
        for (int i = 0; i < expected.length; i++) {
            assertEquals(expected[i], found[i], tolerance * scale, where + ", element " + i);
        }
    }
}

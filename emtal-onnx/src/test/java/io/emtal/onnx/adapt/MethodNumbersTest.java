package io.emtal.onnx.adapt;

import ai.onnxruntime.OrtException;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.Block;
import io.emtal.onnx.backbone.LinearLayer;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.GraphSession;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.Heads;
import io.emtal.onnx.task.TaskLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The numbers that a correct implementation of the method reproduces: structure, fade and merge. */
class MethodNumbersTest {

    private static final double EXACT = 1e-12;
    private static final double SINGLE = 1e-4;
    private static final int EXPERTS = 4;
    private static final int RANK = 2;

    private final Backbone backbone = Backbones.vision(20);
    private final Tensor images = Backbones.rows(backbone, 6, 21);

    private static Emtal emtal(Emtal.Scope scope) {
        return Emtal.builder().experts(EXPERTS).rank(RANK).scope(scope).build();
    }

    private Map<String, Tensor> original() {
        return backbone.graph().initializers();
    }

    /** The backbone's constants with the channels in the experts' order. */
    private Map<String, Tensor> permuted(Adaptation adaptation) {
        Map<String, Tensor> all = new HashMap<>(original());
        all.putAll(adaptation.rearranged());
        return all;
    }

    private double[][] reference(Map<String, Tensor> initializers) {
        ReferenceTransformer network = new ReferenceTransformer(initializers);
        return network.pooled(images, network::dense);
    }

    private double[][] reference(Adaptation adaptation, Map<String, Tensor> values, double fade) {
        ReferenceTransformer network = new ReferenceTransformer(permuted(adaptation));
        return network.pooled(images, new ReferenceMoefiedLora(network, values, EXPERTS, 5, fade));
    }

    private static double[][] matrix(Tensor tensor) {
        return Matrices.of(tensor.floats(), (int) tensor.shape().extent(0), (int) tensor.shape().extent(1));
    }

    @Test
    void number02_permutedNetwork() throws OrtException {
        Adaptation adaptation = emtal(Emtal.Scope.SHARED).adapt(backbone, 22);
        assertFalse(adaptation.rearranged().isEmpty());
        assertTrue(Matrices.difference(reference(original()), reference(permuted(adaptation))) <= EXACT);
        Backbone rearranged = backbone.withInitializers(adaptation.rearranged());
        assertNotEquals(original(), rearranged.graph().initializers());
        Tensor expected = AdaptedNetwork.run(backbone, images);
        assertTrue(AdaptationMethodContract.difference(expected, AdaptedNetwork.run(rearranged, images)) <= SINGLE);
        assertTrue(Matrices.difference(reference(original()), matrix(expected)) <= SINGLE);
        // B is zero: what remains of a merge is that channels go to their experts and back.
        Map<String, Tensor> values = AdaptedNetwork.initial(adaptation);
        assertEquals(original(), adaptation.merge(backbone, values::get, 1).graph().initializers());
    }

    @ParameterizedTest
    @CsvSource({"0, 1.20927, 0.99007, 0.81060, 0.99007", "0.5, 1.10463, 0.99503, 0.90530, 0.99503", "1, 1, 1, 1, 1"})
    void number03_routerWeights(double fade, float first, float second, float third, float fourth) throws OrtException {
        Router router = new Router(0, 4, 5, Emtal.Granularity.PER_TOKEN, 0);
        float[] omega = RouterRun.omega(router, new float[] {1, 0, -1, 0}, fade);
        assertArrayEquals(new float[] {first, second, third, fourth}, omega, fade == 1 ? 0 : 1e-5f);
    }

    @ParameterizedTest
    @EnumSource
    void number04_firstStep(Emtal.Scope scope) throws OrtException {
        Adaptation zero = emtal(scope).adapt(backbone, 23);
        assertTrue(Matrices.difference(reference(original()),
                reference(zero, AdaptedNetwork.initial(zero), 0)) <= EXACT);
        Tensor found = AdaptedNetwork.run(backbone, zero, AdaptedNetwork.initial(zero), 0.0, images)
                .get(AdaptedNetwork.RESULT);
        assertTrue(AdaptationMethodContract.difference(AdaptedNetwork.run(backbone, images), found) <= SINGLE);

        Adaptation release = Emtal.builder().experts(EXPERTS).rank(RANK).scope(scope).start(Emtal.Start.RELEASE).build()
                .adapt(backbone, 23);
        double difference = Matrices.difference(reference(original()),
                reference(release, AdaptedNetwork.initial(release), 0));
        assertTrue(difference > 1e-6 && Double.isFinite(difference), "differs by " + difference);
    }

    @ParameterizedTest
    @CsvSource({"SHARED, 1", "SHARED, 2", "PER_EXPERT, 3", "PER_EXPERT, 4"})
    void number05_expertSum(Emtal.Scope scope, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int width = Backbones.WIDTH;
        int hidden = Backbones.HIDDEN;
        int m = hidden / EXPERTS;
        double fade = random.nextDouble();
        Adaptation adaptation = emtal(scope).adapt(backbone, seed);
        Map<String, Tensor> values = AdaptedNetwork.trained(adaptation, seed);
        ReferenceTransformer network = new ReferenceTransformer(permuted(adaptation));
        ReferenceMoefiedLora fused = new ReferenceMoefiedLora(network, values, EXPERTS, 5, fade);
        double[][] h = Matrices.random(7, width, random);
        double[][] y = fused.apply(0, "mlp.fc2", Matrices.gelu(fused.apply(0, "mlp.fc1", h)));

        double[][] e1 = Matrices.plus(network.weight("blocks.0.mlp.fc1.weight"), fused.update(0, "mlp.fc1"));
        double[][] e2 = Matrices.plus(network.weight("blocks.0.mlp.fc2.weight"), fused.update(0, "mlp.fc2"));
        double[][] sum = Matrices.plusRow(new double[7][width], network.weight("blocks.0.mlp.fc2.bias")[0]);
        double[][] router = matrix(values.get("block0.router"));
        for (int i = 0; i < EXPERTS; i++) {
            double[] bias = Arrays.copyOfRange(network.weight("blocks.0.mlp.fc1.bias")[0], i * m, (i + 1) * m);
            double[][] pre = Matrices.plusRow(Matrices.times(h, Matrices.columns(e1, i * m, (i + 1) * m)), bias);
            for (int n = 0; n < pre.length; n++) {
                double[] logits = Matrices.times(new double[][] {h[n]}, router)[0];
                double g = Matrices.softmax(Arrays.stream(logits).map(z -> z / 5).toArray())[i];
                double omega = (1 - fade) * EXPERTS * g + fade;
                pre[n] = Arrays.stream(pre[n]).map(v -> omega * v).toArray();
            }
            sum = Matrices.plus(sum, Matrices.times(Matrices.gelu(pre), Matrices.rows(e2, i * m, (i + 1) * m)));
        }
        double difference = Matrices.difference(y, sum);
        assertTrue(difference <= EXACT, "seed " + seed + ": " + difference);
    }

    @ParameterizedTest
    @EnumSource
    void graphComputesTheReference(Emtal.Scope scope) throws OrtException {
        Adaptation adaptation = emtal(scope).adapt(backbone, 24);
        Map<String, Tensor> values = AdaptedNetwork.trained(adaptation, 24);
        for (double fade : new double[] {0, 0.4, 1}) {
            Tensor found = AdaptedNetwork.run(backbone, adaptation, values, fade, images).get(AdaptedNetwork.RESULT);
            double difference = Matrices.difference(reference(adaptation, values, fade), matrix(found));
            assertTrue(difference <= 2e-5, scope + " at fade " + fade + ": " + difference);
        }
    }

    @Test
    void number06_ranks() {
        for (Emtal.Scope scope : Emtal.Scope.values()) {
            for (int rank : new int[] {1, 2, 3}) {
                Adaptation adaptation = Emtal.builder().experts(EXPERTS).rank(rank).scope(scope).build()
                        .adapt(backbone, 25);
                Map<String, Tensor> values = AdaptedNetwork.trained(adaptation, 25);
                Map<String, Tensor> merged = adaptation.merge(backbone, values::get, 1).graph().initializers();
                for (LinearLayer layer : backbone.layers().toList()) {
                    double[][] update = Matrices.plus(matrix(merged.get(layer.weight())),
                            Matrices.scaled(matrix(original().get(layer.weight())), -1));
                    boolean experts = scope == Emtal.Scope.PER_EXPERT
                            && (layer.role() == LinearLayer.Role.FC1 || layer.role() == LinearLayer.Role.FC2);
                    assertEquals(experts ? Math.min(EXPERTS * rank, Backbones.WIDTH) : rank,
                            Matrices.rank(update, 1e-4), scope + ", rank " + rank + ", " + layer.name());
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"768, 12, 598, 1, SHARED, 754774", "768, 12, 598, 2, SHARED, 902230",
            "768, 12, 598, 4, SHARED, 1197142", "768, 12, 62, 4, SHARED, 784958",
            "1024, 24, 62, 4, SHARED, 2029630", "768, 12, 598, 4, PER_EXPERT, 2303062"})
    void number07_parameterCounts(int width, int depth, int classes, int rank, Emtal.Scope scope, int expected) {
        Backbone large = vit(width, depth);
        List<Parameter> parameters = new ArrayList<>(Emtal.builder().experts(16).rank(rank).scope(scope)
                .grouping(ExpertClustering.Grouping.CONTIGUOUS).build().adapt(large, 1).parameters());
        TaskLayout tasks = new TaskLayout(List.of(new CategoricalTask("species", classes)));
        parameters.addAll(new Heads(tasks, width).parameters(1));
        assertEquals(expected, parameters.stream().mapToInt(Parameter::size).sum());
    }

    /** The linear layers of a ViT, all blocks with the same weights: nothing but shapes matters here. */
    private static Backbone vit(int width, int depth) {
        GraphBuilder graph = new GraphBuilder();
        Value pooled = graph.input("pooled", ElementType.FLOAT, Shape.BATCH, width);
        graph.output(pooled);
        Graph empty = graph.build();
        Map<String, Tensor> weights = new HashMap<>();
        List<Block> blocks = new ArrayList<>();
        float[] largest = new float[4 * width * width];
        Arrays.fill(largest, 1);
        Tensor qkv = Tensor.of(Arrays.copyOf(largest, 3 * width * width), width, 3 * width);
        Tensor proj = Tensor.of(Arrays.copyOf(largest, width * width), width, width);
        Tensor fc1 = Tensor.of(largest, width, 4 * width);
        Tensor fc2 = Tensor.of(largest, 4 * width, width);
        for (int i = 0; i < depth; i++) {
            blocks.add(new Block(i, List.of(layer(LinearLayer.Role.QKV, i, qkv, weights),
                    layer(LinearLayer.Role.ATTENTION_OUTPUT, i, proj, weights)),
                    layer(LinearLayer.Role.FC1, i, fc1, weights), layer(LinearLayer.Role.FC2, i, fc2, weights)));
        }
        return new Backbone(new Graph(empty.inputs(), empty.outputs(), weights, List.of()), blocks, Set.of());
    }

    private static LinearLayer layer(LinearLayer.Role role, int block, Tensor weight, Map<String, Tensor> weights) {
        String name = role + "." + block;
        weights.put(name, weight);
        return new LinearLayer(role, block, name, Optional.empty(), false, (int) weight.shape().extent(0),
                (int) weight.shape().extent(1), name, name);
    }

    @ParameterizedTest
    @EnumSource
    void number08_whatIsTrained(Emtal.Scope scope) throws OrtException {
        Adaptation adaptation = Emtal.builder().experts(EXPERTS).rank(RANK).scope(scope).balanceLoss(0.1).build()
                .adapt(backbone, 26);
        Map<String, Tensor> values = AdaptedNetwork.trained(adaptation, 26);
        Map<String, Tensor> routed = AdaptedNetwork.gradients(backbone, adaptation, values, 0.5, images);
        Map<String, Tensor> dense = AdaptedNetwork.gradients(backbone, adaptation, values, 1, images);
        for (Parameter p : adaptation.parameters()) {
            boolean router = p.part().equals("router");
            assertTrue(largest(routed.get(p.name())) > 0, p.name() + " at a = 0.5");
            assertEquals(router, largest(dense.get(p.name())) == 0, p.name() + " at a = 1");
        }
        // A step along the gradient leaves everything but the updated layers bit by bit as it was.
        Map<String, Tensor> stepped = new HashMap<>();
        values.forEach((name, tensor) -> {
            float[] elements = tensor.floats().clone();
            for (int i = 0; i < elements.length; i++) {
                elements[i] -= 0.01f * dense.get(name).floats()[i];
            }
            stepped.put(name, new Tensor(tensor.type(), tensor.shape(), elements));
        });
        Map<String, Tensor> merged = adaptation.merge(backbone, stepped::get, 1).graph().initializers();
        List<String> layers = backbone.layers().map(LinearLayer::weight).toList();
        original().forEach((name, tensor) -> assertEquals(!layers.contains(name), tensor.equals(merged.get(name)),
                name));
    }

    private static double largest(Tensor tensor) {
        double most = 0;
        for (float element : tensor.floats()) {
            assertTrue(Float.isFinite(element));
            most = Math.max(most, Math.abs(element));
        }
        return most;
    }

    @ParameterizedTest
    @CsvSource({"0, 0.5, LINEAR", "0, 0.5, COSINE", "0.2, 0.9, COSINE", "0.3, 0.3, LINEAR", "0, 0, LINEAR"})
    void number13_fade(double start, double end, Fade.Curve curve) {
        Fade fade = Fade.builder().start(start).end(end).curve(curve).build();
        Fade resumed = Fade.builder().start(start).end(end).curve(curve).build();
        double before = 0;
        for (int step = 0; step <= 777; step++) {
            double progress = step / 777.0;
            double a = fade.at(progress);
            assertTrue(a >= before && a <= 1, "step " + step + ": " + a);
            assertEquals(a, resumed.at(progress),
                    "a resumed training asks at the same progress and gets the same fade");
            assertEquals(progress >= end ? 1 : a, a);
            assertEquals(progress < start ? 0 : a, a);
            before = a;
        }
        assertEquals(1, before);
        assertEquals(end > start ? 0.5 : 1, fade.at((start + end) / 2), 1e-9);
    }

    @ParameterizedTest
    @EnumSource
    void number14_mergedNetwork(Emtal.Scope scope) throws OrtException {
        Adaptation adaptation = emtal(scope).adapt(backbone, 27);
        Map<String, Tensor> values = AdaptedNetwork.trained(adaptation, 27);
        double[][] routed = reference(adaptation, values, 1);
        assertTrue(Matrices.difference(routed, mergedReference(adaptation, values)) <= EXACT);
        Backbone merged = adaptation.merge(backbone, values::get, 1);
        assertTrue(Matrices.difference(routed, reference(merged.graph().initializers())) <= SINGLE);

        Tensor thousand = Backbones.rows(backbone, 1000, 28);
        double[][] dense = matrix(AdaptedNetwork.run(merged, thousand));
        double[][] trained = matrix(AdaptedNetwork.run(backbone, adaptation, values, 1.0, thousand)
                .get(AdaptedNetwork.RESULT));
        assertTrue(Matrices.difference(dense, trained) <= SINGLE);
        double[][] head = Matrices.random(Backbones.WIDTH, 10, new SplittableRandom(29));
        assertArrayEquals(classes(Matrices.times(trained, head)), classes(Matrices.times(dense, head)));
    }

    /** The dense network with updates added in double precision to the permuted weights. */
    private double[][] mergedReference(Adaptation adaptation, Map<String, Tensor> values) {
        ReferenceTransformer network = new ReferenceTransformer(permuted(adaptation));
        ReferenceMoefiedLora moe = new ReferenceMoefiedLora(network, values, EXPERTS, 5, 1);
        for (int block = 0; block < Backbones.DEPTH; block++) {
            for (String layer : List.of("attn.qkv", "attn.proj", "mlp.fc1", "mlp.fc2")) {
                String name = "blocks." + block + "." + layer + ".weight";
                network.replace(name, Matrices.plus(network.weight(name), moe.update(block, layer)));
            }
        }
        return network.pooled(images, network::dense);
    }

    private static int[] classes(double[][] logits) {
        return Arrays.stream(logits).mapToInt(z -> {
            int best = 0;
            for (int c = 1; c < z.length; c++) {
                best = z[c] > z[best] ? c : best;
            }
            return best;
        }).toArray();
    }

    @ParameterizedTest
    @EnumSource
    void number15_mergeBelowOne(Emtal.Scope scope) {
        Adaptation adaptation = emtal(scope).adapt(backbone, 30);
        Map<String, Tensor> values = AdaptedNetwork.trained(adaptation, 30);
        for (double fade : new double[] {0, 0.5, Math.nextDown(1.0)}) {
            assertThrows(EmtalException.class, () -> adaptation.merge(backbone, values::get, fade));
        }
        double[][] merged = mergedReference(adaptation, values);
        double wide = Matrices.difference(reference(adaptation, values, 0.99), merged);
        double narrow = Matrices.difference(reference(adaptation, values, 0.999), merged);
        assertEquals(10, wide / narrow, 0.2);
    }

    @Test
    void number16_mergedFile() throws OrtException {
        Adaptation adaptation = emtal(Emtal.Scope.SHARED).adapt(backbone, 31);
        Map<String, Tensor> values = AdaptedNetwork.trained(adaptation, 31);
        Backbone merged = adaptation.merge(backbone, values::get, 1);
        assertEquals(backbone.graph().parameterCount(), merged.graph().parameterCount());
        assertEquals(backbone.graph().nodes(), merged.graph().nodes());
        var file = OnnxFile.toModel(merged.graph(), "merged");
        assertEquals(List.of(""), file.getOpsetImportList().stream().map(o -> o.getDomain()).toList());
        new GraphSession(merged.graph()).close();
        assertThrows(EmtalException.class, () -> adaptation.merge(merged, values::get, 1));
    }
}

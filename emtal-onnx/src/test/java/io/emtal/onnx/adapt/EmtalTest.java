package io.emtal.onnx.adapt;

import ai.onnxruntime.OrtException;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.LinearLayer;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.task.QualityRetaining;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.function.UnaryOperator;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class EmtalTest {

    private static final int EXPERTS = 4;

    private static Emtal.Builder small() {
        return Emtal.builder().experts(EXPERTS).rank(2);
    }

    @Nested
    class Defaults extends AdaptationMethodContract {
        @Override
        AdaptationMethod method() {
            return small().build();
        }
    }

    @Nested
    class PerExpert extends AdaptationMethodContract {
        @Override
        AdaptationMethod method() {
            return small().scope(Emtal.Scope.PER_EXPERT).alpha(3).build();
        }
    }

    @Nested
    class AsReleased extends AdaptationMethodContract {
        @Override
        AdaptationMethod method() {
            return small().start(Emtal.Start.RELEASE)
                    .fade(Fade.builder().end(0.4).curve(Fade.Curve.COSINE).build()).build();
        }

        @Override
        boolean startsAtBackbone() {
            return false;
        }
    }

    @Nested
    class PerImage extends AdaptationMethodContract {
        @Override
        AdaptationMethod method() {
            return small().granularity(Emtal.Granularity.PER_IMAGE).grouping(ExpertClustering.Grouping.RANDOM)
                    .balanceLoss(0.5).qualityRetaining(QualityRetaining.off()).build();
        }

        /** Where an exporter flattened the batch into the tokens, an image is not to be seen. */
        @Override
        List<Backbone> backbones(long seed) {
            return List.of(Backbones.vision(seed));
        }
    }

    @Nested
    class WithoutRouter extends AdaptationMethodContract {
        @Override
        AdaptationMethod method() {
            return small().router(false).grouping(ExpertClustering.Grouping.CONTIGUOUS).build();
        }
    }

    @Test
    void withoutRouterSharedScopeIsPlainLora() throws OrtException {
        Backbone backbone = Backbones.vision(1);
        Tensor rows = Backbones.rows(backbone, 4, 1);
        Adaptation lora = Lora.builder().rank(2).build().adapt(backbone, 1);
        Adaptation emtal = small().router(false).grouping(ExpertClustering.Grouping.CONTIGUOUS).build()
                .adapt(backbone, 1);
        Map<String, Tensor> values = AdaptedNetwork.trained(lora, 1);
        assertEquals(AdaptedNetwork.run(backbone, lora, values, null, rows),
                AdaptedNetwork.run(backbone, emtal, values, 0.0, rows));
        assertEquals(1, emtal.fade(0));
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5})
    void permutingExpertsWithTheirWeightsLeavesTheOutput(long seed) throws OrtException {
        SplittableRandom random = new SplittableRandom(seed);
        Backbone backbone = Backbones.vision(seed);
        Tensor rows = Backbones.rows(backbone, 4, seed);
        int[] order = {0, 1, 2, 3};
        for (int i = 3; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int expert = order[i];
            order[i] = order[j];
            order[j] = expert;
        }
        for (Emtal.Scope scope : Emtal.Scope.values()) {
            Adaptation adaptation = small().scope(scope).build().adapt(backbone, seed);
            Map<String, Tensor> values = AdaptedNetwork.trained(adaptation, seed);
            Adaptation permuted = new Permuted(adaptation, backbone, order);
            Map<String, Tensor> moved = new HashMap<>();
            values.forEach((name, value) -> moved.put(name, permutedValue(name, value, scope, order)));
            double fade = random.nextDouble();
            double difference = AdaptationMethodContract.difference(
                    AdaptedNetwork.run(backbone, adaptation, values, fade, rows).get(AdaptedNetwork.RESULT),
                    AdaptedNetwork.run(backbone, permuted, moved, fade, rows).get(AdaptedNetwork.RESULT));
            assertTrue(difference <= 1e-5, "seed " + seed + ", " + scope + ": " + difference);
        }
    }

    private static Tensor permutedValue(String name, Tensor value, Emtal.Scope scope, int[] order) {
        int m = Backbones.HIDDEN / EXPERTS;
        boolean own = scope == Emtal.Scope.PER_EXPERT;
        return switch (name.substring(name.indexOf('.') + 1)) {
            case "router" -> columns(value, order, 1);
            case "fc1.lora.a" -> own ? columns(value, order, 2) : value;
            case "fc1.lora.b" -> columns(value, order, m);
            case "fc2.lora.a" -> rows(value, order, m);
            case "fc2.lora.b" -> own ? rows(value, order, 2) : value;
            default -> value;
        };
    }

    /** Takes ranges of columns in another order. */
    private static Tensor columns(Tensor matrix, int[] order, int size) {
        int columns = (int) matrix.shape().extent(-1);
        float[] moved = new float[matrix.floats().length];
        for (int i = 0; i < moved.length; i++) {
            int column = i % columns;
            moved[i] = matrix.floats()[i - column + order[column / size] * size + column % size];
        }
        return new Tensor(matrix.type(), matrix.shape(), moved);
    }

    /** Takes ranges of rows in another order. */
    private static Tensor rows(Tensor matrix, int[] order, int size) {
        int columns = (int) matrix.shape().extent(-1);
        float[] moved = new float[matrix.floats().length];
        for (int i = 0; i < moved.length; i++) {
            int row = i / columns;
            moved[i] = matrix.floats()[(order[row / size] * size + row % size) * columns + i % columns];
        }
        return new Tensor(matrix.type(), matrix.shape(), moved);
    }

    /** An adaptation whose experts stand in another order. */
    private record Permuted(Adaptation adaptation, Backbone backbone, int[] order) implements Adaptation {

        @Override
        public List<Parameter> parameters() {
            return adaptation.parameters();
        }

        @Override
        public Map<String, Tensor> rearranged() {
            int m = Backbones.HIDDEN / EXPERTS;
            Map<String, Tensor> all = new HashMap<>(adaptation.rearranged());
            backbone.blocks().forEach(block -> {
                all.computeIfPresent(block.fc1().weight(), (n, w) -> columns(w, order, m));
                all.computeIfPresent(block.fc1().bias().orElseThrow(), (n, b) -> columns(b, order, m));
                all.computeIfPresent(block.fc2().weight(), (n, w) -> rows(w, order, m));
            });
            return all;
        }

        @Override
        public Value linear(Site site, LinearLayer layer, Value input) {
            return adaptation.linear(site, layer, input);
        }

        @Override
        public Backbone merge(Backbone into, Function<String, Tensor> values, double fade) {
            throw new UnsupportedOperationException();
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void gatesSumToTheNumberOfExperts(long seed) throws OrtException {
        SplittableRandom random = new SplittableRandom(seed);
        for (int experts : new int[] {1, 2, 16, 64}) {
            float[] logits = new float[experts];
            for (int i = 0; i < experts; i++) {
                logits[i] = (float) (20 * random.nextGaussian());
            }
            Router router = new Router(0, experts, 5, Emtal.Granularity.PER_TOKEN, 0);
            for (double fade : new double[] {0, random.nextDouble(), 1}) {
                double sum = 0;
                for (float omega : RouterRun.omega(router, logits, fade)) {
                    sum += omega;
                }
                assertEquals(experts, sum, 1e-5 * experts, "seed " + seed + ", fade " + fade);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 15, 16, 48})
    void allChannelsOfAnExpertGetItsGate(int channels) throws OrtException {
        float[] logits = {3, -2, 7, 0.5f};
        for (Emtal.Granularity granularity : Emtal.Granularity.values()) {
            Router router = new Router(0, 4, 5, granularity, 0);
            float[] gates = RouterRun.omega(router, logits, 0.25);
            float[] omega = RouterRun.run(router, logits, 0.25, channels).get("omega").floats();
            assertEquals(4 * channels, omega.length);
            for (int i = 0; i < omega.length; i++) {
                assertEquals(gates[i / channels], omega[i], granularity + ", channel " + i);
            }
        }
    }

    @Test
    void reportsMeanGatesAndEntropy() throws OrtException {
        Router router = new Router(3, 4, 1, Emtal.Granularity.PER_TOKEN, 0);
        Map<String, Tensor> equal = RouterRun.run(router, new float[] {7, 7, 7, 7}, 0.25);
        assertArrayEquals(new float[] {0.25f, 0.25f, 0.25f, 0.25f}, equal.get("gate.block3").floats(), 1e-6f);
        assertEquals(1, equal.get("routerEntropy.block3").floats()[0], 1e-6);
        Map<String, Tensor> one = RouterRun.run(router, new float[] {200, 0, 0, 0}, 0.5);
        assertArrayEquals(new float[] {0.625f, 0.125f, 0.125f, 0.125f}, one.get("gate.block3").floats(), 1e-6f);
        assertEquals(0, one.get("routerEntropy.block3").floats()[0], 1e-6);
    }

    @Test
    void balanceLossIsZeroWhereExpertsShareAlike() throws OrtException {
        Router router = new Router(0, 4, 1, Emtal.Granularity.PER_TOKEN, 0.1);
        assertEquals(0, RouterRun.run(router, new float[] {1, 1, 1, 1}, 0).get("loss").floats()[0], 1e-6);
        // One expert has it all: 0.1 · (1 − a) · (4 · 1 − 1).
        assertEquals(0.15, RouterRun.run(router, new float[] {200, 0, 0, 0}, 0.5).get("loss").floats()[0], 1e-6);
    }

    @Test
    void anotherRankLeavesTheClustering() {
        Backbone backbone = Backbones.vision(2);
        assertEquals(small().rank(1).build().adapt(backbone, 5).rearranged(),
                small().rank(7).build().adapt(backbone, 5).rearranged());
        assertNotEquals(small().grouping(ExpertClustering.Grouping.RANDOM).build().adapt(backbone, 5).rearranged(),
                small().build().adapt(backbone, 5).rearranged());
    }

    @Test
    void expertsThatDoNotDivideTheHiddenWidthNameTheDivisors() {
        EmtalException e = assertThrows(EmtalException.class,
                () -> Emtal.builder().experts(12).build().adapt(Backbones.vision(3), 1));
        assertTrue(e.getMessage().contains("found 12") && e.getMessage().contains("[1, 2, 4, 8, 16, 32]"),
                e.getMessage());
    }

    @Test
    void weightsThatTwoLayersShareAreRefused() {
        Backbone backbone = Backbones.vision(4);
        var first = backbone.blocks().get(0);
        Backbone tied = new Backbone(backbone.graph(), List.of(first, first), backbone.frozen());
        EmtalException e = assertThrows(EmtalException.class, () -> small().build().adapt(tied, 1));
        assertTrue(e.getMessage().contains("one layer a weight"), e.getMessage());
    }

    @Test
    void whatIsPerImageNeedsImages() {
        Backbone backbone = Backbones.exported(5);
        for (Emtal method : List.of(small().granularity(Emtal.Granularity.PER_IMAGE).build(),
                small().balanceLoss(1).build())) {
            Adaptation adaptation = method.adapt(backbone, 5);
            EmtalException e = assertThrows(EmtalException.class, () -> AdaptedNetwork.run(backbone, adaptation,
                    AdaptedNetwork.initial(adaptation), 0.0, Backbones.rows(backbone, 2, 5)));
            assertTrue(e.getMessage().contains("[batch, N, D]"), e.getMessage());
        }
    }

    @Test
    void badSettingsAreRefusedByNameWithWhatIsAllowed() {
        refused("experts", "0", b -> b.experts(0));
        refused("rank", "-1", b -> b.rank(-1));
        refused("alpha", "NaN", b -> b.alpha(Double.NaN));
        refused("temperature", "0.0", b -> b.temperature(0));
        refused("balanceLoss", "-0.5", b -> b.balanceLoss(-0.5));
        for (Fade.Builder fade : List.of(Fade.builder().end(0.95), Fade.builder().start(0.6),
                Fade.builder().start(-0.1))) {
            EmtalException e = assertThrows(EmtalException.class, fade::build);
            assertTrue(e.getMessage().startsWith("Fade: ") && e.getMessage().contains("allowed"), e.getMessage());
        }
    }

    private static void refused(String property, String found, UnaryOperator<Emtal.Builder> setting) {
        Emtal.Builder builder = setting.apply(Emtal.builder());
        EmtalException e = assertThrows(EmtalException.class, builder::build);
        assertTrue(e.getMessage().startsWith("Emtal: " + property + ": found " + found + ", allowed is "),
                e.getMessage());
        assertTrue(e.getCause() instanceof PropertyException);
    }

    @Test
    void buildersMakeANewMethodEachTime() {
        Emtal.Builder builder = Emtal.builder().rank(2);
        Emtal first = builder.build();
        assertNotEquals(first.getProvenance(), builder.rank(3).build().getProvenance());
        assertEquals(first.getProvenance(), Emtal.builder().rank(2).build().getProvenance());
    }
}

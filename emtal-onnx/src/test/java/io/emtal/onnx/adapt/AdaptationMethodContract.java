package io.emtal.onnx.adapt;

import ai.onnxruntime.OrtException;
import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.LinearLayer;
import io.emtal.onnx.graph.Narrowing;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** What every adaptation method does, whatever it trains. */
abstract class AdaptationMethodContract {

    static final double TOLERANCE = 1e-4;

    /** The method under test. */
    abstract AdaptationMethod method();

    /** Whether the first step sees the backbone unchanged. */
    boolean startsAtBackbone() {
        return true;
    }

    /** The backbones that the method can adapt. */
    List<Backbone> backbones(long seed) {
        return List.of(Backbones.vision(seed), Backbones.exported(seed));
    }

    static double difference(Tensor a, Tensor b) {
        assertEquals(a.shape(), b.shape());
        double most = 0;
        for (int i = 0; i < a.floats().length; i++) {
            double difference = Math.abs((double) a.floats()[i] - b.floats()[i]);
            most = difference > most || Double.isNaN(difference) ? difference : most;
        }
        return most;
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void firstStepSeesTheBackbone(long seed) throws OrtException {
        for (Backbone backbone : backbones(seed)) {
            Adaptation adaptation = method().adapt(backbone, seed);
            Tensor rows = Backbones.rows(backbone, 5, seed);
            Tensor adapted = AdaptedNetwork.run(backbone, adaptation, AdaptedNetwork.initial(adaptation),
                    adaptation.fade(0), rows).get(AdaptedNetwork.RESULT);
            double difference = difference(AdaptedNetwork.run(backbone, rows), adapted);
            assertTrue(Double.isFinite(difference), "seed " + seed);
            assertEquals(startsAtBackbone(), difference <= TOLERANCE, "seed " + seed + ": differs by " + difference);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void mergedNetworkComputesTheSame(long seed) throws OrtException {
        for (Backbone backbone : backbones(seed)) {
            Adaptation adaptation = method().adapt(backbone, seed);
            Map<String, Tensor> values = AdaptedNetwork.trained(adaptation, seed);
            Tensor rows = Backbones.rows(backbone, 5, seed);
            Tensor merged = AdaptedNetwork.run(adaptation.merge(backbone, values::get, 1), rows);
            Tensor ungated = AdaptedNetwork.run(backbone, adaptation, values, null, rows).get(AdaptedNetwork.RESULT);
            Tensor dense = AdaptedNetwork.run(backbone, adaptation, values, 1.0, rows).get(AdaptedNetwork.RESULT);
            assertTrue(difference(merged, ungated) <= TOLERANCE, "seed " + seed + ": " + difference(merged, ungated));
            assertTrue(difference(dense, ungated) <= 1e-6, "seed " + seed + ": " + difference(dense, ungated));
            assertEquals(adaptation.parameters().isEmpty(), difference(merged, AdaptedNetwork.run(backbone, rows)) == 0,
                    "seed " + seed + ": training changes the network");
        }
    }

    /** What a method calls tokenwise may be left out for the tokens that no head reads. */
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void narrowedNetworkComputesTheSame(long seed) throws OrtException {
        for (Backbone backbone : backbones(seed)) {
            Adaptation adaptation = method().adapt(backbone, seed);
            Map<String, Tensor> values = AdaptedNetwork.trained(adaptation, seed);
            Set<String> whole = backbone.layers().filter(layer -> !adaptation.tokenwise(layer)).map(LinearLayer::result)
                    .collect(Collectors.toSet());
            Backbone narrow = new Backbone(Narrowing.of(backbone.graph(), whole), backbone.blocks(), backbone.frozen());
            Tensor rows = Backbones.rows(backbone, 5, seed);
            Map<String, Tensor> expected = AdaptedNetwork.run(backbone, adaptation, values, 0.3, rows);
            Map<String, Tensor> found = AdaptedNetwork.run(narrow, adaptation, values, 0.3, rows);
            expected.forEach((name, tensor) -> {
                // Mean gates are those of the tokens that are left.
                if (name.equals(AdaptedNetwork.RESULT) || name.startsWith("loss")) {
                    assertTrue(difference(tensor, found.get(name)) <= 1e-5, name + ", seed " + seed);
                }
            });
        }
    }

    @Test
    void mergedNetworkHasTheBackbonesNodesAndSize() {
        for (Backbone backbone : backbones(4)) {
            Adaptation adaptation = method().adapt(backbone, 4);
            Backbone merged = adaptation.merge(backbone, AdaptedNetwork.trained(adaptation, 4)::get, 1);
            assertEquals(backbone.graph().nodes(), merged.graph().nodes());
            assertEquals(backbone.graph().parameterCount(), merged.graph().parameterCount());
            assertEquals(backbone.graph().initializers().keySet(), merged.graph().initializers().keySet());
        }
    }

    @Test
    void nothingThatIsFrozenChanges() {
        for (Backbone backbone : backbones(5)) {
            Adaptation adaptation = method().adapt(backbone, 5);
            Set<String> trained = adaptation.parameters().stream().map(Parameter::name).collect(Collectors.toSet());
            Set<String> layers = backbone.layers().map(LinearLayer::weight).collect(Collectors.toSet());
            Backbone merged = adaptation.merge(backbone, AdaptedNetwork.trained(adaptation, 5)::get, 1);
            backbone.graph().initializers().forEach((name, tensor) -> {
                if (!trained.contains(name) && !layers.contains(name) || backbone.frozen().contains(name)) {
                    assertEquals(tensor, merged.graph().initializers().get(name), name);
                }
            });
        }
    }

    @Test
    void startMergesBitExactly() {
        for (Backbone backbone : backbones(6)) {
            Adaptation adaptation = method().adapt(backbone, 6);
            Backbone merged = adaptation.merge(backbone, AdaptedNetwork.initial(adaptation)::get, 1);
            assertEquals(startsAtBackbone(), backbone.graph().initializers().equals(merged.graph().initializers()));
        }
    }

    @Test
    void parameterNamesAreUnique() {
        for (Backbone backbone : backbones(7)) {
            List<Parameter> parameters = method().adapt(backbone, 7).parameters();
            Set<String> names = new HashSet<>();
            parameters.forEach(p -> assertTrue(names.add(p.name()), p.name()));
        }
    }

    @Test
    void equalSeedsGiveEqualStarts() {
        for (Backbone backbone : backbones(8)) {
            Adaptation first = method().adapt(backbone, 8);
            Adaptation second = method().adapt(backbone, 8);
            assertEquals(first.parameters(), second.parameters());
            assertEquals(first.rearranged(), second.rearranged());
        }
    }

    @Test
    void everyParameterHasAGradientOnceItsPartnersAreNotZero() throws OrtException {
        for (Backbone backbone : backbones(9)) {
            Adaptation adaptation = method().adapt(backbone, 9);
            if (adaptation.parameters().isEmpty()) {
                continue;
            }
            Map<String, Tensor> gradients = AdaptedNetwork.gradients(backbone, adaptation,
                    AdaptedNetwork.trained(adaptation, 9), 0.3, Backbones.rows(backbone, 4, 9));
            for (Parameter p : adaptation.parameters()) {
                float[] gradient = gradients.get(p.name()).floats();
                double squares = 0;
                for (float g : gradient) {
                    squares += (double) g * g;
                }
                assertTrue(squares > 0 && Double.isFinite(squares), p.name() + ": squared norm " + squares);
            }
        }
    }

    @Test
    void mergingBelowOneIsRefused() {
        Backbone backbone = Backbones.vision(10);
        Adaptation adaptation = method().adapt(backbone, 10);
        Map<String, Tensor> values = AdaptedNetwork.trained(adaptation, 10);
        EmtalException e = assertThrows(EmtalException.class, () -> adaptation.merge(backbone, values::get, 0.999));
        assertTrue(e.getMessage().contains("0.999"), e.getMessage());
    }

    @Test
    void mergingTwiceIsRefused() {
        Backbone backbone = Backbones.vision(11);
        Adaptation adaptation = method().adapt(backbone, 11);
        if (adaptation.parameters().isEmpty()) {
            return;
        }
        Map<String, Tensor> values = AdaptedNetwork.trained(adaptation, 11);
        Backbone merged = adaptation.merge(backbone, values::get, 1);
        EmtalException e = assertThrows(EmtalException.class, () -> adaptation.merge(merged, values::get, 1));
        assertTrue(e.getMessage().contains("only once"), e.getMessage());
    }

    @Test
    void fadeNeverDecreasesAndReachesOne() {
        Adaptation adaptation = method().adapt(Backbones.vision(12), 12);
        double before = 0;
        for (int step = 0; step <= 1000; step++) {
            double fade = adaptation.fade(step / 1000.0);
            assertTrue(fade >= before && fade <= 1, "step " + step + ": " + fade);
            assertFalse(step >= 900 && fade != 1, "step " + step + ": " + fade);
            before = fade;
        }
    }

    @Test
    void configurationSurvivesAFile(@TempDir Path folder) throws IOException {
        AdaptationMethod method = method();
        Path file = folder.resolve("method.xml");
        String name;
        try (ConfigurationManager manager = new ConfigurationManager()) {
            name = manager.importConfigurable(method, "method");
            manager.save(file.toFile());
        }
        try (ConfigurationManager manager = new ConfigurationManager(file.toString())) {
            AdaptationMethod read = (AdaptationMethod) manager.lookup(name);
            assertEquals(method.getProvenance(), read.getProvenance());
        }
    }
}

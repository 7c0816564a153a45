package io.emtal.onnx.backbone;

import ai.onnxruntime.OrtException;
import io.emtal.onnx.backbone.ExporterVariant.Batch;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphSession;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.ReadLimits;
import io.emtal.onnx.graph.Tensor;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The models that importers are tested with are good models themselves. */
class ExporterGraphsTest {

    static List<ExporterVariant> variants() {
        return ExporterVariants.ALL;
    }

    @Test
    void everyTraitOccurs() {
        List<ExporterVariant.Trait> missing = new ArrayList<>(ExporterVariant.allTraits());
        missing.removeIf(trait -> ExporterVariants.ALL.stream().anyMatch(v -> v.is(trait)));
        assertEquals(List.of(), missing);
    }

    @Test
    void variantsDiffer() {
        Set<String> names = new HashSet<>();
        Set<Set<ExporterVariant.Trait>> traits = new HashSet<>();
        for (ExporterVariant variant : ExporterVariants.ALL) {
            assertTrue(names.add(variant.name()), variant.name());
            assertTrue(traits.add(Set.copyOf(variant.traits())), variant.name());
        }
        assertTrue(names.size() >= 24, names.size() + " variants");
    }

    /** ONNX Runtime loads and runs the file, at several rows where the batch is open, each row on its own. */
    @ParameterizedTest
    @MethodSource("variants")
    void run(ExporterVariant variant) throws OrtException {
        ExportedTransformer exported = ExporterGraphs.write(variant, System.nanoTime());
        Tensor images = exported.images(3, exported.seed());
        float[][] single = exported.run(images);
        for (float[] result : single) {
            for (float value : result) {
                assertTrue(Float.isFinite(value) && value != 0, exported + ": " + value);
            }
        }
        if (variant.is(Batch.STATIC)) {
            return;
        }
        try (GraphSession session = new GraphSession(exported.model())) {
            float[] together = session.run(Map.of(ExportedTransformer.INPUT, images)).values().iterator().next()
                    .floats();
            int size = single[0].length;
            for (int i = 0; i < together.length; i++) {
                assertEquals(single[i / size][i % size], together[i], 1e-5, exported.toString());
            }
        }
    }

    /** However the same network is written, it computes the same. */
    @ParameterizedTest
    @MethodSource("variants")
    void computeWhatThePlainFormComputes(ExporterVariant variant) throws OrtException {
        ExportedTransformer exported = ExporterGraphs.write(variant, System.nanoTime());
        ExportedTransformer plain = ExporterGraphs.write(variant.plain(), exported.seed());
        Tensor images = exported.images(2, exported.seed());
        float[][] expected = plain.run(images);
        float[][] found = exported.run(images);
        for (int i = 0; i < 2; i++) {
            assertArrayEquals(expected[i], found[i], 2e-5f, exported.toString());
        }
    }

    /** The reader gives the same at a fixed number of rows. */
    @ParameterizedTest
    @MethodSource("variants")
    void areRead(ExporterVariant variant) throws OrtException {
        ExportedTransformer exported = ExporterGraphs.write(variant, System.nanoTime());
        Graph graph = OnnxFile.read(OnnxFile.load(exported.model().toByteString(), ReadLimits.DEFAULT), 1);
        Tensor image = exported.images(1, exported.seed());
        try (GraphSession session = new GraphSession(graph)) {
            assertArrayEquals(exported.run(image)[0], session.run(Map.of(ExportedTransformer.INPUT, image)).values()
                    .iterator().next().floats(), 2e-5f, exported.toString());
        }
    }
}

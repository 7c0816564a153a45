package io.emtal.onnx.backbone;

import ai.onnxruntime.OrtException;
import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.graph.GraphSession;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.task.OneTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class VisionTransformerTest {

    private static final int HEIGHT = 4;
    private static final int WIDTH = 6;
    private static final int CHANNELS = 3;
    private static final int PIXELS = HEIGHT * WIDTH * CHANNELS;

    private static VisionTransformer.Builder small() {
        return VisionTransformer.builder().image(HEIGHT, WIDTH, CHANNELS).patch(2)
                .width(8).heads(2).depth(1).hidden(16);
    }

    private static FeatureLayout layout(int pixels) {
        return new FeatureLayout(IntStream.range(0, pixels)
                .mapToObj(i -> new FeatureColumn("p" + i, FeatureColumn.Kind.NUMERIC, i, 1)).toList());
    }

    /** Channel c has mean 10·c and deviation c; channel 0 is constant. */
    private static Examples images(int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        return PackedExamples.pack(count, PIXELS, 1, (row, inputs, labels) -> {
            for (int i = 0; i < inputs.length; i++) {
                int c = i % CHANNELS;
                inputs[i] = (float) (10 * c + c * random.nextGaussian());
            }
        });
    }

    private static float[] pooled(Backbone backbone, float[] image) throws OrtException {
        try (GraphSession session = new GraphSession(backbone.graph())) {
            return session.run(Map.of("input", Tensor.of(image, 1, image.length))).get("pooled").floats();
        }
    }

    private static float[] image(long seed) {
        float[] image = new float[PIXELS];
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < PIXELS; i++) {
            image[i] = (float) (10 * random.nextGaussian());
        }
        return image;
    }

    @Test
    void standardisesEveryChannelWithTheTrainingRows() {
        Backbone backbone = small().build().create(layout(PIXELS), OneTask.LAYOUT, images(400, 1), 1);
        float[] mean = backbone.graph().initializers().get("input.mean").floats();
        float[] scale = backbone.graph().initializers().get("input.scale").floats();
        for (int i = 0; i < mean.length; i++) {
            int c = i % CHANNELS;
            assertEquals(10 * c, mean[i], 0.1);
            assertEquals(c == 0 ? 1 : 1.0 / c, scale[i], 0.03);
        }
        assertTrue(backbone.frozen().containsAll(List.of("input.mean", "input.scale")));
    }

    @Test
    void patchesAreSquaresOfTheImage() throws OrtException {
        Backbone backbone = small().build().create(layout(PIXELS), OneTask.LAYOUT, images(50, 2), 2);
        Tensor positions = backbone.graph().initializers().get("pos_embed");
        assertEquals(Shape.of(1, 1 + HEIGHT / 2 * WIDTH / 2, 8), positions.shape());
        // With equal positions, exchanging two patches leaves the class token; exchanging pixels of two does not.
        Backbone unplaced = backbone.withInitializers(Map.of("pos_embed",
                new Tensor(positions.type(), positions.shape(), new float[positions.shape().size()])));
        float[] image = image(3);
        float[] exchanged = image.clone();
        for (int y = 0; y < 2; y++) {
            for (int x = 0; x < 2; x++) {
                for (int c = 0; c < CHANNELS; c++) {
                    int upperLeft = (y * WIDTH + x) * CHANNELS + c;
                    int lowerRight = ((y + 2) * WIDTH + x + 4) * CHANNELS + c;
                    exchanged[upperLeft] = image[lowerRight];
                    exchanged[lowerRight] = image[upperLeft];
                }
            }
        }
        assertArrayEquals(pooled(unplaced, image), pooled(unplaced, exchanged), 1e-5f);
        float[] torn = image.clone();
        torn[0] = image[PIXELS - 1];
        torn[PIXELS - 1] = image[0];
        float[] before = pooled(unplaced, image);
        float[] after = pooled(unplaced, torn);
        double most = 0;
        for (int i = 0; i < before.length; i++) {
            most = Math.max(most, Math.abs(before[i] - after[i]));
        }
        assertTrue(most > 1e-3, "differs by " + most);
    }

    @Test
    void missingPixelsAreZero() throws OrtException {
        Backbone backbone = small().build().create(layout(PIXELS), OneTask.LAYOUT, images(50, 4), 4);
        float[] zeros = image(4);
        float[] missing = zeros.clone();
        for (int i : new int[] {0, 7, PIXELS - 1}) {
            zeros[i] = 0;
            missing[i] = Float.NaN;
        }
        assertArrayEquals(pooled(backbone, zeros), pooled(backbone, missing));
    }

    @Test
    void theSeedDecidesTheWeights() {
        VisionTransformer source = small().build();
        var first = source.create(layout(PIXELS), OneTask.LAYOUT, images(20, 5), 5).graph().initializers();
        assertEquals(first, source.create(layout(PIXELS), OneTask.LAYOUT, images(20, 5), 5).graph().initializers());
        assertNotEquals(first, source.create(layout(PIXELS), OneTask.LAYOUT, images(20, 5), 6).graph().initializers());
    }

    @Test
    void dataThatDoesNotFitIsRefused() {
        VisionTransformer source = small().build();
        Examples examples = images(3, 7);
        EmtalException narrow = assertThrows(EmtalException.class,
                () -> source.create(layout(PIXELS - 1), OneTask.LAYOUT, examples, 1));
        assertTrue(narrow.getMessage().contains("found 71 features") && narrow.getMessage().contains("72"),
                narrow.getMessage());
        EmtalException none = assertThrows(EmtalException.class,
                () -> source.create(layout(PIXELS), OneTask.LAYOUT, images(0, 1), 1));
        assertTrue(none.getMessage().contains("no training rows"), none.getMessage());
    }

    @Test
    void badSettingsAreRefused() {
        List<VisionTransformer.Builder> bad = new ArrayList<>(List.of(small().patch(4), small().heads(3),
                small().depth(0), small().image(0, 4, 1), small().image(4, 4, 0), small().hidden(0), small().patch(0)));
        for (VisionTransformer.Builder builder : bad) {
            EmtalException e = assertThrows(EmtalException.class, builder::build);
            assertTrue(e.getMessage().contains("found") && e.getMessage().contains("allowed"), e.getMessage());
        }
        assertFalse(small().build().pretrained());
    }

    @Test
    void configurationSurvivesAFile(@TempDir Path folder) throws IOException {
        VisionTransformer source = small().build();
        Path file = folder.resolve("backbone.xml");
        String name;
        try (ConfigurationManager manager = new ConfigurationManager()) {
            name = manager.importConfigurable(source, "backbone");
            manager.save(file.toFile());
        }
        try (ConfigurationManager manager = new ConfigurationManager(file.toString())) {
            assertEquals(source.getProvenance(), ((VisionTransformer) manager.lookup(name)).getProvenance());
        }
    }
}

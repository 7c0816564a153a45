package io.emtal.onnx.data;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.FeatureTransformer;
import io.emtal.onnx.backbone.VisionTransformer;
import io.emtal.onnx.data.ImageInput.Channels;
import io.emtal.onnx.data.ImageInput.Interpolation;
import io.emtal.onnx.data.ImageInput.Layout;
import io.emtal.onnx.task.OneTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.List;

class ImageInputTest {

    @Test
    void aRowHoldsOneImage() {
        FeatureLayout layout = FeatureLayout.of(new ImageInput(4, 5, Channels.BGR, Layout.NCHW));
        assertEquals(60, layout.width());
        assertEquals(List.of(FeatureColumn.Kind.PIXELS), layout.columns().stream().map(FeatureColumn::kind).toList());
    }

    @ParameterizedTest
    @CsvSource({"0, 4, 1, 1", "4, -1, 1, 1", "65536, 65536, 1, 1", "4, 4, 0, 1", "4, 4, 1.5, 1", "4, 4, NaN, 1",
            "4, 4, 1, 0", "4, 4, 1, NaN"})
    void impossibleSettingsAreRefused(int height, int width, double crop, double deviation) {
        assertThrows(EmtalException.class, () -> new ImageInput(height, width, Channels.GREY, Layout.NHWC,
                Interpolation.NEAREST, crop, List.of(0.5), List.of(deviation)));
    }

    @Test
    void statisticsHaveOneNumberAChannelOrNone() {
        assertThrows(EmtalException.class, () -> new ImageInput(4, 4, Channels.RGB, Layout.NHWC, Interpolation.BICUBIC,
                1, List.of(0.5), List.of()));
    }

    @Test
    void backbonesSayWhatTheyRead() {
        assertTrue(FeatureTransformer.builder().build().images().isEmpty());
        assertTrue(VisionTransformer.builder().image(28, 28, 2).build().images().isEmpty());
        ImageInput grey = VisionTransformer.builder().build().images().orElseThrow();
        assertEquals(new ImageInput(28, 28, Channels.GREY, Layout.NHWC, Interpolation.BILINEAR, 1, List.of(0.0),
                List.of(1.0)), grey);
        PackedExamples rows = PackedExamples.pack(1, grey.elements(), 1, (row, inputs, labels) -> inputs[0] = 1);
        assertThrows(EmtalException.class,
                () -> FeatureTransformer.builder().build().create(FeatureLayout.of(grey), OneTask.LAYOUT, rows, 1));
    }
}

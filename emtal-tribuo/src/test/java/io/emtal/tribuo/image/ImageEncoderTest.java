package io.emtal.tribuo.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.ImageInput;
import io.emtal.onnx.data.ImageInput.Channels;
import io.emtal.onnx.data.ImageInput.Interpolation;
import io.emtal.onnx.data.ImageInput.Layout;
import io.emtal.tribuo.protos.EmtalModelProto;
import io.emtal.tribuo.protos.ImageEncoderProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.tribuo.Example;
import org.tribuo.classification.Label;
import org.tribuo.impl.ArrayExample;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

class ImageEncoderTest {

    private static final ImageAugmentation NONE = ImageAugmentation.builder().build();

    private static ImageInput input(Channels channels, Layout layout) {
        return new ImageInput(2, 3, channels, layout, Interpolation.BILINEAR, 1,
                List.of(0.1, 0.2, 0.3).subList(0, channels.count()),
                List.of(0.5, 0.25, 2.0).subList(0, channels.count()));
    }

    /** Channel c of the pixel in line y and column x is 10 y + 3 x + 50 c. */
    private static Example<Label> example() {
        BufferedImage image = new BufferedImage(3, 2, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < 2; y++) {
            for (int x = 0; x < 3; x++) {
                int red = 10 * y + 3 * x;
                image.setRGB(x, y, red << 16 | red + 50 << 8 | red + 100);
            }
        }
        return ImageExample.of(new Label("x"), image);
    }

    @ParameterizedTest
    @EnumSource(Layout.class)
    void channelsStandWhereTheBackboneReadsThem(Layout layout) {
        for (Channels channels : List.of(Channels.RGB, Channels.BGR)) {
            ImageInput input = input(channels, layout);
            ImageEncoder encoder = ImageEncoder.of(input, ImagePreprocessing.builder().build(), NONE);
            float[] row = new float[20];
            assertEquals(1, encoder.encode("row 0", example(), row, 2));
            for (int y = 0; y < 2; y++) {
                for (int x = 0; x < 3; x++) {
                    for (int c = 0; c < 3; c++) {
                        int colour = channels == Channels.BGR ? 2 - c : c;
                        double expected = ((10 * y + 3 * x + 50 * colour) / 255.0 - input.mean().get(c))
                                / input.deviation().get(c);
                        int at = layout == Layout.NCHW ? c * 6 + y * 3 + x : (y * 3 + x) * 3 + c;
                        assertEquals(expected, row[2 + at], 1e-6, channels + " " + y + " " + x + " " + c);
                    }
                }
            }
            assertEquals(0, row[0] + row[1]);
        }
    }

    @Test
    void settingsSurviveTheProtobuf() {
        ImageInput input = new ImageInput(5, 4, Channels.GREY, Layout.NHWC, Interpolation.BICUBIC, 0.875,
                List.of(0.1307), List.of(0.3081));
        ImageEncoder encoder = ImageEncoder.of(input, ImagePreprocessing.builder().maxPixels(99).build(), NONE);
        ImageEncoder read = ImageEncoder.of(written(encoder));
        assertEquals(written(encoder), written(read));
        float[] expected = new float[20];
        float[] found = new float[20];
        encoder.encode("row 0", example(), expected, 0);
        read.encode("row 0", example(), found, 0);
        assertArrayEquals(expected, found);
        assertEquals(encoder.layout(), read.layout());
        assertTrue(read.featureIds().isEmpty());
    }

    private static ImageEncoderProto written(ImageEncoder encoder) {
        EmtalModelProto.Builder model = EmtalModelProto.newBuilder();
        encoder.serialize(model);
        return model.getImages();
    }

    @Test
    void protobufsOfImpossibleSettingsAreRefused() {
        ImageEncoderProto good = written(ImageEncoder.of(input(Channels.RGB, Layout.NCHW),
                ImagePreprocessing.builder().build(), NONE));
        for (ImageEncoderProto bad : List.of(good.toBuilder().setHeight(0).build(),
                good.toBuilder().setWidth(-3).build(), good.toBuilder().setHeight(1 << 30).setWidth(1 << 30).build(),
                good.toBuilder().setChannels("CMYK").build(), good.toBuilder().clearLayout().build(),
                good.toBuilder().clearMean().build(), good.toBuilder().addDeviation(1).build(),
                good.toBuilder().setDeviation(0, 0).build(), good.toBuilder().clearMaxPixels().build(),
                good.toBuilder().setCropFraction(2).build())) {
            assertThrows(EmtalException.class, () -> ImageEncoder.of(bad), bad.toString());
        }
    }

    @Test
    void preprocessingCompletesTheBackbone() {
        ImageInput silent = new ImageInput(8, 8, Channels.RGB, Layout.NCHW);
        String message = assertThrows(EmtalException.class,
                () -> ImagePreprocessing.builder().mean(0, 0, 0).build().resolve(silent)).getMessage();
        assertTrue(message.contains("deviation"), message);
        ImagePreprocessing own = ImagePreprocessing.builder().mean(0.5, 0.4, 0.3).deviation(1, 2, 3)
                .channels(Channels.BGR).interpolation(Interpolation.NEAREST).cropFraction(0.9).build();
        assertEquals(new ImageInput(8, 8, Channels.BGR, Layout.NCHW, Interpolation.NEAREST, 0.9, List.of(0.5, 0.4, 0.3),
                List.of(1.0, 2.0, 3.0)), own.resolve(silent));
        ImageInput stated = input(Channels.RGB, Layout.NHWC);
        assertEquals(stated, ImagePreprocessing.builder().build().resolve(stated));
        assertThrows(EmtalException.class, () -> own.resolve(input(Channels.GREY, Layout.NCHW)));
        assertThrows(EmtalException.class, () -> ImagePreprocessing.builder().mean(1, 2).build().resolve(stated));
        assertThrows(EmtalException.class, () -> ImagePreprocessing.builder().cropFraction(1.1).build());
        assertThrows(EmtalException.class, () -> ImagePreprocessing.builder().maxPixels(0).build());
    }

    @Test
    void examplesWithoutImagesAreRefusedByName() {
        ImageEncoder encoder = ImageEncoder.of(input(Channels.GREY, Layout.NCHW), ImagePreprocessing.builder().build(),
                NONE);
        Example<Label> table = new ArrayExample<>(new Label("x"), new String[] {"f"}, new double[] {1});
        String message = assertThrows(EmtalException.class, () -> encoder.encode("row 12", table, new float[6], 0))
                .getMessage();
        assertTrue(message.startsWith("row 12: "), message);
    }

    @Test
    void settingsAreConfiguredAndInProvenance(@TempDir Path folder) throws IOException {
        Path xml = Files.writeString(folder.resolve("config.xml"), """
                <config>
                  <component name="preprocessing" type="io.emtal.tribuo.image.ImagePreprocessing">
                    <property name="channels" value="BGR"/>
                    <property name="cropFraction" value="0.9"/>
                    <propertylist name="mean"><item>0.5</item><item>0.4</item><item>0.3</item></propertylist>
                    <propertylist name="deviation"><item>1</item><item>2</item><item>3</item></propertylist>
                  </component>
                  <component name="augmentation" type="io.emtal.tribuo.image.ImageAugmentation">
                    <property name="minCropArea" value="0.5"/>
                    <property name="horizontalFlip" value="0.25"/>
                  </component>
                  <component name="bad" type="io.emtal.tribuo.image.ImageAugmentation">
                    <property name="horizontalFlip" value="1.25"/>
                  </component>
                </config>
                """);
        ConfigurationManager manager = new ConfigurationManager(xml.toString());
        ImagePreprocessing preprocessing = (ImagePreprocessing) manager.lookup("preprocessing");
        ImageInput resolved = preprocessing.resolve(new ImageInput(8, 8, Channels.RGB, Layout.NCHW));
        assertEquals(List.of(0.5, 0.4, 0.3), resolved.mean());
        assertEquals(Channels.BGR, resolved.channels());
        ImageAugmentation augmentation = (ImageAugmentation) manager.lookup("augmentation");
        assertTrue(augmentation.crops());
        assertThrows(PropertyException.class, () -> manager.lookup("bad"));
        for (var provenance : List.of(preprocessing.getProvenance(), augmentation.getProvenance(), NONE.getProvenance(),
                ImagePreprocessing.builder().build().getProvenance())) {
            assertEquals(provenance, ProvenanceUtil.unmarshalProvenance(ProvenanceUtil.marshalProvenance(provenance)));
        }
    }
}

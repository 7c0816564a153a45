package io.emtal.tribuo.image;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.modality.cv.BufferedImageFactory;
import io.emtal.onnx.EmtalException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.tribuo.Example;
import org.tribuo.classification.Label;

import java.awt.Color;
import java.awt.color.ColorSpace;
import java.awt.color.ICC_Profile;
import java.awt.image.BufferedImage;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

class ImageDecoderTest {

    private static final ImageDecoder COLOUR = new ImageDecoder(3, 1 << 20);
    private static final ImageDecoder GREY = new ImageDecoder(1, 1 << 20);

    private static int[] pixel(Pixels pixels, int y, int x) {
        int[] channels = new int[pixels.channels()];
        Arrays.setAll(channels, c -> pixels.get(y, x, c));
        return channels;
    }

    private static void assertQuarters(Pixels pixels, int tolerance, String message) {
        for (boolean lower : new boolean[] {false, true}) {
            for (boolean right : new boolean[] {false, true}) {
                Color expected = Drawings.quarter(lower, right);
                int[] found = pixel(pixels, (lower ? 3 : 1) * pixels.height() / 4,
                        (right ? 3 : 1) * pixels.width() / 4);
                String where = message + (lower ? " lower" : " upper") + (right ? " right" : " left") + ": "
                        + Arrays.toString(found);
                assertEquals(expected.getRed(), found[0], tolerance, where);
                assertEquals(expected.getGreen(), found[1], tolerance, where);
                assertEquals(expected.getBlue(), found[2], tolerance, where);
            }
        }
    }

    private static BufferedImage image(int bits, ColorSpace space, boolean alpha, int[]... pixels) {
        int type = bits == 16 ? DataBuffer.TYPE_USHORT : DataBuffer.TYPE_BYTE;
        ComponentColorModel model = new ComponentColorModel(space, alpha, false, alpha ? 3 : 1, type);
        WritableRaster raster = model.createCompatibleWritableRaster(pixels.length, 1);
        for (int x = 0; x < pixels.length; x++) {
            raster.setPixel(x, 0, pixels[x]);
        }
        return new BufferedImage(model, raster, false, null);
    }

    @ParameterizedTest
    @CsvSource({"png, 0", "bmp, 0", "gif, 0", "jpeg, 6"})
    void coloursOfAllFormats(String format, int tolerance) {
        BufferedImage image = Drawings.quarters(32, 48, BufferedImage.TYPE_INT_RGB);
        byte[] file = format.equals("jpeg") ? Drawings.jpeg(image) : Drawings.encode(image, format);
        Pixels pixels = COLOUR.decode("image", file);
        assertEquals(32, pixels.height());
        assertEquals(48, pixels.width());
        assertQuarters(pixels, tolerance, format);
    }

    @ParameterizedTest
    @ValueSource(ints = {BufferedImage.TYPE_INT_RGB, BufferedImage.TYPE_INT_ARGB, BufferedImage.TYPE_INT_ARGB_PRE,
            BufferedImage.TYPE_INT_BGR, BufferedImage.TYPE_3BYTE_BGR, BufferedImage.TYPE_4BYTE_ABGR,
            BufferedImage.TYPE_4BYTE_ABGR_PRE, BufferedImage.TYPE_USHORT_565_RGB, BufferedImage.TYPE_USHORT_555_RGB,
            BufferedImage.TYPE_BYTE_INDEXED})
    void imagesInMemory(int type) {
        // A palette of 216 colours and one of five bits a channel come close to the grey only.
        int tolerance = type == BufferedImage.TYPE_BYTE_INDEXED || type == BufferedImage.TYPE_USHORT_565_RGB
                || type == BufferedImage.TYPE_USHORT_555_RGB ? 12 : 0;
        BufferedImage whole = Drawings.quarters(20, 20, type);
        assertQuarters(COLOUR.decode("image", whole), tolerance, "type " + type);
        Example<Label> example = ImageExample.of(new Label("x"), new BufferedImageFactory().fromImage(whole));
        assertQuarters(COLOUR.decode("image", ImageEncoder.image("image", example)), tolerance, "DJL, type " + type);
        BufferedImage part = Drawings.quarters(40, 40, type).getSubimage(10, 10, 20, 20);
        assertQuarters(COLOUR.decode("image", part), tolerance, "part, type " + type);
    }

    @Test
    void greyStaysWhatItIs() {
        BufferedImage image = new BufferedImage(256, 1, BufferedImage.TYPE_BYTE_GRAY);
        for (int x = 0; x < 256; x++) {
            image.getRaster().setSample(x, 0, 0, x);
        }
        for (String format : List.of("png", "bmp")) {
            Pixels grey = GREY.decode("image", Drawings.encode(image, format));
            Pixels colour = COLOUR.decode("image", Drawings.encode(image, format));
            for (int x = 0; x < 256; x++) {
                assertEquals(x, grey.get(0, x, 0), format);
                assertArrayEquals(new int[] {x, x, x}, pixel(colour, 0, x), format);
            }
        }
    }

    @Test
    void colourBecomesLuminance() {
        Pixels grey = GREY.decode("image", Drawings.encode(Drawings.quarters(4, 4, BufferedImage.TYPE_INT_RGB), "png"));
        assertArrayEquals(new int[] {76}, pixel(grey, 0, 0));
        assertArrayEquals(new int[] {150}, pixel(grey, 0, 3));
        assertArrayEquals(new int[] {29}, pixel(grey, 3, 0));
        assertArrayEquals(new int[] {90}, pixel(grey, 3, 3));
    }

    @Test
    void sixteenBitsAreRoundedToEight() {
        ColorSpace rgb = ColorSpace.getInstance(ColorSpace.CS_sRGB);
        ColorSpace linear = ColorSpace.getInstance(ColorSpace.CS_GRAY);
        Pixels grey = GREY.decode("image", Drawings.encode(image(16, linear, false, new int[] {0}, new int[] {65535},
                new int[] {257 * 77}, new int[] {257 * 77 + 128}, new int[] {257 * 77 + 129}), "png"));
        assertArrayEquals(new byte[] {0, -1, 77, 77, 78}, grey.data());
        Pixels colour = COLOUR.decode("image", Drawings.encode(image(16, rgb, false, new int[] {65535, 257 * 3, 0}),
                "png"));
        assertArrayEquals(new byte[] {-1, 3, 0}, colour.data());
        Pixels clear = COLOUR.decode("image", Drawings.encode(image(16, rgb, true, new int[] {0, 65535, 0, 257 * 51}),
                "png"));
        assertArrayEquals(new int[] {204, 255, 204}, pixel(clear, 0, 0));
    }

    @Test
    void transparencyIsPutOnWhite() {
        BufferedImage image = new BufferedImage(3, 1, BufferedImage.TYPE_INT_ARGB);
        image.setRGB(0, 0, 0x00123456);
        image.setRGB(1, 0, 0x80ff0000);
        image.setRGB(2, 0, 0xff102030);
        Pixels pixels = COLOUR.decode("image", Drawings.encode(image, "png"));
        assertArrayEquals(new int[] {255, 255, 255}, pixel(pixels, 0, 0));
        assertArrayEquals(new int[] {255, 127, 127}, pixel(pixels, 0, 1));
        assertArrayEquals(new int[] {16, 32, 48}, pixel(pixels, 0, 2));
        ColorSpace linear = ColorSpace.getInstance(ColorSpace.CS_GRAY);
        Pixels grey = GREY.decode("image", Drawings.encode(image(8, linear, true, new int[] {0, 0}, new int[] {0, 255},
                new int[] {100, 128}), "png"));
        assertArrayEquals(new byte[] {-1, 0, (byte) 177}, grey.data());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 4, 8})
    void palettesAreLookedUp(int bits) {
        byte[] red = {(byte) 200, 10};
        byte[] green = {100, 20};
        byte[] blue = {0, 30};
        byte[] alpha = {-1, 0};
        for (boolean clear : new boolean[] {false, true}) {
            IndexColorModel palette = clear ? new IndexColorModel(bits, 2, red, green, blue, alpha)
                    : new IndexColorModel(bits, 2, red, green, blue);
            WritableRaster raster = bits == 8 ? palette.createCompatibleWritableRaster(3, 1)
                    : Raster.createPackedRaster(DataBuffer.TYPE_BYTE, 3, 1, 1, bits, null);
            raster.setSamples(0, 0, 3, 1, 0, new int[] {0, 1, 0});
            Pixels pixels = COLOUR.decode("image", Drawings.encode(new BufferedImage(palette, raster, false, null),
                    "png"));
            assertArrayEquals(new int[] {200, 100, 0}, pixel(pixels, 0, 2));
            assertArrayEquals(clear ? new int[] {255, 255, 255} : new int[] {10, 20, 30}, pixel(pixels, 0, 1));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8})
    void imagesAreTurnedAsExifSays(int orientation) {
        BufferedImage seen = Drawings.quarters(16, 32, BufferedImage.TYPE_INT_RGB);
        boolean turned = orientation > 4;
        BufferedImage stored = new BufferedImage(turned ? 16 : 32, turned ? 32 : 16, BufferedImage.TYPE_INT_RGB);
        for (int y = 0; y < 16; y++) {
            for (int x = 0; x < 32; x++) {
                // Where the standard puts line and column 0: top left, top right, bottom right, bottom left, and so on.
                int line = switch (orientation) {
                    case 1, 2 -> y;
                    case 3, 4 -> 15 - y;
                    case 5, 8 -> x;
                    default -> 31 - x;
                };
                int column = switch (orientation) {
                    case 1, 4 -> x;
                    case 2, 3 -> 31 - x;
                    case 5, 6 -> y;
                    default -> 15 - y;
                };
                stored.setRGB(column, line, seen.getRGB(x, y));
            }
        }
        Pixels png = COLOUR.decode("image", Drawings.withChunk(Drawings.encode(stored, "png"), "eXIf",
                Drawings.exif(orientation)));
        assertArrayEquals(COLOUR.decode("image", seen).data(), png.data());
        Pixels jpeg = COLOUR.decode("image", Drawings.withSegment(Drawings.jpeg(stored), 0xe1,
                Drawings.prefixed("Exif\0\0", Drawings.exif(orientation))));
        assertEquals(16, jpeg.height());
        assertEquals(32, jpeg.width());
        assertQuarters(jpeg, 6, "orientation " + orientation);
    }

    @Test
    void orientationsThatMakeNoSenseAreIgnored() {
        byte[] png = Drawings.encode(Drawings.quarters(8, 8, BufferedImage.TYPE_INT_RGB), "png");
        for (byte[] exif : List.of(Drawings.exif(0), Drawings.exif(9), new byte[0], new byte[8],
                Arrays.copyOf(Drawings.exif(6), 15))) {
            assertQuarters(COLOUR.decode("image", Drawings.withChunk(png, "eXIf", exif)), 0, Arrays.toString(exif));
        }
    }

    /** No cyan, all of magenta, half of yellow and a fifth of black, as three kinds of files have them. */
    @Test
    void inksBecomeColours() {
        // No marker: 0 is no ink. Red = (1 − cyan)(1 − black).
        assertInks(Drawings.jpeg(16, 16, 0, 255, 128, 51), 204, 0, 102);
        // Adobe's marker: 255 is no ink.
        assertInks(Drawings.withSegment(Drawings.jpeg(16, 16, 255, 0, 127, 204), 0xee, Drawings.adobe(0)), 204, 0, 102);
        // The same inks as luma and chroma of 255 − cyan, 255 − magenta, 255 − yellow: 0, 255, 128.
        int luma = (int) Math.round(0.587 * 255 + 0.114 * 128);
        int blue = (int) Math.round(128 + (128 - luma) / 1.772);
        int red = (int) Math.round(128 - luma / 1.402);
        assertInks(Drawings.withSegment(Drawings.jpeg(16, 16, luma, blue, red, 204), 0xee, Drawings.adobe(2)), 204, 0,
                102);
    }

    private static void assertInks(byte[] file, int... expected) {
        int[] found = pixel(COLOUR.decode("image", file), 8, 8);
        for (int c = 0; c < 3; c++) {
            assertEquals(expected[c], found[c], 3, Arrays.toString(found));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"png", "jpeg", "gif", "bmp"})
    void truncatedFilesAreRefusedByName(String format, @TempDir Path folder) throws IOException {
        SplittableRandom random = new SplittableRandom(5);
        BufferedImage image = new BufferedImage(40, 30, BufferedImage.TYPE_INT_RGB);
        for (int i = 0; i < 1200; i++) {
            image.setRGB(i % 40, i / 40, random.nextInt(1 << 24));
        }
        byte[] whole = Drawings.encode(image, format);
        Path file = folder.resolve("image." + format);
        for (int length = 0; length < whole.length - 2; length += 1 + length / 20) {
            Files.write(file, Arrays.copyOf(whole, length));
            String message = assertThrows(EmtalException.class, () -> COLOUR.decode("row 3", file.toString()),
                    "length " + length).getMessage();
            assertTrue(message.startsWith("row 3, " + file + ": "), message);
        }
    }

    /** Whatever a damaged file does to the JDK's readers, it is decoded or refused with its name. */
    @ParameterizedTest
    @ValueSource(strings = {"png", "jpeg", "gif", "bmp"})
    void damagedFilesAreDecodedOrRefused(String format) {
        byte[] whole = Drawings.encode(Drawings.quarters(24, 24, BufferedImage.TYPE_INT_RGB), format);
        int refused = 0;
        for (int seed = 0; seed < 300; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            byte[] damaged = whole.clone();
            for (int i = 0; i < 4; i++) {
                damaged[4 + random.nextInt(damaged.length - 4)] = (byte) random.nextInt(256);
            }
            try {
                Pixels pixels = COLOUR.decode("row 7", damaged);
                assertEquals(pixels.height() * pixels.width() * 3, pixels.data().length);
            } catch (EmtalException e) {
                assertTrue(e.getMessage().startsWith("row 7: "), "seed " + seed + ": " + e.getMessage());
                refused++;
            }
        }
        assertTrue(refused > 0);
    }

    @Test
    void damagedPngFilesFailTheirChecksums() {
        byte[] png = Drawings.encode(Drawings.quarters(24, 24, BufferedImage.TYPE_INT_RGB), "png");
        png[png.length - 20] ^= 4;
        String message = assertThrows(EmtalException.class, () -> COLOUR.decode("x.png", png)).getMessage();
        assertTrue(message.contains("'IDAT'") && message.contains("checksum"), message);
    }

    /** Ten thousand million pixels would need more memory than the test has. */
    @Test
    void pixelsAreLimitedBeforeTheyAreAllocated() {
        BufferedImage image = Drawings.quarters(8, 8, BufferedImage.TYPE_INT_RGB);
        byte[] gif = Drawings.encode(image, "gif");
        for (int at : new int[] {6, 8}) {
            gif[at] = gif[at + 1] = -1;
        }
        int frame = 0;
        while (gif[frame] != 0x2c || gif[frame + 5] != 8) {
            frame++;
        }
        for (int i = 5; i < 9; i++) {
            gif[frame + i] = -1;
        }
        byte[] bmp = Drawings.encode(image, "bmp");
        bmp[20] = bmp[24] = 1;
        byte[] jpeg = Drawings.jpeg(image);
        int sof = 0;
        while (jpeg[sof] != (byte) 0xff || jpeg[sof + 1] != (byte) 0xc0) {
            sof++;
        }
        jpeg[sof + 5] = jpeg[sof + 7] = (byte) 0xf0;
        // The JDK's reader itself refuses a BMP file that is too short for its size.
        assertThrows(EmtalException.class, () -> COLOUR.decode("huge", bmp));
        for (byte[] huge : List.of(Drawings.withSize(Drawings.encode(image, "png"), 100_000, 100_000), gif, jpeg)) {
            String message = assertThrows(EmtalException.class, () -> COLOUR.decode("huge", huge)).getMessage();
            assertTrue(message.contains("maxPixels"), message);
        }
        assertThrows(EmtalException.class, () -> new ImageDecoder(3, 63).decode("image", image));
        assertEquals(8, new ImageDecoder(3, 64).decode("image", image).height());
    }

    @Test
    void profilesOfJpegFilesAreIgnored() {
        byte[] plain = Drawings.jpeg(Drawings.quarters(16, 16, BufferedImage.TYPE_INT_RGB));
        byte[] profile = ICC_Profile.getInstance(ColorSpace.CS_LINEAR_RGB).getData();
        byte[] file = Drawings.withSegment(plain, 0xe2, Drawings.prefixed("ICC_PROFILE\0\1\1", profile));
        byte[] given = file.clone();
        assertArrayEquals(COLOUR.decode("image", plain).data(), COLOUR.decode("image", file).data());
        assertArrayEquals(given, file);
    }

    /** Bytes between two segments are passed over; of an image that ends too early pixels would be made up. */
    @Test
    void onlyWarningsOfPixelsThatAreMadeUpAreRefused() {
        byte[] plain = Drawings.jpeg(Drawings.quarters(32, 32, BufferedImage.TYPE_INT_RGB));
        byte[] longer = Arrays.copyOf(plain, plain.length + 3);
        System.arraycopy(plain, plain.length - 2, longer, plain.length + 1, 2);
        longer[plain.length - 2] = longer[plain.length - 1] = longer[plain.length] = 0;
        assertArrayEquals(COLOUR.decode("image", plain).data(), COLOUR.decode("image", longer).data());
        byte[] shorter = Arrays.copyOf(plain, plain.length - 20);
        System.arraycopy(plain, plain.length - 2, shorter, shorter.length - 2, 2);
        String message = assertThrows(EmtalException.class, () -> COLOUR.decode("x.jpg", shorter)).getMessage();
        assertTrue(message.startsWith("x.jpg: found a damaged file: Corrupt JPEG data: premature end"), message);
    }

    @Test
    void theLimitOfPixelsIsOneOfBytesToo(@TempDir Path folder) throws IOException {
        byte[] png = Drawings.encode(Drawings.quarters(8, 8, BufferedImage.TYPE_INT_RGB), "png");
        Path file = Files.write(folder.resolve("a.png"), Arrays.copyOf(png, (1 << 20) + 9));
        for (long most : new long[] {64, Integer.MAX_VALUE, Long.MAX_VALUE / 8, Long.MAX_VALUE}) {
            assertEquals(8, new ImageDecoder(3, most).decode("image", file.toString()).height());
        }
        assertEquals("image, " + file + ": found a file of 1048585 bytes, allowed are 1048584 where maxPixels is 1",
                assertThrows(EmtalException.class, () -> new ImageDecoder(3, 1).decode("image", file.toString()))
                        .getMessage());
    }

    /** By the names R, G and B alone it is known that the components of a file without a marker are colours. */
    @ParameterizedTest
    @CsvSource({"0, 1, 2, 254, 0, 0", "1, 2, 3, 254, 0, 0", "1, 34, 35, 254, 0, 0", "82, 71, 66, 76, 85, 255"})
    void componentsAreYCbCrUnlessTheyAreNamedOtherwise(int first, int second, int third, int red, int green,
                                                       int blue) {
        byte[] file = Drawings.jpeg(16, 16, 76, 85, 255);
        for (int at = 0; at < file.length - 1; at++) {
            if (file[at] == (byte) 0xff && file[at + 1] == (byte) 0xc0) {
                file[at + 10] = (byte) first;
                file[at + 13] = (byte) second;
                file[at + 16] = (byte) third;
            } else if (file[at] == (byte) 0xff && file[at + 1] == (byte) 0xda) {
                file[at + 5] = (byte) first;
                file[at + 7] = (byte) second;
                file[at + 9] = (byte) third;
            }
        }
        assertInks(file, red, green, blue);
    }

    @ParameterizedTest
    @ValueSource(ints = {BufferedImage.TYPE_INT_RGB, BufferedImage.TYPE_BYTE_INDEXED, BufferedImage.TYPE_BYTE_BINARY})
    void theSizeThatABmpFileStatesIsNotNeeded(int type) {
        byte[] whole = Drawings.encode(Drawings.quarters(8, 8, type), "bmp");
        byte[] file = whole.clone();
        ByteBuffer size = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
        size.putInt(2, whole.length + 2);
        assertArrayEquals(COLOUR.decode("image", whole).data(), COLOUR.decode("image", file).data());
        for (int length = 2; length < whole.length - 3; length++) {
            for (int stated : new int[] {0, length, whole.length + 2}) {
                size.putInt(2, stated);
                byte[] cut = Arrays.copyOf(file, length);
                String message = assertThrows(EmtalException.class, () -> COLOUR.decode("x.bmp", cut)).getMessage();
                assertTrue(message.startsWith("x.bmp: "), message);
            }
        }
    }

    @Test
    void orientationsMayBeLongNumbers() {
        BufferedImage image = Drawings.quarters(8, 16, BufferedImage.TYPE_INT_RGB);
        byte[] exif = ByteBuffer.wrap(Drawings.exif(1)).putShort(12, (short) 4).putInt(18, 6).array();
        assertEquals(16, COLOUR.decode("image", Drawings.withChunk(Drawings.encode(image, "png"), "eXIf", exif))
                .height());
    }

    @Test
    void samplesMayHave32Bits() {
        ComponentColorModel model = new ComponentColorModel(ColorSpace.getInstance(ColorSpace.CS_GRAY), false, false, 1,
                DataBuffer.TYPE_INT);
        WritableRaster raster = model.createCompatibleWritableRaster(4, 1);
        raster.setPixels(0, 0, 4, 1, new int[] {0, -1, Integer.MAX_VALUE, 0x4d4d4d4d});
        assertArrayEquals(new byte[] {0, -1, 127, 0x4d},
                GREY.decode("image", new BufferedImage(model, raster, false, null)).data());
    }

    @Test
    void imagesInMemoryThatSerialisationHasLostAreRefusedAsSuch() {
        BufferedImage image = Drawings.quarters(8, 8, BufferedImage.TYPE_INT_RGB);
        Label label = new Label("x");
        for (Example<Label> example : List.of(ImageExample.of(label, image),
                ImageExample.of(label, Drawings.encode(image, "png")))) {
            Object read = ImageEncoder.image("row 0", Example.deserialize(example.serialize()));
            String message = assertThrows(EmtalException.class, () -> COLOUR.decode("row 0", read)).getMessage();
            assertTrue(message.startsWith("row 0: found what serialisation leaves of an image in memory"), message);
        }
    }

    @Test
    void otherThingsAreRefused(@TempDir Path folder) throws IOException {
        Path text = Files.writeString(folder.resolve("a.txt"), "no image");
        for (Object other : List.of(text.toString(), folder.toString(), folder.resolve("absent.png").toString(),
                "a\0b", new byte[0], 17, Drawings.jpeg(8, 8, 1, 2))) {
            assertThrows(EmtalException.class, () -> COLOUR.decode("image", other), other.toString());
        }
        ColorSpace xyz = ColorSpace.getInstance(ColorSpace.CS_CIEXYZ);
        assertThrows(EmtalException.class, () -> COLOUR.decode("image", image(8, xyz, false, new int[] {1, 2, 3})));
    }
}

package io.emtal.tribuo.image;

import io.emtal.onnx.EmtalException;

import javax.imageio.ImageIO;
import javax.imageio.ImageReader;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/**
 * Decodes images to grey or RGB bytes: turned as EXIF says, palettes looked up, 16 bits rounded to 8, transparency put
 * on white, CMYK taken as plain inks. Colour becomes grey by 0.299 R + 0.587 G + 0.114 B; embedded colour profiles are
 * ignored, as is usual for networks. Of several images in a GIF file the first is taken.
 *
 * <p>By the JDK's readers, on which DJL's image factory rests too: that one has no limit, hears no warnings, knows
 * neither orientation nor CMYK, and copies every stream to a temporary file.
 *
 * @param channels the channels of a result: 1 or 3
 * @param maxPixels the most pixels of an image, looked up in the file before anything is allocated for them
 */
record ImageDecoder(int channels, long maxPixels) {

    /** A file of an image of the most pixels may be this many times as large. */
    private static final long BYTES_PER_PIXEL = 8;
    private static final int SMALL_FILE = 1 << 20;
    private static final int LARGEST_FILE = Integer.MAX_VALUE - 8;

    /** A warning of the JPEG decoder's that begins like those of pixels that it has made up, but is none. */
    private static final Pattern BYTES_LEFT_OUT =
            Pattern.compile("Corrupt JPEG data: \\d+ extraneous bytes before marker 0x[0-9a-f]+");

    /**
     * Decodes what an example carries.
     *
     * @param where names the example in messages
     * @param image a file's name, a file's bytes or a {@link BufferedImage}
     * @throws EmtalException if it is no image that is understood, or too large
     */
    Pixels decode(String where, Object image) {
        if (image instanceof String file) {
            // Tribuo writes metadata as text.
            EmtalException.check(!file.startsWith("[B@") && !file.startsWith("BufferedImage@"), "%s: found what"
                    + " serialisation leaves of an image in memory, '%s', allowed are images in files", where, file);
            String named = where + ", " + file;
            return decodeFile(named, read(named, file));
        }
        if (image instanceof byte[] file) {
            return decodeFile(where, file);
        }
        if (image instanceof BufferedImage decoded) {
            checkSize(where, decoded.getWidth(), decoded.getHeight());
            return pixels(where, decoded);
        }
        throw new EmtalException(where + ": found an image of " + image.getClass().getName()
                + ", allowed are what ImageExample makes");
    }

    private byte[] read(String where, String file) {
        try {
            Path path = Path.of(file);
            long size = Files.size(path);
            long allowed = Math.min(LARGEST_FILE, SMALL_FILE + BYTES_PER_PIXEL * Math.min(maxPixels, LARGEST_FILE));
            EmtalException.check(size <= allowed, "%s: found a file of %d bytes, allowed are %d where maxPixels is %d",
                    where, size, allowed, maxPixels);
            return Files.readAllBytes(path);
        } catch (EmtalException e) {
            throw e;
        } catch (IOException | IllegalArgumentException e) {
            throw new EmtalException(where + ": found no file that can be read: " + e, e);
        }
    }

    private Pixels decodeFile(String where, byte[] file) {
        FileFormat format = FileFormat.of(where, file);
        ImageReader reader = ImageIO.getImageReadersByFormatName(format.name()).next();
        List<String> warnings = new ArrayList<>();
        reader.addIIOReadWarningListener((source, warning) -> warnings.add(warning));
        try (ImageInputStream in = new MemoryCacheImageInputStream(new ByteArrayInputStream(format.readable()))) {
            reader.setInput(in, true, true);
            checkSize(where, reader.getWidth(0), reader.getHeight(0));
            Pixels pixels = switch (format.components()) {
                case 0, 1, 3 -> pixels(where, reader.read(0));
                case 4 -> inks(reader.readRaster(0, null), format.adobeTransform());
                default -> throw new EmtalException(where + ": found a JPEG file of " + format.components()
                        + " components, allowed are 1, 3 and 4");
            };
            for (String warning : warnings) {
                // What the JPEG decoder says when it has made pixels up; its other warnings are harmless.
                EmtalException.check(!warning.startsWith("Corrupt") && !warning.startsWith("Premature")
                                || BYTES_LEFT_OUT.matcher(warning).matches(),
                        "%s: found a damaged file: %s", where, warning);
            }
            return pixels.oriented(format.orientation());
        } catch (EmtalException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            // The JDK's readers throw all kinds of exceptions at damaged files.
            throw new EmtalException(where + ": found a damaged or unknown kind of " + format.name() + " file: " + e,
                    e);
        } finally {
            reader.dispose();
        }
    }

    private void checkSize(String where, int width, int height) {
        long allowed = Math.min(maxPixels, Integer.MAX_VALUE / channels);
        EmtalException.check((long) width * height <= allowed,
                "%s: found %d × %d pixels, allowed are %d together (maxPixels)", where, width, height, allowed);
    }

    private Pixels pixels(String where, BufferedImage image) {
        ColorModel model = image.getColorModel();
        if (model instanceof IndexColorModel palette) {
            return paletted(image, palette);
        }
        Raster raster = image.getRaster();
        int type = raster.getDataBuffer().getDataType();
        int colours = model.getNumColorComponents();
        int space = model.getColorSpace().getType();
        boolean known = space == ColorSpace.TYPE_GRAY && colours == 1 || space == ColorSpace.TYPE_RGB && colours == 3;
        EmtalException.check(known && (type == DataBuffer.TYPE_BYTE || type == DataBuffer.TYPE_USHORT
                        || type == DataBuffer.TYPE_INT),
                "%s: found %d colours of space %d in samples of type %d, allowed are integers of grey or RGB", where,
                colours, space, type);
        int bands = raster.getNumBands();
        long[] largest = new long[bands];
        for (int b = 0; b < bands; b++) {
            largest[b] = (1L << model.getComponentSize(b)) - 1;
        }
        boolean transparent = model.hasAlpha() && bands == colours + 1;
        boolean scaled = transparent && model.isAlphaPremultiplied();
        Pixels pixels = new Pixels(image.getHeight(), image.getWidth(), channels);
        int[] line = new int[image.getWidth() * bands];
        int at = 0;
        for (int y = 0; y < image.getHeight(); y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, image.getWidth(), 1, line);
            for (int i = 0; i < line.length; i += bands) {
                int red = eight(line[i], largest[0]);
                int green = colours == 1 ? red : eight(line[i + 1], largest[1]);
                int blue = colours == 1 ? red : eight(line[i + 2], largest[2]);
                int alpha = transparent ? eight(line[i + colours], largest[colours]) : 255;
                at = put(pixels.data(), at, onWhite(red, alpha, scaled), onWhite(green, alpha, scaled),
                        onWhite(blue, alpha, scaled));
            }
        }
        return pixels;
    }

    private Pixels paletted(BufferedImage image, IndexColorModel palette) {
        Pixels pixels = new Pixels(image.getHeight(), image.getWidth(), channels);
        Raster raster = image.getRaster();
        int[] line = new int[image.getWidth()];
        int at = 0;
        for (int y = 0; y < image.getHeight(); y++) {
            raster.getSamples(raster.getMinX(), raster.getMinY() + y, line.length, 1, 0, line);
            for (int index : line) {
                // Beyond its end a palette is black, as browsers have it.
                int argb = index < palette.getMapSize() ? palette.getRGB(index) : 0xff000000;
                int alpha = argb >>> 24;
                at = put(pixels.data(), at, onWhite(argb >> 16 & 0xff, alpha, false),
                        onWhite(argb >> 8 & 0xff, alpha, false), onWhite(argb & 0xff, alpha, false));
            }
        }
        return pixels;
    }

    /**
     * Cyan, magenta, yellow and black. Files with Adobe's marker hold 255 for no ink, others 0. With transform 2 the
     * first three are stored as YCbCr, of which the reader's raster makes nothing else.
     */
    private Pixels inks(Raster raster, int adobeTransform) {
        Pixels pixels = new Pixels(raster.getHeight(), raster.getWidth(), channels);
        int[] line = new int[raster.getWidth() * 4];
        int at = 0;
        for (int y = 0; y < raster.getHeight(); y++) {
            raster.getPixels(raster.getMinX(), raster.getMinY() + y, raster.getWidth(), 1, line);
            for (int i = 0; i < line.length; i += 4) {
                if (adobeTransform == 2) {
                    double luma = line[i];
                    double blue = line[i + 1] - 128;
                    double red = line[i + 2] - 128;
                    line[i] = 255 - clamp(luma + 1.402 * red);
                    line[i + 1] = 255 - clamp(luma - 0.344136 * blue - 0.714136 * red);
                    line[i + 2] = 255 - clamp(luma + 1.772 * blue);
                }
                int inverted = adobeTransform >= 0 ? 0 : 255;
                int black = line[i + 3] ^ inverted;
                at = put(pixels.data(), at, product(line[i] ^ inverted, black), product(line[i + 1] ^ inverted, black),
                        product(line[i + 2] ^ inverted, black));
            }
        }
        return pixels;
    }

    private int put(byte[] data, int at, int red, int green, int blue) {
        if (channels == 1) {
            // Weights of 16 bits that add up to one, so that grey stays what it is.
            data[at] = (byte) (19595 * red + 38470 * green + 7471 * blue + 32768 >> 16);
            return at + 1;
        }
        data[at] = (byte) red;
        data[at + 1] = (byte) green;
        data[at + 2] = (byte) blue;
        return at + 3;
    }

    private static int eight(int value, long largest) {
        return largest == 255 ? value : (int) (((value & largest) * 255 + largest / 2) / largest);
    }

    private static int onWhite(int value, int alpha, boolean scaled) {
        return alpha == 255 ? value : Math.min(255, (scaled ? value : product(value, alpha)) + 255 - alpha);
    }

    private static int product(int a, int b) {
        return (a * b + 127) / 255;
    }

    private static int clamp(double value) {
        return (int) Math.max(0, Math.min(255, Math.round(value)));
    }
}

package io.emtal.tribuo.image;

import javax.imageio.IIOImage;
import javax.imageio.ImageIO;
import javax.imageio.ImageWriteParam;
import javax.imageio.ImageWriter;
import javax.imageio.stream.ImageOutputStream;
import java.awt.Color;
import java.awt.image.BufferedImage;
import java.awt.image.Raster;
import java.awt.image.WritableRaster;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/** Images that are drawn in a test, and the bytes of their files. */
final class Drawings {

    private Drawings() {
    }

    /** The four quarters are red, green, blue and grey, in reading order. */
    static BufferedImage quarters(int height, int width, int type) {
        BufferedImage image = new BufferedImage(width, height, type);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                image.setRGB(x, y, quarter(2 * y >= height, 2 * x >= width).getRGB());
            }
        }
        return image;
    }

    static Color quarter(boolean lower, boolean right) {
        return lower ? right ? new Color(90, 90, 90) : Color.BLUE : right ? Color.GREEN : Color.RED;
    }

    static byte[] encode(BufferedImage image, String format) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try {
            if (!ImageIO.write(image, format, out)) {
                throw new IllegalArgumentException(format);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toByteArray();
    }

    /** A JPEG file of the best quality. */
    static byte[] jpeg(BufferedImage image) {
        return jpeg(new IIOImage(image, null, null));
    }

    /** A JPEG file of four equal components, without an Adobe marker. */
    static byte[] jpeg(int height, int width, int... components) {
        WritableRaster raster = Raster.createInterleavedRaster(0, width, height, components.length, null);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                raster.setPixel(x, y, components);
            }
        }
        return jpeg(new IIOImage(raster, null, null));
    }

    private static byte[] jpeg(IIOImage image) {
        ImageWriter writer = ImageIO.getImageWritersByFormatName("jpeg").next();
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        try (ImageOutputStream stream = ImageIO.createImageOutputStream(out)) {
            ImageWriteParam how = writer.getDefaultWriteParam();
            how.setCompressionMode(ImageWriteParam.MODE_EXPLICIT);
            how.setCompressionQuality(1);
            writer.setOutput(stream);
            writer.write(null, image, how);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } finally {
            writer.dispose();
        }
        return out.toByteArray();
    }

    /** A JPEG file with a further segment in front. */
    static byte[] withSegment(byte[] jpeg, int marker, byte[] data) {
        return ByteBuffer.allocate(jpeg.length + data.length + 4).put(jpeg, 0, 2).put((byte) 0xff).put((byte) marker)
                .putShort((short) (data.length + 2)).put(data).put(jpeg, 2, jpeg.length - 2).array();
    }

    /** Adobe's marker segment. */
    static byte[] adobe(int transform) {
        return ByteBuffer.allocate(12).put("Adobe".getBytes(StandardCharsets.US_ASCII)).putShort((short) 100)
                .putShort((short) 0).putShort((short) 0).put((byte) transform).array();
    }

    /** A TIFF structure of an orientation. */
    static byte[] exif(int orientation) {
        return ByteBuffer.allocate(26).put((byte) 'M').put((byte) 'M').putShort((short) 42).putInt(8)
                .putShort((short) 1).putShort((short) 0x112).putShort((short) 3).putInt(1)
                .putShort((short) orientation).putShort((short) 0).putInt(0).array();
    }

    static byte[] prefixed(String prefix, byte[] data) {
        byte[] start = prefix.getBytes(StandardCharsets.ISO_8859_1);
        return ByteBuffer.allocate(start.length + data.length).put(start).put(data).array();
    }

    /** A PNG file with a further chunk behind its header. */
    static byte[] withChunk(byte[] png, String type, byte[] data) {
        ByteBuffer chunk = ByteBuffer.allocate(data.length + 12).putInt(data.length)
                .put(type.getBytes(StandardCharsets.US_ASCII)).put(data);
        chunk.putInt(checksum(chunk.array(), 4, data.length + 4));
        return ByteBuffer.allocate(png.length + chunk.capacity()).put(png, 0, 33).put(chunk.array())
                .put(png, 33, png.length - 33).array();
    }

    /** A PNG file that claims another size. */
    static byte[] withSize(byte[] png, int height, int width) {
        ByteBuffer copy = ByteBuffer.wrap(png.clone()).putInt(16, width).putInt(20, height);
        return copy.putInt(29, checksum(copy.array(), 12, 17)).array();
    }

    /** The same image, which runs something whenever it is decoded. */
    static BufferedImage watched(BufferedImage image, Runnable decoded) {
        return new BufferedImage(image.getColorModel(), image.getRaster(), false, null) {
            @Override
            public WritableRaster getRaster() {
                decoded.run();
                return super.getRaster();
            }
        };
    }

    private static int checksum(byte[] data, int start, int length) {
        CRC32 crc = new CRC32();
        crc.update(data, start, length);
        return (int) crc.getValue();
    }
}

package io.emtal.tribuo.image;

import io.emtal.onnx.EmtalException;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32;

/**
 * What an image file says of itself before anything is decoded, and whether it is whole: readers of the JDK fill the
 * rest of a truncated JPEG file with grey, and none of them looks at a PNG file's checksums. That of BMP files itself
 * refuses what is too short. Of a GIF file all blocks must be there; whether their compressed data hold all pixels is
 * not looked at, and the reader leaves pixels that are missing as they are, of the first colour.
 *
 * @param readable what the JDK's reader is given: the file, in which a JPEG file's colour profiles are comments, as the
 *     reader would convert by them, and which says that its components are YCbCr where it would guess
 * @param name the name of the format, as Java's image readers know it
 * @param components the number of a JPEG file's components; 0 for other formats
 * @param adobeTransform the colour transform that a JPEG file's Adobe marker states; −1 without a marker
 * @param orientation the orientation of EXIF, 1 to 8; 1 where none, or an unknown one, is stated
 */
record FileFormat(byte[] readable, String name, int components, int adobeTransform, int orientation) {

    private static final byte[] PNG = {(byte) 0x89, 'P', 'N', 'G', '\r', '\n', 0x1a, '\n'};
    private static final byte[] EXIF = {'E', 'x', 'i', 'f', 0, 0};
    private static final byte[] ADOBE = {'A', 'd', 'o', 'b', 'e'};
    private static final byte[] PROFILE = "ICC_PROFILE\0".getBytes(StandardCharsets.US_ASCII);
    private static final byte[] JFIF = {'J', 'F', 'I', 'F', 0};
    /** The segment of JFIF, in which three components are YCbCr: version 1.1, square pixels, no small image. */
    private static final byte[] JFIF_SEGMENT =
            {(byte) 0xff, (byte) 0xe0, 0, 16, 'J', 'F', 'I', 'F', 0, 1, 1, 0, 0, 1, 0, 1, 0, 0};
    private static final byte COMMENT = (byte) 0xfe;
    private static final int ORIENTATION = 0x0112;
    private static final int SHORT = 3;
    private static final int LONG = 4;

    private static final String TRUNCATED = "%s: found a %s file that ends after %d bytes, before its image does";

    /**
     * Looks through a file.
     *
     * @param where names the image in messages
     * @param file its bytes
     * @throws EmtalException if it is of no format that is read, or not whole
     */
    static FileFormat of(String where, byte[] file) {
        if (starts(file, 0, PNG)) {
            return png(where, file);
        }
        if (starts(file, 0, (byte) 0xff, (byte) 0xd8, (byte) 0xff)) {
            return jpeg(where, file);
        }
        if (starts(file, 0, (byte) 'G', (byte) 'I', (byte) 'F', (byte) '8')) {
            return gif(where, file);
        }
        if (starts(file, 0, (byte) 'B', (byte) 'M')) {
            return new FileFormat(file, "bmp", 0, -1, 1);
        }
        throw new EmtalException(where + ": found " + (file.length == 0 ? "no bytes" : "bytes of another format")
                + ", allowed are PNG, JPEG, GIF and BMP files");
    }

    /** Length, type, data and checksum, chunk by chunk. */
    private static FileFormat png(String where, byte[] file) {
        ByteBuffer in = ByteBuffer.wrap(file);
        int orientation = 1;
        int at = PNG.length;
        while (true) {
            EmtalException.check(file.length - at >= 12 && in.getInt(at) >= 0 && in.getInt(at) <= file.length - at - 12,
                    TRUNCATED, where, "PNG", file.length);
            int length = in.getInt(at);
            String type = new String(file, at + 4, 4, StandardCharsets.ISO_8859_1);
            CRC32 crc = new CRC32();
            crc.update(file, at + 4, length + 4);
            EmtalException.check((int) crc.getValue() == in.getInt(at + 8 + length),
                    "%s: found a PNG file whose part '%s' at byte %d does not fit its checksum", where, type, at);
            if (type.equals("eXIf")) {
                orientation = orientation(file, at + 8, length);
            }
            if (type.equals("IEND")) {
                return new FileFormat(file, "png", 0, -1, orientation);
            }
            at += length + 12;
        }
    }

    /** Marker segments, and in between the entropy-coded data, in which 0xff is followed by 0 or a restart marker. */
    private static FileFormat jpeg(String where, byte[] file) {
        byte[] readable = file;
        int components = 0;
        boolean known = false;
        int adobeTransform = -1;
        int orientation = 1;
        int at = 2;
        while (at + 1 < file.length) {
            int marker = file[at + 1] & 0xff;
            if (file[at] != (byte) 0xff || marker == 0 || marker >= 0xd0 && marker <= 0xd7) {
                at += file[at] == (byte) 0xff ? 2 : 1;
                continue;
            }
            if (marker == 0xff || marker == 0x01) {
                at += marker == 0xff ? 1 : 2;
                continue;
            }
            if (marker == 0xd9) {
                EmtalException.check(components > 0, "%s: found a JPEG file without an image", where);
                boolean guessed = components == 3 && adobeTransform < 0 && !known;
                return new FileFormat(guessed ? withJfif(readable) : readable, "jpeg", components,
                        adobeTransform, orientation);
            }
            if (at + 4 > file.length) {
                break;
            }
            int length = (file[at + 2] & 0xff) << 8 | file[at + 3] & 0xff;
            int data = at + 4;
            int end = at + 2 + length;
            EmtalException.check(length >= 2 && end <= file.length, TRUNCATED, where, "JPEG", file.length);
            boolean frame = marker >= 0xc0 && marker <= 0xcf && marker != 0xc4 && marker != 0xc8 && marker != 0xcc;
            if (frame && length >= 8) {
                components = file[data + 5] & 0xff;
                known |= length >= 17 && file[data + 6] == 'R' && file[data + 9] == 'G' && file[data + 12] == 'B';
            } else if (marker == 0xe0 && length >= 16 && starts(file, data, JFIF)) {
                known = true;
            } else if (marker == 0xe1 && length > 8 && starts(file, data, EXIF)) {
                orientation = orientation(file, data + EXIF.length, end - data - EXIF.length);
            } else if (marker == 0xe2 && starts(file, data, PROFILE)) {
                readable = readable == file ? file.clone() : readable;
                readable[at + 1] = COMMENT;
            } else if (marker == 0xee && length >= 14 && starts(file, data, ADOBE)) {
                adobeTransform = file[data + 11] & 0xff;
            }
            at = end;
        }
        throw new EmtalException(String.format(TRUNCATED, where, "JPEG", file.length));
    }

    private static byte[] withJfif(byte[] file) {
        return ByteBuffer.allocate(file.length + JFIF_SEGMENT.length).put(file, 0, 2).put(JFIF_SEGMENT)
                .put(file, 2, file.length - 2).array();
    }

    /** The logical screen, blocks, and the first image, which must fill the screen. */
    private static FileFormat gif(String where, byte[] file) {
        try {
            ByteBuffer in = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
            int width = in.getShort(6) & 0xffff;
            int height = in.getShort(8) & 0xffff;
            int at = 13 + colourTable(in.get(10));
            while (in.get(at) == 0x21) {
                at = afterBlocks(in, at + 2);
            }
            EmtalException.check(in.get(at) == 0x2c, "%s: found a GIF file without an image", where);
            EmtalException.check(in.getInt(at + 1) == 0 && (in.getShort(at + 5) & 0xffff) == width
                            && (in.getShort(at + 7) & 0xffff) == height,
                    "%s: found a GIF file whose first image covers a part of %d × %d pixels, allowed is the whole",
                    where, width, height);
            afterBlocks(in, at + 10 + colourTable(in.get(at + 9)) + 1);
            return new FileFormat(file, "gif", 0, -1, 1);
        } catch (IndexOutOfBoundsException e) {
            throw new EmtalException(String.format(TRUNCATED, where, "GIF", file.length), e);
        }
    }

    private static int colourTable(byte flags) {
        return (flags & 0x80) == 0 ? 0 : 3 << (flags & 7) + 1;
    }

    private static int afterBlocks(ByteBuffer in, int at) {
        int length = in.get(at) & 0xff;
        while (length > 0) {
            at += length + 1;
            length = in.get(at) & 0xff;
        }
        return at + 1;
    }

    /**
     * The orientation that EXIF states, a field of its first directory. Nothing else of EXIF matters to pixels.
     *
     * @param file holds a TIFF structure
     * @param start where it begins
     * @param length its length
     */
    private static int orientation(byte[] file, int start, int length) {
        if (length < 8) {
            return 1;
        }
        boolean little = file[start] == 'I' && file[start + 1] == 'I';
        ByteBuffer tiff = ByteBuffer.wrap(file, start, length).slice()
                .order(little ? ByteOrder.LITTLE_ENDIAN : ByteOrder.BIG_ENDIAN);
        int directory = tiff.getInt(4);
        if (directory < 8 || directory > length - 2) {
            return 1;
        }
        int count = Math.min(tiff.getShort(directory) & 0xffff, (length - directory - 2) / 12);
        for (int i = 0; i < count; i++) {
            int entry = directory + 2 + 12 * i;
            short type = tiff.getShort(entry + 2);
            if (tiff.getShort(entry) == ORIENTATION && (type == SHORT || type == LONG)) {
                int value = type == SHORT ? tiff.getShort(entry + 8) : tiff.getInt(entry + 8);
                return value >= 1 && value <= 8 ? value : 1;
            }
        }
        return 1;
    }

    private static boolean starts(byte[] file, int at, byte... with) {
        if (file.length - at < with.length) {
            return false;
        }
        for (int i = 0; i < with.length; i++) {
            if (file[at + i] != with[i]) {
                return false;
            }
        }
        return true;
    }
}

package io.emtal.tribuo.table;

import io.emtal.onnx.EmtalException;

import java.io.IOException;
import java.io.InputStream;
import java.io.Reader;
import java.io.StringWriter;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.CharsetDecoder;
import java.nio.charset.CoderResult;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The text of a UTF-8 file, without a byte order mark at its start. Bytes that are no UTF-8 are an {@link EmtalException}
 * with their line, and not replaced.
 */
final class Utf8Reader extends Reader {

    private static final int BUFFER = 1 << 16;
    private static final byte[] BYTE_ORDER_MARK = {(byte) 0xEF, (byte) 0xBB, (byte) 0xBF};

    private final Path file;
    private final InputStream in;
    private final CharsetDecoder decoder = StandardCharsets.UTF_8.newDecoder();
    private final ByteBuffer bytes = ByteBuffer.allocate(BUFFER).flip();
    private final CharBuffer chars = CharBuffer.allocate(BUFFER).flip();
    private boolean ended;
    private long line = 1;
    private int position = 1;

    private Utf8Reader(Path file, InputStream in) {
        this.file = file;
        this.in = in;
    }

    /** Opens a file. */
    static Utf8Reader open(Path file) {
        try {
            Utf8Reader reader = new Utf8Reader(file, Files.newInputStream(file));
            try {
                reader.fill();
                if (reader.bytes.remaining() >= BYTE_ORDER_MARK.length
                        && reader.bytes.slice(0, BYTE_ORDER_MARK.length).equals(ByteBuffer.wrap(BYTE_ORDER_MARK))) {
                    reader.bytes.position(BYTE_ORDER_MARK.length);
                }
                return reader;
            } catch (IOException e) {
                reader.close();
                throw e;
            }
        } catch (IOException e) {
            throw unreadable(file, e);
        }
    }

    /** Reads a whole file. */
    static String text(Path file) {
        StringWriter text = new StringWriter();
        try (Utf8Reader reader = open(file)) {
            reader.transferTo(text);
        } catch (IOException e) {
            throw unreadable(file, e);
        }
        return text.toString();
    }

    private static EmtalException unreadable(Path file, IOException e) {
        return new EmtalException(file + ": found no file that can be read: " + e, e);
    }

    @Override
    public int read(char[] target, int offset, int length) throws IOException {
        while (!chars.hasRemaining()) {
            if (ended && !bytes.hasRemaining()) {
                return -1;
            }
            if (!ended) {
                fill();
            }
            decode();
        }
        int count = Math.min(length, chars.remaining());
        chars.get(target, offset, count);
        return count;
    }

    /** Reads until there are bytes enough for any character. */
    private void fill() throws IOException {
        bytes.compact();
        while (!ended && bytes.position() < 4) {
            int count = in.read(bytes.array(), bytes.position(), bytes.remaining());
            ended = count < 0;
            bytes.position(bytes.position() + Math.max(count, 0));
        }
        bytes.flip();
    }

    private void decode() {
        int start = bytes.position();
        CoderResult result = decoder.decode(bytes, chars.clear(), ended);
        chars.flip();
        for (int i = start; i < bytes.position(); i++) {
            boolean newline = bytes.get(i) == '\n';
            line += newline ? 1 : 0;
            position = newline ? 1 : position + 1;
        }
        if (result.isError()) {
            throw new EmtalException(String.format("%s, line %d: found byte 0x%02x at position %d, which is not UTF-8;"
                    + " allowed are files in UTF-8", file, line, bytes.get(bytes.position()), position));
        }
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}

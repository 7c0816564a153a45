package io.emtal.samples.table;

import io.emtal.onnx.EmtalException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** Strict decoding of text files, with the line of the first byte that is wrong. */
final class Utf8 {
    private static final char BYTE_ORDER_MARK = '\uFEFF';

    private Utf8() {
    }

    /**
     * Decodes a file.
     *
     * @param file where the bytes are from
     * @param bytes its bytes
     * @return the text, without a byte order mark at its start
     * @throws EmtalException if the bytes are no UTF-8
     */
    static String decode(Path file, byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        if (StandardCharsets.UTF_8.newDecoder().decode(in, out, true).isError()) {
            int line = 1;
            for (int i = 0; i < in.position(); i++) {
                line += bytes[i] == '\n' ? 1 : 0;
            }
            throw new EmtalException(String.format("%s line %d: byte 0x%02x is not UTF-8; save the file as UTF-8",
                    file, line, bytes[in.position()]));
        }
        out.flip();
        if (out.hasRemaining() && out.get(0) == BYTE_ORDER_MARK) {
            out.get();
        }
        return out.toString();
    }
}

package io.emtal.onnx.train;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Map;

/**
 * Writes numbers, text and arrays, one behind the other and little-endian, and forms the SHA-256 of all bytes. An array
 * is its length and its elements. {@link StateInput} reads the same calls in the same order.
 */
final class StateOutput {

    private static final int BUFFER_BYTES = 1 << 16;

    private final WritableByteChannel channel;
    private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    private final MessageDigest digest = sha256();
    private long flushed;

    /**
     * Starts at a channel's position.
     *
     * @param channel gets the bytes, the last of them when {@link #finish} is called; stays open
     */
    StateOutput(WritableByteChannel channel) {
        this.channel = channel;
    }

    /** An output that is only there for its SHA-256. */
    static StateOutput toNowhere() {
        return new StateOutput(new Nowhere());
    }

    /** Not one of {@link java.nio.channels.Channels}: those fail in a thread that is interrupted. */
    private record Nowhere() implements WritableByteChannel {

        @Override
        public int write(ByteBuffer bytes) {
            int some = bytes.remaining();
            bytes.position(bytes.limit());
            return some;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {
        }
    }

    /** A digest of 32 bytes. */
    static MessageDigest sha256() {
        try {
            return MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("every Java platform has SHA-256", e);
        }
    }

    void write(int number) throws IOException {
        room(Integer.BYTES).putInt(number);
    }

    void write(long number) throws IOException {
        room(Long.BYTES).putLong(number);
    }

    void write(double number) throws IOException {
        room(Double.BYTES).putDouble(number);
    }

    void write(String text) throws IOException {
        write(text.getBytes(StandardCharsets.UTF_8));
    }

    void write(byte[] array) throws IOException {
        write(array.length);
        for (int i = 0; i < array.length; i++) {
            room(1).put(array[i]);
        }
    }

    void write(float[] array) throws IOException {
        write(array.length);
        for (int done = 0; done < array.length;) {
            int some = Math.min(array.length - done, room(Float.BYTES).remaining() / Float.BYTES);
            buffer.asFloatBuffer().put(array, done, some);
            buffer.position(buffer.position() + some * Float.BYTES);
            done += some;
        }
    }

    void write(int[] array) throws IOException {
        write(array.length);
        for (int element : array) {
            write(element);
        }
    }

    void write(long[] array) throws IOException {
        write(array.length);
        for (long element : array) {
            write(element);
        }
    }

    void write(double[] array) throws IOException {
        write(array.length);
        for (double element : array) {
            write(element);
        }
    }

    void write(Map<String, double[]> arrays) throws IOException {
        write(arrays.size());
        for (Map.Entry<String, double[]> entry : arrays.entrySet()) {
            write(entry.getKey());
            write(entry.getValue());
        }
    }

    /**
     * Writes what is still in memory.
     *
     * @return the SHA-256 of all bytes
     */
    byte[] finish() throws IOException {
        flush();
        return digest.digest();
    }

    /** The number of bytes so far. */
    long count() {
        return flushed + buffer.position();
    }

    private ByteBuffer room(int bytes) throws IOException {
        if (buffer.remaining() < bytes) {
            flush();
        }
        return buffer;
    }

    private void flush() throws IOException {
        buffer.flip();
        digest.update(buffer.duplicate());
        flushed += buffer.remaining();
        while (buffer.hasRemaining()) {
            channel.write(buffer);
        }
        buffer.clear();
    }
}

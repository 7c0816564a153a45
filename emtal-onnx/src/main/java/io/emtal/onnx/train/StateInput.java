package io.emtal.onnx.train;

import io.emtal.onnx.EmtalException;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/** Reads what a {@link StateOutput} wrote. Takes no more memory than the bytes that are left can fill. */
final class StateInput implements AutoCloseable {

    private static final int BUFFER_BYTES = 1 << 16;

    private final InputStream stream;
    private final int version;
    private final String name;
    private final ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).order(ByteOrder.LITTLE_ENDIAN).limit(0);
    /** The bytes that are not yet in the buffer. */
    private long ahead;

    /**
     * Starts at a stream's position.
     *
     * @param stream the bytes; closed with this
     * @param bytes how many may be read
     * @param version the version in which they were written, see {@link CheckpointFile#VERSION}
     * @param name where they come from, for messages
     */
    StateInput(InputStream stream, long bytes, int version, String name) {
        this.stream = stream;
        this.ahead = bytes;
        this.version = version;
        this.name = name;
    }

    /** The version in which the bytes were written. */
    int version() {
        return version;
    }

    /** Where the bytes come from. */
    String name() {
        return name;
    }

    int readInt() throws IOException {
        return need(Integer.BYTES).getInt();
    }

    long readLong() throws IOException {
        return need(Long.BYTES).getLong();
    }

    double readDouble() throws IOException {
        return need(Double.BYTES).getDouble();
    }

    String readText() throws IOException {
        byte[] bytes = new byte[length(1)];
        for (int i = 0; i < bytes.length; i++) {
            bytes[i] = need(1).get();
        }
        return new String(bytes, StandardCharsets.UTF_8);
    }

    float[] readFloats() throws IOException {
        float[] array = new float[length(Float.BYTES)];
        fill(array);
        return array;
    }

    /**
     * Fills an array.
     *
     * @param what its name, for messages
     * @param array overwritten
     * @throws EmtalException if as many numbers were not written
     */
    void readInto(String what, float[] array) throws IOException {
        checkLength(what, length(Float.BYTES), array.length);
        fill(array);
    }

    private void fill(float[] array) throws IOException {
        for (int done = 0; done < array.length;) {
            int some = Math.min(array.length - done, need(Float.BYTES).remaining() / Float.BYTES);
            buffer.asFloatBuffer().get(array, done, some);
            buffer.position(buffer.position() + some * Float.BYTES);
            done += some;
        }
    }

    int[] readInts() throws IOException {
        int[] array = new int[length(Integer.BYTES)];
        for (int i = 0; i < array.length; i++) {
            array[i] = readInt();
        }
        return array;
    }

    /**
     * Fills an array.
     *
     * @param what its name, for messages
     * @param array overwritten
     * @throws EmtalException if as many numbers were not written
     */
    void readInto(String what, long[] array) throws IOException {
        checkLength(what, length(Long.BYTES), array.length);
        for (int i = 0; i < array.length; i++) {
            array[i] = readLong();
        }
    }

    double[] readDoubles() throws IOException {
        double[] array = new double[length(Double.BYTES)];
        for (int i = 0; i < array.length; i++) {
            array[i] = readDouble();
        }
        return array;
    }

    /**
     * Fills an array.
     *
     * @param what its name, for messages
     * @param array overwritten
     * @throws EmtalException if as many numbers were not written
     */
    void readInto(String what, double[] array) throws IOException {
        checkLength(what, length(Double.BYTES), array.length);
        for (int i = 0; i < array.length; i++) {
            array[i] = readDouble();
        }
    }

    Map<String, double[]> readMap() throws IOException {
        Map<String, double[]> map = new LinkedHashMap<>();
        for (int left = length(2 * Integer.BYTES); left > 0; left--) {
            map.put(readText(), readDoubles());
        }
        return map;
    }

    /**
     * Reads a number of elements that follow.
     *
     * @param elementBytes the least that one of them takes
     * @throws EmtalException if there cannot be as many
     */
    int length(int elementBytes) throws IOException {
        int length = readInt();
        EmtalException.check(length >= 0 && length <= (ahead + buffer.remaining()) / elementBytes,
                "%s: found %d elements in %d bytes, allowed are %d", name, length, ahead + buffer.remaining(),
                (ahead + buffer.remaining()) / elementBytes);
        return length;
    }

    /**
     * Ends the reading.
     *
     * @throws EmtalException if there is more
     */
    void end() {
        EmtalException.check(ahead + buffer.remaining() == 0, "%s: found %d bytes more than were to be read", name,
                ahead + buffer.remaining());
    }

    private void checkLength(String what, int found, int allowed) {
        EmtalException.check(found == allowed, "%s, %s: found %d numbers, allowed are %d", name, what, found, allowed);
    }

    private ByteBuffer need(int bytes) throws IOException {
        if (buffer.remaining() < bytes) {
            EmtalException.check(ahead + buffer.remaining() >= bytes, "%s: found %d bytes where %d are needed", name,
                    ahead + buffer.remaining(), bytes);
            buffer.compact();
            int some = stream.readNBytes(buffer.array(), buffer.position(), (int) Math.min(ahead, buffer.remaining()));
            ahead -= some;
            buffer.position(buffer.position() + some).flip();
            if (buffer.remaining() < bytes) {
                throw new EOFException(name + " ends too early");
            }
        }
        return buffer;
    }

    @Override
    public void close() throws IOException {
        stream.close();
    }
}

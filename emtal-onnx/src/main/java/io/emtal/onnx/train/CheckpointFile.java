package io.emtal.onnx.train;

import io.emtal.onnx.EmtalException;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.zip.CRC32C;

/**
 * The frame around a state in a file: a header of {@value #HEADER_BYTES} bytes, big-endian, and the body.
 *
 * <pre>
 *  0  8  magic
 *  8  4  version of the body
 * 12  8  bytes of the body
 * 20 32  SHA-256 of the body
 * 52  4  CRC-32C of the 52 bytes before
 * </pre>
 *
 * The header is the same in all versions, and is written last: a file that was not finished has none. Since version 2
 * the history has the weights of quality retaining, since version 3 follows what members of an ensemble said.
 */
final class CheckpointFile {

    /** The version that is written. The body of every version from 1 to this one can be read. */
    static final int VERSION = 3;

    static final int HEADER_BYTES = 56;

    private static final long MAGIC = 0x89_45_4D_54_4C_0D_0A_1AL;
    private static final int DIGEST_BYTES = 32;

    private CheckpointFile() {
    }

    /** Writes a body. */
    @FunctionalInterface
    interface Body {

        /** Writes all of it. */
        void write(StateOutput output) throws IOException;
    }

    /** A file that is no checkpoint any more, or never was a whole one. */
    static final class DamagedException extends EmtalException {

        private static final long serialVersionUID = 1L;

        DamagedException(String message) {
            super(message);
        }
    }

    /**
     * Writes a file, down to the disk.
     *
     * @param channel an empty file
     * @param body its body
     */
    static void write(FileChannel channel, Body body) throws IOException {
        channel.position(HEADER_BYTES);
        StateOutput output = new StateOutput(channel);
        body.write(output);
        byte[] digest = output.finish();
        ByteBuffer header = header(VERSION, output.count(), digest);
        channel.position(0);
        while (header.hasRemaining()) {
            channel.write(header);
        }
        channel.force(true);
    }

    /** A whole header. */
    static ByteBuffer header(int version, long bytes, byte[] digest) {
        ByteBuffer header = ByteBuffer.allocate(HEADER_BYTES).putLong(MAGIC).putInt(version).putLong(bytes).put(digest);
        return header.putInt(crc(header.array())).flip();
    }

    private static int crc(byte[] header) {
        CRC32C crc = new CRC32C();
        crc.update(header, 0, HEADER_BYTES - Integer.BYTES);
        return (int) crc.getValue();
    }

    /**
     * Reads a file's frame and checks its body.
     *
     * @param file the file
     * @return the body, from its beginning
     * @throws DamagedException if a bit of it is not as it was written
     * @throws EmtalException if it has a version that was not known when this class was written
     */
    static StateInput open(Path file) throws IOException {
        Frame frame = check(file);
        InputStream stream = Files.newInputStream(file);
        try {
            stream.skipNBytes(HEADER_BYTES);
            return new StateInput(stream, frame.bytes, frame.version, file.toString());
        } catch (IOException | RuntimeException e) {
            stream.close();
            throw e;
        }
    }

    /** What a header tells of the body. */
    private record Frame(int version, long bytes) {
    }

    private static Frame check(Path file) throws IOException {
        MessageDigest digest = StateOutput.sha256();
        try (InputStream stream = Files.newInputStream(file)) {
            byte[] header = stream.readNBytes(HEADER_BYTES);
            ByteBuffer fields = ByteBuffer.wrap(header);
            if (header.length < HEADER_BYTES || fields.getLong() != MAGIC
                    || fields.getInt(HEADER_BYTES - Integer.BYTES) != crc(header)) {
                throw new DamagedException(file + ": found no header of a checkpoint, the file is damaged or was never whole");
            }
            int version = fields.getInt();
            EmtalException.check(version >= 1 && version <= VERSION, "%s: found a checkpoint of version %d, allowed are 1 to"
                    + " %d; a later release of this library wrote it", file, version, VERSION);
            long bytes = fields.getLong();
            if (Files.size(file) != HEADER_BYTES + bytes) {
                throw new DamagedException(file + ": found " + Files.size(file) + " bytes, allowed are the "
                        + (HEADER_BYTES + bytes) + " that were written");
            }
            byte[] expected = new byte[DIGEST_BYTES];
            fields.get(expected);
            new DigestInputStream(stream, digest).transferTo(OutputStream.nullOutputStream());
            if (!MessageDigest.isEqual(expected, digest.digest())) {
                throw new DamagedException(file + ": found another SHA-256 than was written, the file is damaged");
            }
            return new Frame(version, bytes);
        }
    }
}

package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl.ModelProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import io.emtal.onnx.EmtalException;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;

/** Loads model files: bytes within limits, parsed, checked, with the tensors of other files where that is allowed. */
final class ModelFile {

    private static final int PIECE = 1 << 20;

    private ModelFile() {
    }

    static ModelProto load(Path file, ReadLimits limits) {
        try {
            ModelProto model = ModelParser.parse(bytes(file, limits), limits);
            ModelValidator.check(model, limits);
            if (ExternalData.first(model).isEmpty()) {
                return model;
            }
            EmtalException.check(limits.externalData(), "found data outside the file, %s; allowed are models that"
                    + " hold their data, unless the limits allow external data", ExternalData.first(model).orElse(""));
            return new ExternalData(file.toRealPath().getParent(), limits).inline(model);
        } catch (EmtalException e) {
            throw new EmtalException("model " + file + ": " + e.getMessage(), e);
        } catch (IOException e) {
            throw new EmtalException("model " + file + ": cannot be read: " + reason(e), e);
        }
    }

    static ModelProto load(ByteString bytes, ReadLimits limits) {
        try {
            ModelProto model = ModelParser.parse(bytes, limits);
            ModelValidator.check(model, limits);
            ExternalData.first(model).ifPresent(first -> {
                throw new EmtalException("found data outside the model, " + first
                        + "; allowed in memory are models that hold their data");
            });
            return model;
        } catch (EmtalException e) {
            throw new EmtalException("model of " + bytes.size() + " bytes: " + e.getMessage(), e);
        }
    }

    /** Some exceptions say no more than the path. */
    static String reason(Exception e) {
        return e instanceof NoSuchFileException ? "no such file"
                : e instanceof AccessDeniedException ? "access is denied" : e.getMessage();
    }

    private static ByteString bytes(Path file, ReadLimits limits) throws IOException {
        BasicFileAttributes attributes = Files.readAttributes(file, BasicFileAttributes.class);
        EmtalException.check(attributes.isRegularFile(), "found a directory, pipe or device, allowed is a regular"
                + " file");
        long size = attributes.size();
        EmtalException.check(size <= limits.fileBytes(), "found %d bytes, allowed are %d", size, limits.fileBytes());
        checkHeap(size);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
            return read(channel, 0, (int) size);
        }
    }

    /** Refuses what would not fit: the bytes and, made from them, the tensors of a graph. */
    static void checkHeap(long bytes) {
        long heap = Runtime.getRuntime().maxMemory();
        EmtalException.check(2 * bytes <= heap, "found %d bytes, which need a heap of twice their size, but this one"
                + " has %d: start Java with a larger -Xmx", bytes, heap);
    }

    /** Reads a range of a file, in pieces: for each read, Java takes as much memory again outside the heap. */
    static ByteString read(FileChannel channel, long offset, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length);
        int found = 0;
        while (buffer.position() < length && found >= 0) {
            buffer.limit(Math.min(length, buffer.position() + PIECE));
            found = channel.read(buffer, offset + buffer.position());
        }
        EmtalException.check(buffer.position() == length, "ends %d bytes too early", length - buffer.position());
        return UnsafeByteOperations.unsafeWrap(buffer.array());
    }
}

package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import com.google.protobuf.ByteString;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;

/**
 * Tensors of a model that lie in other files. A model may come from anywhere, so what it names is only read if it is a
 * regular file inside the model's own directory, which no symbolic or second hard link leads out of.
 */
final class ExternalData {

    private static final Pattern DRIVE = Pattern.compile("[A-Za-z]:.*");
    private static final Pattern NUMBER = Pattern.compile("[0-9]{1,18}");
    private static final int LONGEST_LOCATION = 1024;

    private final Path directory;
    private final ReadLimits limits;

    /**
     * Gives access to the files of one directory.
     *
     * @param directory its real path
     * @param limits how large tensors may be
     */
    ExternalData(Path directory, ReadLimits limits) {
        this.directory = directory;
        this.limits = limits;
    }

    /**
     * The first tensor of a model that lies in another file.
     *
     * @param model a checked model
     * @return its name and location for messages
     */
    static Optional<String> first(ModelProto model) {
        return model.getGraph().getInitializerList().stream().filter(ExternalData::isExternal).findFirst()
                .map(t -> "initialiser " + Quoted.of(t.getName()) + " in the file "
                        + Quoted.of(entries("", t).getOrDefault("location", "")))
                .or(() -> model.getGraph().getNodeList().stream()
                        .filter(n -> n.getAttributeList().stream().anyMatch(a -> isExternal(a.getT()))).findFirst()
                        .map(n -> "an attribute of node " + Quoted.of(n.getName())));
    }

    private static boolean isExternal(TensorProto tensor) {
        return tensor.getDataLocation() == TensorProto.DataLocation.EXTERNAL;
    }

    /**
     * Reads all tensors that lie in other files.
     *
     * @param model a checked model
     * @return the model with all data inside
     * @throws EmtalException if a file is not allowed, or too short
     */
    ModelProto inline(ModelProto model) {
        ModelFile.checkHeap(model.getGraph().getInitializerList().stream().filter(ExternalData::isExternal)
                .mapToLong(t -> bytes("", t)).sum());
        ModelProto.Builder inlined = model.toBuilder();
        OnnxMl.GraphProto.Builder graph = inlined.getGraphBuilder();
        for (int i = 0; i < graph.getInitializerCount(); i++) {
            TensorProto tensor = graph.getInitializer(i);
            if (isExternal(tensor)) {
                graph.setInitializer(i, inline("initialiser " + Quoted.of(tensor.getName()), tensor));
            }
        }
        for (int i = 0; i < graph.getNodeCount(); i++) {
            for (int k = 0; k < graph.getNode(i).getAttributeCount(); k++) {
                TensorProto tensor = graph.getNode(i).getAttribute(k).getT();
                if (isExternal(tensor)) {
                    graph.getNodeBuilder(i).getAttributeBuilder(k).setT(inline(NodeLabel.of(i, graph.getNode(i)),
                            tensor));
                }
            }
        }
        return inlined.build();
    }

    private TensorProto inline(String where, TensorProto tensor) {
        Map<String, String> entries = entries(where, tensor);
        String location = entries.getOrDefault("location", "");
        String from = where + ": external data " + Quoted.of(location);
        long needed = bytes(where, tensor);
        long offset = number(from, "offset", entries.getOrDefault("offset", "0"));
        long length = number(from, "length", entries.getOrDefault("length", Long.toString(needed)));
        EmtalException.check(length == needed, "%s: found a length of %d bytes, allowed are %d by type and shape",
                from, length, needed);
        try {
            return tensor.toBuilder().clearExternalData().clearDataLocation()
                    .setRawData(read(from, location, offset, (int) needed)).build();
        } catch (IOException | InvalidPathException e) {
            throw new EmtalException(from + ": cannot be read: " + ModelFile.reason(e), e);
        }
    }

    private long bytes(String where, TensorProto tensor) {
        return limits.bytes(where, ElementType.ofCode(tensor.getDataType(), where),
                tensor.getDimsList().stream().mapToLong(Long::longValue).toArray());
    }

    private static Map<String, String> entries(String where, TensorProto tensor) {
        Map<String, String> entries = new HashMap<>();
        tensor.getExternalDataList().forEach(e -> EmtalException.check(entries.put(e.getKey(), e.getValue()) == null,
                "%s: external data has two entries %s", where, Quoted.of(e.getKey())));
        return entries;
    }

    private static long number(String from, String what, String text) {
        EmtalException.check(NUMBER.matcher(text).matches(), "%s: found %s %s, allowed is a number of bytes", from,
                what, Quoted.of(text));
        return Long.parseLong(text);
    }

    private ByteString read(String from, String location, long offset, int length) throws IOException {
        Path file = resolve(from, location);
        BasicFileAttributes before = attributes(file);
        checkFile(from, file, before);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, LinkOption.NOFOLLOW_LINKS)) {
            EmtalException.check(Objects.equals(before.fileKey(), attributes(file).fileKey()),
                    "%s: was replaced while it was opened", from);
            EmtalException.check(offset <= channel.size() - length, "%s: found %d bytes, allowed are %d and more"
                    + " (offset %d, length %d)", from, channel.size(), offset + length, offset, length);
            return ModelFile.read(channel, offset, length);
        }
    }

    /** Walks down from the directory, refusing every step that leads elsewhere. */
    private Path resolve(String from, String location) throws IOException {
        EmtalException.check(!location.isEmpty() && location.length() <= LONGEST_LOCATION && location.indexOf('\0') < 0,
                "%s: found no location of 1 to %d characters", from, LONGEST_LOCATION);
        EmtalException.check(!location.startsWith("/") && !location.contains("\\")
                && !DRIVE.matcher(location).matches(), "%s: found an absolute path or a backslash, allowed is a path"
                + " inside the model's directory", from);
        List<String> steps = List.of(location.split("/", -1));
        EmtalException.check(steps.stream().noneMatch(s -> s.isEmpty() || s.equals(".") || s.equals("..")),
                "%s: found an empty step, '.' or '..', allowed is a path inside the model's directory", from);
        Path file = directory;
        for (int i = 0; i < steps.size() - 1; i++) {
            file = file.resolve(steps.get(i));
            EmtalException.check(attributes(file).isDirectory(), "%s: step %s is a link or no directory", from,
                    Quoted.of(steps.get(i)));
        }
        return file.resolve(steps.get(steps.size() - 1));
    }

    private static BasicFileAttributes attributes(Path file) throws IOException {
        return Files.readAttributes(file, BasicFileAttributes.class, LinkOption.NOFOLLOW_LINKS);
    }

    private static void checkFile(String from, Path file, BasicFileAttributes attributes) throws IOException {
        EmtalException.check(!attributes.isSymbolicLink(), "%s: found a symbolic link, allowed is a regular file",
                from);
        EmtalException.check(attributes.isRegularFile(), "%s: found a directory, pipe or device, allowed is a regular"
                + " file", from);
        if (file.getFileSystem().supportedFileAttributeViews().contains("unix")) {
            int links = (Integer) Files.getAttribute(file, "unix:nlink", LinkOption.NOFOLLOW_LINKS);
            EmtalException.check(links == 1, "%s: found a file with %d hard links, allowed is one", from, links);
        }
    }
}

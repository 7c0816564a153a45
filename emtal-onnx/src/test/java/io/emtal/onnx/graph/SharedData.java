package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl;
import org.junit.jupiter.api.Assumptions;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.ZipEntry;
import java.util.zip.ZipInputStream;

/** Models and arrays of the shared data folder. Tests that need it are skipped where it is absent. */
public final class SharedData {

    private static final Pattern HEADER = Pattern.compile(
            "'descr': '([^']+)', 'fortran_order': (True|False), 'shape': \\(([^)]*)\\)");

    private SharedData() {
    }

    /** A file or folder of the shared data. */
    public static Path path(String relative) {
        Path path = Path.of(System.getProperty("emtal.data", "absent"), relative);
        Assumptions.assumeTrue(Files.exists(path), () -> "no shared data at " + path + " (property emtal.data)");
        return path;
    }

    public static OnnxMl.ModelProto model(String relative) throws IOException {
        return OnnxMl.ModelProto.parseFrom(Files.readAllBytes(path(relative)));
    }

    /** The arrays of a numpy archive by name. */
    public static Map<String, Tensor> arrays(String relative) throws IOException {
        Map<String, Tensor> arrays = new LinkedHashMap<>();
        try (ZipInputStream zip = new ZipInputStream(Files.newInputStream(path(relative)))) {
            for (ZipEntry entry = zip.getNextEntry(); entry != null; entry = zip.getNextEntry()) {
                arrays.put(entry.getName().replaceFirst("\\.npy$", ""), array(ByteBuffer.wrap(zip.readAllBytes())));
            }
        }
        return arrays;
    }

    /** NumPy's format 1.0: magic and version, length of the header, header, elements. */
    private static Tensor array(ByteBuffer bytes) {
        bytes.order(ByteOrder.LITTLE_ENDIAN);
        byte[] header = new byte[bytes.getShort(8)];
        bytes.position(10);
        bytes.get(header);
        Matcher matcher = HEADER.matcher(new String(header, StandardCharsets.US_ASCII));
        if (!matcher.find() || matcher.group(2).equals("True")) {
            throw new IllegalStateException("array header " + new String(header, StandardCharsets.US_ASCII));
        }
        long[] extents = Arrays.stream(matcher.group(3).split(",")).map(String::strip).filter(s -> !s.isEmpty())
                .mapToLong(Long::parseLong).toArray();
        int size = Shape.of(extents).size();
        switch (matcher.group(1)) {
            case "<f4" -> {
                float[] elements = new float[size];
                bytes.asFloatBuffer().get(elements);
                return Tensor.of(elements, extents);
            }
            case "<i8" -> {
                long[] elements = new long[size];
                bytes.asLongBuffer().get(elements);
                return Tensor.of(elements, extents);
            }
            default -> throw new IllegalStateException("array of " + matcher.group(1));
        }
    }
}

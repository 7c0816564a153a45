package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl.AttributeProto;
import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnx.proto.OnnxMl.NodeProto;
import ai.onnx.proto.OnnxMl.TensorProto;
import io.emtal.onnx.EmtalException;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** Tensors outside the model file: refused unless allowed, and then only inside the model's own directory. */
class ExternalDataTest {

    private static final ReadLimits ALLOWED = ReadLimits.DEFAULT.withExternalData();

    @TempDir
    Path root;
    private Path folder;

    @BeforeEach
    void writeData() throws IOException {
        folder = Files.createDirectories(root.resolve("model"));
        Files.write(folder.resolve("w.bin"), floats(1, 2, 3, 4, 5));
        Files.write(root.resolve("secret.bin"), floats(6, 7, 8, 9, 10));
    }

    private static byte[] floats(float... values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.LITTLE_ENDIAN);
        bytes.asFloatBuffer().put(values);
        return bytes.array();
    }

    /** y = x + w, w being three floats elsewhere. */
    private Path model(String... entries) throws IOException {
        return write(Models.external("w", 3, entries));
    }

    private Path write(TensorProto tensor) throws IOException {
        ModelProto.Builder model = Models.model(17);
        model.getGraphBuilder().addInitializer(tensor).addNode(Models.node("Add", "sum", List.of("x", "w"), "y"))
                .setOutput(0, Models.value("y", 1, "batch", 3));
        return Files.write(folder.resolve("model.onnx"), model.build().toByteArray());
    }

    private static void assertRefused(Path file, String part) {
        String message = assertThrows(EmtalException.class, () -> OnnxFile.load(file, ALLOWED)).getMessage();
        assertTrue(message.startsWith("model " + file + ": initialiser 'w': external data ") && message.contains(part),
                message);
    }

    private static float[] loaded(Path file) {
        return OnnxFile.read(OnnxFile.load(file, ALLOWED), 2).initializers().get("w").floats();
    }

    @Test
    void refusedByDefault() throws IOException {
        Path file = model("location", "w.bin");
        String message = assertThrows(EmtalException.class, () -> OnnxFile.load(file)).getMessage();
        assertTrue(message.endsWith("found data outside the file, initialiser 'w' in the file 'w.bin'; allowed are"
                + " models that hold their data, unless the limits allow external data"), message);
    }

    @Test
    void refusedInMemoryAndWhenReadUnloaded() throws IOException {
        ModelProto model = ModelProto.parseFrom(Files.readAllBytes(model("location", "w.bin")));
        String message = assertThrows(EmtalException.class, () -> OnnxFile.load(model.toByteString(), ALLOWED))
                .getMessage();
        assertTrue(message.contains("found data outside the model, initialiser 'w'"), message);
        message = assertThrows(EmtalException.class, () -> OnnxFile.read(model, 2)).getMessage();
        assertTrue(message.contains("found data outside it, initialiser 'w'"), message);
    }

    @Test
    void loadedFromTheModelsDirectory() throws IOException {
        assertArrayEquals(new float[] {1, 2, 3}, loaded(model("location", "w.bin")));
        assertArrayEquals(new float[] {2, 3, 4}, loaded(model("location", "w.bin", "offset", "4", "length", "12")));
        assertArrayEquals(new float[] {3, 4, 5}, loaded(model("location", "w.bin", "offset", "8")));
        Files.createDirectories(folder.resolve("data/deep"));
        Files.write(folder.resolve("data/deep/v..bin"), floats(7, 8, 9));
        assertArrayEquals(new float[] {7, 8, 9}, loaded(model("location", "data/deep/v..bin")));
    }

    /** The model may be reached through a link, as in caches of downloads; its data lies beside the real file. */
    @Test
    void modelBehindALink() throws IOException {
        Path link = Files.createSymbolicLink(root.resolve("link.onnx"), model("location", "w.bin"));
        assertArrayEquals(new float[] {1, 2, 3}, loaded(link));
        Path other = Files.createDirectories(root.resolve("other"));
        Files.write(other.resolve("w.bin"), floats(6, 6, 6));
        assertArrayEquals(new float[] {1, 2, 3}, loaded(Files.createSymbolicLink(other.resolve("link.onnx"), link)));
    }

    @Test
    void constantsOfNodes() throws IOException {
        ModelProto.Builder model = Models.model(17);
        model.getGraphBuilder().addNode(NodeProto.newBuilder().setOpType("Constant").setName("c").addOutput("w")
                .addAttribute(AttributeProto.newBuilder().setName("value").setType(AttributeProto.AttributeType.TENSOR)
                .setT(Models.external("", 3, "location", "w.bin")))).addNode(Models.node("Add", "sum",
                List.of("x", "w"), "y")).setOutput(0, Models.value("y", 1, "batch", 3));
        Path file = Files.write(folder.resolve("constant.onnx"), model.build().toByteArray());
        assertArrayEquals(new float[] {1, 2, 3}, loaded(file));
        assertTrue(assertThrows(EmtalException.class, () -> OnnxFile.load(file)).getMessage()
                .contains("an attribute of node 'c'"));
    }

    @Test
    void whatIsLoadedIsWhole() throws IOException {
        ModelProto model = OnnxFile.load(model("location", "w.bin"), ALLOWED);
        TensorProto tensor = model.getGraph().getInitializer(0);
        assertEquals(TensorProto.DataLocation.DEFAULT, tensor.getDataLocation());
        assertEquals(0, tensor.getExternalDataCount());
        assertEquals(12, tensor.getRawData().size());
    }

    @ParameterizedTest
    @ValueSource(strings = {"../secret.bin", "data/../../secret.bin", "..", ".", "./w.bin", "data//w.bin", "w.bin/"})
    void stepsUpwards(String location) throws IOException {
        Files.createDirectories(folder.resolve("data"));
        assertRefused(model("location", location), "found an empty step, '.' or '..'");
    }

    @ParameterizedTest
    @ValueSource(strings = {"/etc/passwd", "C:\\w.bin", "C:w.bin", "..\\secret.bin", "\\\\host\\share\\w.bin"})
    void absolutePaths(String location) throws IOException {
        assertRefused(model("location", location), "found an absolute path or a backslash");
    }

    @Test
    void absolutePathToTheRightFile() throws IOException {
        assertRefused(model("location", folder.resolve("w.bin").toString()), "found an absolute path");
    }

    @Test
    void noLocation() throws IOException {
        assertRefused(model(), "found no location");
        assertRefused(model("location", ""), "found no location");
        assertRefused(model("location", "w\0.bin"), "found no location");
        assertRefused(model("location", "w".repeat(2000)), "found no location");
    }

    @Test
    void twoLocations() throws IOException {
        Path file = model("location", "w.bin", "location", "w.bin");
        String message = assertThrows(EmtalException.class, () -> OnnxFile.load(file, ALLOWED)).getMessage();
        assertTrue(message.contains("two entries 'location'"), message);
    }

    @Test
    void symbolicLink() throws IOException {
        Files.createSymbolicLink(folder.resolve("link.bin"), root.resolve("secret.bin"));
        assertRefused(model("location", "link.bin"), "found a symbolic link, allowed is a regular file");
        Files.createSymbolicLink(folder.resolve("inner.bin"), folder.resolve("w.bin"));
        assertRefused(model("location", "inner.bin"), "found a symbolic link");
    }

    @Test
    void symbolicLinkOnTheWay() throws IOException {
        Files.createSymbolicLink(folder.resolve("up"), root);
        assertRefused(model("location", "up/secret.bin"), "step 'up' is a link or no directory");
    }

    @Test
    void hardLink() throws IOException {
        Assumptions.assumeTrue(folder.getFileSystem().supportedFileAttributeViews().contains("unix"),
                "no count of hard links here");
        Files.createLink(folder.resolve("hard.bin"), root.resolve("secret.bin"));
        assertRefused(model("location", "hard.bin"), "found a file with 2 hard links, allowed is one");
    }

    @Test
    void pipe() throws IOException, InterruptedException {
        Path pipe = folder.resolve("pipe.bin");
        boolean made;
        try {
            made = new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor() == 0;
        } catch (IOException e) {
            made = false;
        }
        Assumptions.assumeTrue(made, "no mkfifo here");
        assertRefused(model("location", "pipe.bin"), "found a directory, pipe or device");
        assertTrue(assertThrows(EmtalException.class, () -> OnnxFile.load(pipe)).getMessage()
                .contains("pipe or device"));
    }

    @Test
    void directory() throws IOException {
        Files.createDirectories(folder.resolve("data"));
        assertRefused(model("location", "data"), "found a directory, pipe or device");
    }

    @Test
    void missingFile() throws IOException {
        assertRefused(model("location", "absent.bin"), "'absent.bin': cannot be read: no such file");
        assertRefused(model("location", "w.bin/inside"), "step 'w.bin' is a link or no directory");
    }

    @Test
    void rangesOutsideTheFile() throws IOException {
        assertRefused(model("location", "w.bin", "offset", "12"), "found 20 bytes, allowed are 24 and more (offset"
                + " 12, length 12)");
        assertRefused(model("location", "w.bin", "offset", "999999999999999999"), "found 20 bytes");
        assertRefused(model("location", "w.bin", "length", "16"), "found a length of 16 bytes, allowed are 12 by type"
                + " and shape");
        for (String number : List.of("-4", "4.5", "0x4", "", "9".repeat(19), "٤")) {
            assertRefused(model("location", "w.bin", "offset", number), "allowed is a number of bytes");
        }
    }

    @Test
    void dataInTwoPlaces() throws IOException {
        Path file = write(Models.external("w", 3, "location", "w.bin").toBuilder().addFloatData(1).build());
        String message = assertThrows(EmtalException.class, () -> OnnxFile.load(file, ALLOWED)).getMessage();
        assertTrue(message.contains("found its data in two places"), message);
    }

    @Test
    void limitsHoldForOtherFiles() throws IOException {
        Path file = model("location", "w.bin");
        ReadLimits small = new ReadLimits(1000, 100, 8, 10, true);
        String message = assertThrows(EmtalException.class, () -> OnnxFile.load(file, small)).getMessage();
        assertTrue(message.contains("with it the tensors have 12 bytes, allowed are 8"), message);
        Path huge = write(Models.external("w", 1 << 29, "location", "w.bin"));
        message = assertThrows(EmtalException.class, () -> OnnxFile.load(huge, ALLOWED)).getMessage();
        assertTrue(message.contains("found shape [536870912] of type FLOAT, allowed are 1073741824 bytes at most"),
                message);
    }
}

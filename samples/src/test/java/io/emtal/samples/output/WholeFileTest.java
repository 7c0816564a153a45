package io.emtal.samples.output;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class WholeFileTest {
    @TempDir
    Path temp;

    @Test
    void makesTheFolderAndReplacesAnOlderFile() throws IOException {
        Path file = temp.resolve("a/b/file.txt");
        WholeFile.write(file, to -> Files.writeString(to, "old"));
        WholeFile.write(file, to -> Files.writeString(to, "new"));
        assertEquals("new", Files.readString(file));
        assertEquals(List.of(file), files(file.getParent()));
    }

    @Test
    void aFailureLeavesTheOlderFileAndNothingElse() throws IOException {
        Path file = temp.resolve("file.txt");
        WholeFile.write(file, to -> Files.writeString(to, "old"));
        EmtalException e = assertThrows(EmtalException.class, () -> WholeFile.write(file, to -> {
            Files.writeString(to, "half");
            throw new IOException("No space left on device");
        }));
        assertTrue(e.getMessage().contains("file.txt cannot be written: java.io.IOException: No space left"),
                e.getMessage());
        assertEquals("old", Files.readString(file));
        assertEquals(List.of(file), files(temp));
    }

    @Test
    void aFolderIsNoFile() throws IOException {
        Path file = Files.writeString(temp.resolve("file"), "");
        assertThrows(EmtalException.class, () -> WholeFile.check(temp));
        assertThrows(EmtalException.class, () -> WholeFile.check(file.resolve("below")));
        WholeFile.check(temp.resolve("new"));
        assertEquals(List.of(file), files(temp), "looking writes nothing");
    }

    @Test
    void aDeviceIsNoFile() {
        Path device = Path.of("/dev/null");
        Assumptions.assumeTrue(Files.exists(device), "no device " + device);
        String message = assertThrows(EmtalException.class, () -> WholeFile.check(device)).getMessage();
        assertTrue(message.startsWith("/dev/null is a device or the like; allowed is a file"), message);
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }
}

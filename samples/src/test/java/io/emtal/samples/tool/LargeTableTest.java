package io.emtal.samples.tool;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.samples.Main;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A table that does not fit the heap is trained on, in a virtual machine of its own. */
class LargeTableTest {
    private static final int ROWS = 100_000;

    /** As examples the rows take 600 bytes each, 60 MB in all. */
    private static final String HEAP = "-Xmx64m";

    @TempDir
    Path temp;

    @Test
    @Tag("long")
    void trainingStreams() throws IOException, InterruptedException {
        new SyntheticTable(ROWS, 50, 1).write(temp);
        Path model = temp.resolve("model.tribuo");
        Path out = temp.resolve("out.txt");
        Process process = new ProcessBuilder(Stream.concat(
                Stream.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(), HEAP, "-cp",
                        System.getProperty("java.class.path"), Main.class.getName()),
                Stream.of("train", "--data", temp.resolve(SyntheticTable.FILE).toString(), "--schema",
                        temp.resolve("schema.json").toString(), "--out", model.toString(), "--dense-epochs", "1",
                        "--epochs", "1")).toList()).redirectErrorStream(true).redirectOutput(out.toFile()).start();
        int status = process.waitFor();
        List<String> lines = Files.readAllLines(out);
        assertEquals(0, status, lines.toString());
        assertTrue(lines.contains("Trained synthetic for 3 targets on " + ROWS + " rows with 47 features."), lines.toString());
        assertTrue(Files.size(model) > 1000);
    }
}

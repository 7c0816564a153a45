package io.emtal.samples.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import ai.djl.engine.Engine;
import io.emtal.samples.CommandLineRun;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BenchCommandTest {
    @TempDir
    Path temp;

    @ParameterizedTest
    @CsvSource({"small17, emtal-gated, 4", "small17, heads, 3", "table, dense, 16"})
    void measuresTrainingSteps(String shape, String mode, int batch) throws IOException {
        Path file = temp.resolve("out.csv");
        CommandLineRun run = CommandLineRun.of("bench", "train", "--shape", shape, "--mode", mode, "--batch", batch,
                "--workers", 1, "--steps", 2, "--out", file);
        assertEquals(0, run.status(), run.err());
        assertTrue(run.out().contains("GFLOP of matrix products a step") && run.out().contains("ceiling: "), run.out());
        List<String> lines = Files.readAllLines(file);
        assertEquals(String.join(",", SideResult.HEADER), lines.get(0));
        assertEquals(2, lines.size());
        assertTrue(lines.get(1).startsWith(shape + "," + mode + "," + batch + ",1,0,2,emtal,"), lines.get(1));
    }

    @Test
    void measuresPrediction() throws IOException {
        Path file = temp.resolve("out.csv");
        CommandLineRun run = CommandLineRun.of("bench", "predict", "--shape", "small17", "--runs", 1, "--out", file);
        assertEquals(0, run.status(), run.err());
        List<String> lines = Files.readAllLines(file);
        assertTrue(lines.size() == 13 || lines.size() == 25, lines.toString());
        assertTrue(lines.get(1).startsWith("small17,original,1,1,1,") && lines.get(3).startsWith("small17,dense,1,1,1,"),
                lines.toString());
    }

    @Test
    void measuresTasks() throws IOException {
        Path file = temp.resolve("out.csv");
        CommandLineRun run = CommandLineRun.of("bench", "tasks", "--shape", "table", "--batch", 2, "--workers", 1, "--steps",
                1, "--out", file);
        assertEquals(0, run.status(), run.err());
        List<String> lines = Files.readAllLines(file);
        assertEquals(8, lines.size());
        assertTrue(lines.get(7).startsWith("table,emtal-gated,64,2,1,1,"), lines.toString());
    }

    @Test
    void watchesTheMemoryOfManySteps() throws IOException {
        assumeTrue(Files.isReadable(Path.of("/proc/self/status")), "this system does not tell the memory of a process");
        Path file = temp.resolve("out.csv");
        CommandLineRun run = CommandLineRun.of("bench", "soak", "--workers", 1, "--steps", 120, "--out", file);
        assertEquals(0, run.status(), run.err());
        assertTrue(run.out().contains("growth of resident memory: "), run.out());
        List<String> lines = Files.readAllLines(file);
        assertEquals(51, lines.size());
        assertTrue(lines.get(50).startsWith("small17,emtal-gated,1,1,120,"), lines.toString());
    }

    @Test
    void withoutThatEngineARivalIsRefusedWithTheRemedy() {
        assumeFalse(Engine.hasEngine("PyTorch"), "PyTorch is on the class path");
        CommandLineRun run = CommandLineRun.of("bench", "train", "--shape", "small17", "--rival");
        assertEquals(1, run.status());
        assertTrue(run.err().contains("found no PyTorch engine") && run.err().contains("-Pbench"), run.err());
    }

    @ParameterizedTest
    @CsvSource({"small17, emtal-gated", "small17, dense", "small17, heads", "table, lora", "table, emtal-faded", "table, dense"})
    void aRivalGivesTheSameLosses(String shape, String mode) {
        System.setProperty("ai.djl.offline", "true");
        assumeTrue(Engine.hasEngine("PyTorch"), "PyTorch is not on the class path; the profile bench puts it there");
        CommandLineRun run = CommandLineRun.of("bench", "train", "--shape", shape, "--mode", mode, "--batch", 8, "--workers",
                1, "--steps", 1, "--rival");
        assertEquals(0, run.status(), run.err());
        assertTrue(run.out().contains("losses of the first 5 steps differ by ") && run.out().contains("ratio to rival: "),
                run.out());
    }

    @Test
    void withoutJmhKernelsAreRefusedWithTheRemedy() {
        assumeFalse(hasJmh(), "JMH is on the class path");
        CommandLineRun run = CommandLineRun.of("bench", "kernels");
        assertEquals(1, run.status());
        assertTrue(run.err().contains("found no JMH") && run.err().contains("-Pbench"), run.err());
    }

    @Test
    void measuresKernels() throws IOException {
        assumeTrue(hasJmh(), "JMH is not on the class path; the profile bench puts it there");
        Path file = temp.resolve("out.csv");
        CommandLineRun run = CommandLineRun.of("bench", "kernels", "--quick", "losses", "--out", file);
        assertEquals(0, run.status(), run.err());
        List<String> lines = Files.readAllLines(file);
        assertEquals(3, lines.size(), lines.toString());
        assertTrue(lines.get(1).contains("KernelBenchmarks.losses") && lines.get(1).endsWith("small65")
                && lines.get(2).endsWith("vit-tiny"), lines.toString());
    }

    private static boolean hasJmh() {
        return ClassLoader.getSystemResource("org/openjdk/jmh/Main.class") != null;
    }

    @Test
    void wrongNumbersAreRefused() {
        CommandLineRun run = CommandLineRun.of("bench", "train", "--shape", "small17", "--steps", 0);
        assertEquals(2, run.status());
        assertTrue(run.err().contains("--steps 0"), run.err());
    }
}

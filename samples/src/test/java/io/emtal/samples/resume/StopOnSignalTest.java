package io.emtal.samples.resume;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.samples.CommandLineRun;
import io.emtal.samples.Main;
import io.emtal.samples.table.TableFolder;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@DisabledOnOs(value = OS.WINDOWS, disabledReason = "another process's signals are sent by kill")
class StopOnSignalTest {
    @TempDir
    private Path temp;

    /** Not Ctrl-C's signal: a shell lets the processes that it starts in the background ignore that. */
    private static void terminate(long process) throws Exception {
        assertEquals(0, new ProcessBuilder("kill", "-TERM", Long.toString(process)).inheritIO().start().waitFor());
    }

    @Test
    void aSignalInterruptsTheThreadThatListens() {
        StringWriter err = new StringWriter();
        try (StopOnSignal stop = new StopOnSignal(new PrintWriter(err))) {
            assertFalse(stop.requested());
            assertThrows(InterruptedException.class, () -> {
                terminate(ProcessHandle.current().pid());
                Thread.sleep(60_000);
            });
            assertTrue(stop.requested());
            assertTrue(err.toString().startsWith("Stopping after this step."), err.toString());
            Thread.currentThread().interrupt();
        }
        assertFalse(Thread.interrupted(), "the interrupt is left after the end");
    }

    /** A signal during {@code train}: a model and a checkpoint; the same command again ends as if nothing had happened. */
    @Test
    void fault22_aStoppedCommandLeavesAModelAndIsResumed() throws Exception {
        TableFolder folder = new TableFolder(temp).with("schema.json", """
                {"name": "numbers", "kind": "regression",
                 "features": [{"name": "x", "type": "numeric"}, {"name": "y", "type": "numeric"}],
                 "targets": [{"name": "t", "type": "numeric"}]}
                """).with("data.csv", "x,y,t\n" + IntStream.range(0, 60).mapToObj(row -> String.format(Locale.ROOT,
                "%.3f,%.3f,%.3f%n", row / 60.0, row % 7 / 7.0, row / 60.0 * (row % 7))).collect(Collectors.joining()));
        List<String> command = List.of("train", "--data", folder.path().resolve("data.csv").toString(), "--schema",
                folder.path().resolve("schema.json").toString(), "--workers", "1", "--dense-epochs", "60", "--patience",
                "0", "--epochs", "2", "--out");

        List<String> forked = new ArrayList<>(List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp", System.getProperty("java.class.path"), Main.class.getName()));
        forked.addAll(with(command, "stopped", "--checkpoints", temp.resolve("saved").toString()));
        Process process = new ProcessBuilder(forked).redirectOutput(temp.resolve("stdout").toFile()).start();
        try (BufferedReader err = process.errorReader()) {
            String line = err.readLine();
            while (line != null && !line.startsWith("dense epoch 3,")) {
                line = err.readLine();
            }
            assertTrue(line != null, () -> read("stdout"));
            terminate(process.pid());
            err.lines().forEach(rest -> { });
        }
        assertEquals(StopOnSignal.EXIT_CODE, process.waitFor());
        assertTrue(read("stdout").contains("Stopped in phase PRETRAIN, after step "), read("stdout"));
        assertTrue(Files.size(temp.resolve("stopped")) > 1000);

        CommandLineRun resumed = CommandLineRun.of(with(command, "resumed", "--checkpoints",
                temp.resolve("saved").toString()).toArray());
        assertEquals(0, resumed.status(), resumed.err());
        assertFalse(resumed.err().contains("dense epoch 3,"), resumed.err());
        CommandLineRun whole = CommandLineRun.of(with(command, "whole").toArray());
        assertEquals(0, whole.status(), whole.err());
        assertEquals(predictions("whole"), predictions("resumed"));
    }

    private List<String> with(List<String> command, String model, String... more) {
        List<String> all = new ArrayList<>(command);
        all.add(temp.resolve(model).toString());
        all.addAll(List.of(more));
        return all;
    }

    private String read(String file) {
        try {
            return Files.readString(temp.resolve(file));
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private String predictions(String model) {
        Path out = temp.resolve(model + ".csv");
        CommandLineRun run = CommandLineRun.of("predict", "--model", temp.resolve(model), "--data", temp.resolve("data.csv"),
                "--out", out);
        assertEquals(0, run.status(), run.err());
        return read(model + ".csv");
    }
}

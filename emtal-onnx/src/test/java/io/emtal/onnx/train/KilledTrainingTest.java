package io.emtal.onnx.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.predict.DensePredictor;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.BufferedReader;
import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

/** Trainings in virtual machines of their own, which are killed, or get in each other's way. */
class KilledTrainingTest {

    private static TrainedNetwork uninterrupted;

    @TempDir
    private Path directory;

    @BeforeAll
    static void trainWithoutCheckpoints() {
        uninterrupted = SmallTraining.train(Optional.empty(), TrainingListener.NONE);
    }

    private Process start(Path checkpoints, int every) throws IOException {
        // Killed, it leaves the native library behind that it has unpacked: that goes with the directory.
        Path temporary = Files.createDirectories(directory.resolve("tmp"));
        return new ProcessBuilder(Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-Xmx256m",
                "-Djava.io.tmpdir=" + temporary, "-cp", System.getProperty("java.class.path"), SmallTraining.class.getName(),
                checkpoints.toString(), Integer.toString(every)).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    }

    /**
     * Kills a training at a random moment, and lets it go on to its end here.
     *
     * @param times how many trainings
     * @param again how probable it is that a training is killed once more when it has gone on for a while
     */
    private void kill(int times, double again, long seed) throws IOException, InterruptedException {
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < times; i++) {
            Path checkpoints = directory.resolve("run" + i);
            int every = random.nextInt(1, 5);
            do {
                int line = random.nextInt(1, SmallTraining.PRETRAIN_STEPS + SmallTraining.STEPS + 1);
                int millis = random.nextInt(20);
                String where = "seed " + seed + ", run " + i + ", every " + every + ", line " + line + ", ms " + millis;
                Process process = start(checkpoints, every);
                try (BufferedReader lines = process.inputReader()) {
                    String last = "";
                    while (line-- > 0 && last != null && !last.equals("done")) {
                        last = lines.readLine();
                    }
                    Thread.sleep(millis);
                    process.destroyForcibly();
                    assertTrue(last != null || process.waitFor() == 0, where);
                }
                process.waitFor();
            } while (random.nextDouble() < again);
            TrainedNetwork resumed = SmallTraining.train(Optional.of(Checkpoints.builder(checkpoints).everySteps(every)
                    .build()), TrainingListener.NONE);
            String where = "seed " + seed + ", run " + i;
            assertArrayEquals(uninterrupted.model().toByteArray(), resumed.model().toByteArray(), where);
            assertArrayEquals(predictions(uninterrupted), predictions(resumed), where);
        }
    }

    private static float[] predictions(TrainedNetwork network) {
        try (DensePredictor predictor = new DensePredictor(network.model().toByteString(), 1)) {
            FloatBuffer inputs = FloatBuffer.allocate(50 * predictor.inputWidth());
            for (int row = 0; row < 50; row++) {
                SmallTraining.rows(1).inputs(row, inputs);
            }
            return predictor.predict(inputs.array(), 50);
        }
    }

    @Test
    void fault19_killedAtRandomMomentsATrainingEndsWithTheSameBits() throws Exception {
        kill(2, 0, 19);
    }

    @Test
    @Tag("long")
    void fault19_killedTwentyTimesATrainingEndsWithTheSameBits() throws Exception {
        kill(20, 0.4, 20);
    }

    @Test
    void fault21_aSecondProcessIsRefused() throws Exception {
        Process process = start(directory.resolve("run"), 1);
        try (BufferedReader lines = process.inputReader()) {
            assertNotEquals(null, lines.readLine());
            String message = assertThrows(EmtalException.class, () -> SmallTraining.train(Optional.of(
                    Checkpoints.in(directory.resolve("run"))), TrainingListener.NONE)).getMessage();
            assertTrue(message.contains("in use by another training"), message);
            String last = "";
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                last = line;
            }
            assertEquals("done", last);
        }
    }

    /** A second try in the process that trains must not end its lock. */
    @Test
    void fault21_aSecondProcessIsRefusedAfterASecondTryInTheFirst() throws Exception {
        Path pretraining = directory.resolve("run").resolve("pretrain");
        Path other = directory.resolve("run").resolve("..").resolve("run");
        try (CheckpointDirectory held = CheckpointDirectory.open(pretraining, 1, new TrainingIdentity(Map.of()))) {
            for (Path again : List.of(directory.resolve("run"), other)) {
                String message = assertThrows(EmtalException.class, () -> SmallTraining.train(Optional.of(
                        Checkpoints.in(again)), TrainingListener.NONE)).getMessage();
                assertTrue(message.contains("in use by another training"), message);
            }
            Process process = start(directory.resolve("run"), 1);
            try (BufferedReader lines = process.inputReader()) {
                assertNull(lines.readLine());
            }
            assertNotEquals(0, process.waitFor());
            held.save(1, output -> output.write(1));
        }
    }
}

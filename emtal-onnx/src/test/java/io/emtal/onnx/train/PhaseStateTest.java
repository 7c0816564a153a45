package io.emtal.onnx.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

class PhaseStateTest {

    private final PhaseStateFixture fixture = new PhaseStateFixture();

    /** Writes the file of this version: the argument is a new one under {@code src/test/resources/checkpoints}. */
    public static void main(String[] arguments) throws IOException {
        try (FileChannel channel = FileChannel.open(Path.of(arguments[0]), StandardOpenOption.CREATE_NEW,
                StandardOpenOption.WRITE)) {
            CheckpointFile.write(channel, new PhaseStateFixture().after(3)::write);
        }
    }

    private static void read(byte[] written, PhaseState state) throws IOException {
        try (StateInput input = new StateInput(new ByteArrayInputStream(written), written.length,
                CheckpointFile.VERSION, "state")) {
            state.read(input);
        }
    }

    @Test
    void whatIsWrittenIsRead() throws IOException {
        for (int steps : new int[] {0, 1, 5}) {
            byte[] written = fixture.bytes(steps);
            PhaseState read = fixture.start();
            read(written, read);
            assertArrayEquals(written, PhaseStateFixture.bytes(read));
            assertEquals(steps, read.steps());
            assertEquals(steps, read.stepsOfEpoch());
        }
    }

    /** Losses 1/2, 1/4 and 1/6 with a decay of 0.95; the binary task takes no part. */
    @Test
    void anEpochsRecordHasTheWeightsOfQualityRetainingAfterItsLastStep() throws IOException {
        PhaseState state = fixture.after(3);
        double mean = 0.05 * (0.95 * 0.95 / 2 + 0.95 / 4 + 1.0 / 6) / (1 - 0.95 * 0.95 * 0.95);
        double[] expected = {1 / mean, Double.NaN};
        assertArrayEquals(expected, state.endEpoch(0.01, 0.5, null).retainingWeights(), 1e-12);
        byte[] written = PhaseStateFixture.bytes(state);
        PhaseState read = fixture.start();
        read(written, read);
        assertArrayEquals(written, PhaseStateFixture.bytes(read));
        List<EpochRecord> history = read.outcome(Optional.empty()).history();
        assertArrayEquals(new double[] {0, Double.NaN}, history.get(0).retainingWeights());
        assertArrayEquals(expected, history.get(1).retainingWeights(), 1e-12);
    }

    @Test
    void aStepThatIsNotFiniteChangesNothing() throws IOException {
        PhaseState state = fixture.after(2);
        byte[] before = PhaseStateFixture.bytes(state);
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            float[] gradient = new float[state.values().length];
            gradient[3] = bad;
            assertFalse(state.step(gradient, 0.1, true));
            assertArrayEquals(before, PhaseStateFixture.bytes(state));
        }
    }

    /** Files of every version that was ever written; each holds the state after three steps. */
    @Test
    void fault7_checkpointsOfEveryVersionAreRead(@TempDir Path directory) throws IOException {
        for (int version = 1; version <= CheckpointFile.VERSION; version++) {
            Path file = directory.resolve("version" + version);
            try (InputStream resource = getClass().getResourceAsStream("/checkpoints/version" + version + ".emtal")) {
                Files.copy(resource, file);
            }
            PhaseState read = fixture.start();
            try (StateInput input = CheckpointFile.open(file)) {
                read.read(input);
            }
            assertEquals(3, read.steps());
            assertEquals(3, read.stepsOfEpoch());
            assertEquals(0, read.epochs());
            List<EpochRecord> history = read.outcome(Optional.empty()).history();
            assertEquals(1, history.size());
            assertArrayEquals(version == 1 ? new double[0] : new double[] {0, Double.NaN},
                    history.get(0).retainingWeights());
            assertEquals(3, read.retaining().orElseThrow().visits(0, 0));
            float[] expected = fixture.after(3).values();
            assertEquals(expected.length, read.values().length);
            for (int i = 0; i < expected.length; i++) {
                assertEquals(expected[i], read.values()[i], 1e-6f, () -> Arrays.toString(expected));
            }
        }
    }
}

package io.emtal.onnx.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;

class PhaseStateTest {

    private final PhaseStateFixture fixture = new PhaseStateFixture();

    @Test
    void whatIsWrittenIsRead() throws IOException {
        for (int steps : new int[] {0, 1, 5}) {
            byte[] written = fixture.bytes(steps);
            PhaseState read = fixture.start();
            read.read(new StateInput(new ByteArrayInputStream(written), written.length, "state"));
            assertArrayEquals(written, PhaseStateFixture.bytes(read));
            assertEquals(steps, read.steps());
            assertEquals(steps, read.stepsOfEpoch());
        }
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
            assertEquals(1, read.outcome(Optional.empty()).history().size());
            assertEquals(3, read.retaining().orElseThrow().visits(0, 0));
            float[] expected = fixture.after(3).values();
            assertEquals(expected.length, read.values().length);
            for (int i = 0; i < expected.length; i++) {
                assertEquals(expected[i], read.values()[i], 1e-6f, () -> Arrays.toString(expected));
            }
        }
    }
}

package io.emtal.onnx.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.emtal.onnx.EmtalException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.stream.Stream;

/** Files that fail while they are written, and are damaged after that. */
class CheckpointDirectoryTest {

    private static final TrainingIdentity IDENTITY = new TrainingIdentity(Map.of("backbone", "b"));

    @TempDir
    private Path directory;

    private CheckpointDirectory open() {
        return CheckpointDirectory.open(directory, 3, IDENTITY);
    }

    private static CheckpointFile.Body state(int step) {
        float[] values = new float[30_000];
        Arrays.fill(values, step);
        return output -> output.write(values);
    }

    /** The step whose state is the latest; −1 without one. */
    private static int latest(CheckpointDirectory checkpoints) throws IOException {
        Optional<StateInput> latest = checkpoints.latest();
        if (latest.isEmpty()) {
            return -1;
        }
        try (StateInput input = latest.get()) {
            float[] values = input.readFloats();
            input.end();
            float[] expected = new float[30_000];
            Arrays.fill(expected, values[0]);
            assertArrayEquals(expected, values);
            return (int) values[0];
        }
    }

    private List<String> names() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    private static String name(int step) {
        return String.format(Locale.ROOT, "step-%010d.emtal", step);
    }

    private Path file(int step) {
        return directory.resolve(name(step));
    }

    private static void flip(Path file, long bit) throws IOException {
        byte[] bytes = Files.readAllBytes(file);
        bytes[(int) (bit / 8)] ^= (byte) (1 << bit % 8);
        Files.write(file, bytes);
    }

    @Test
    void whatIsSavedIsReadAndTheOldestGo() throws IOException {
        try (CheckpointDirectory checkpoints = open()) {
            assertEquals(-1, latest(checkpoints));
            for (int step = 1; step <= 5; step++) {
                assertEquals(file(step), checkpoints.save(step, state(step)));
                assertEquals(step, latest(checkpoints));
            }
        }
        assertEquals(List.of("lock", name(3), name(4), name(5)), names());
    }

    /** Some write numbers with digits of their own. */
    @Test
    void checkpointsAreFoundWhateverTheLocale() throws IOException {
        Locale usual = Locale.getDefault();
        Locale.setDefault(Locale.forLanguageTag("ar-EG"));
        try (CheckpointDirectory checkpoints = open()) {
            checkpoints.save(12, state(12));
            assertEquals(12, latest(checkpoints));
        } finally {
            Locale.setDefault(usual);
        }
    }

    @Test
    void fault20_whereverTheDiskIsFullTheOldCheckpointIsIntact() throws IOException {
        long[] room = {Long.MAX_VALUE};
        try (CheckpointDirectory checkpoints = CheckpointDirectory.open(directory, 3, IDENTITY, file -> new BoundedChannel(
                FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE), room[0]))) {
            checkpoints.save(1, state(1));
            byte[] old = Files.readAllBytes(file(1));
            for (long bytes : new long[] {0, 1, 1 << 16, 100_000, old.length - 57, old.length - 56, old.length - 55,
                    old.length - 1, old.length}) {
                room[0] = bytes;
                String message = assertThrows(EmtalException.class, () -> checkpoints.save(2, state(2))).getMessage();
                assertTrue(message.contains("No space left on device") && message.contains(name(2))
                        && message.contains("bytes are free"), message);
                assertEquals(List.of("lock", name(1)), names(), bytes + " bytes");
                assertArrayEquals(old, Files.readAllBytes(file(1)));
                assertEquals(1, latest(checkpoints));
            }
            room[0] = old.length + 1;
            checkpoints.save(2, state(2));
            assertEquals(2, latest(checkpoints));
        }
    }

    /** Whatever a writer leaves behind that was killed, only whole files count. */
    @Test
    void unfinishedFilesAreRemoved() throws IOException {
        try (CheckpointDirectory checkpoints = open()) {
            checkpoints.save(1, state(1));
        }
        Files.write(directory.resolve(name(2) + ".part"), new byte[100]);
        try (CheckpointDirectory checkpoints = open()) {
            assertEquals(List.of("lock", name(1)), names());
            assertEquals(1, latest(checkpoints));
        }
    }

    @Test
    void fault20_aDirectoryThatCannotBeWrittenToIsRefused() throws IOException {
        Path file = Files.createFile(directory.resolve("file"));
        String message = assertThrows(EmtalException.class, () -> CheckpointDirectory.open(file, 1, IDENTITY)).getMessage();
        assertTrue(message.contains(file.toString()), message);
        assumeTrue(FileSystems.getDefault().supportedFileAttributeViews().contains("posix"), "rights as on POSIX");
        Path readOnly = Files.createDirectory(directory.resolve("readOnly"));
        Files.setPosixFilePermissions(readOnly, PosixFilePermissions.fromString("r-xr-xr-x"));
        assumeFalse(Files.isWritable(readOnly), "a user whom rights do not bind can write everywhere");
        message = assertThrows(EmtalException.class, () -> CheckpointDirectory.open(readOnly, 1, IDENTITY)).getMessage();
        assertTrue(message.contains(readOnly.toString()), message);
    }

    @Test
    void fault21_aSecondUserOfADirectoryIsRefused() {
        try (CheckpointDirectory checkpoints = open()) {
            String message = assertThrows(EmtalException.class, this::open).getMessage();
            assertTrue(message.contains(directory.toString()) && message.contains("in use"), message);
            checkpoints.save(1, state(1));
        }
        open().close();
    }

    /** Every bit of the header, and some of the body. */
    @Test
    void fault9_aFlippedBitIsFound() throws IOException {
        SplittableRandom random = new SplittableRandom(9);
        try (CheckpointDirectory checkpoints = open()) {
            checkpoints.save(1, output -> output.write(new float[200]));
        }
        byte[] whole = Files.readAllBytes(file(1));
        for (int round = 0; round < 600; round++) {
            long bit = round < 8 * CheckpointFile.HEADER_BYTES ? round : random.nextLong(8L * whole.length);
            flip(file(1), bit);
            assertThrows(CheckpointFile.DamagedException.class, () -> CheckpointFile.open(file(1)), "bit " + bit);
            flip(file(1), bit);
        }
        CheckpointFile.open(file(1)).close();
    }

    @Test
    void fault9_aDamagedCheckpointIsSetAsideAndTheOneBeforeIsUsed() throws IOException {
        try (CheckpointDirectory checkpoints = open()) {
            checkpoints.save(1, state(1));
            checkpoints.save(2, state(2));
            checkpoints.save(3, state(3));
            flip(file(2), 1000);
            flip(file(3), 1000);
            for (int again = 0; again < 2; again++) {
                assertEquals(1, latest(checkpoints));
                assertEquals(List.of("lock", name(1), name(2) + ".damaged", name(3) + ".damaged"), names());
            }
            checkpoints.save(2, state(2));
            assertEquals(2, latest(checkpoints));
        }
    }

    @Test
    void fault9_aCheckpointThatWasCutShortOrGrewIsDamaged() throws IOException {
        try (CheckpointDirectory checkpoints = open()) {
            checkpoints.save(2, state(2));
            byte[] whole = Files.readAllBytes(file(2));
            for (int length : new int[] {0, 1, 55, 56, 57, whole.length - 1, whole.length + 1}) {
                checkpoints.save(1, state(1));
                Files.write(file(2), Arrays.copyOf(whole, length));
                assertEquals(1, latest(checkpoints), length + " bytes");
                Files.delete(directory.resolve(name(2) + ".damaged"));
            }
        }
    }

    /** Without a whole checkpoint it is the user's decision to start anew. */
    @Test
    void fault9_whereNoCheckpointIsWholeNoneIsUsed() throws IOException {
        try (CheckpointDirectory checkpoints = open()) {
            checkpoints.save(1, state(1));
            checkpoints.save(2, state(2));
            flip(file(1), 5000);
            flip(file(2), 6000);
            for (int again = 0; again < 2; again++) {
                String message = assertThrows(EmtalException.class, checkpoints::latest).getMessage();
                assertTrue(message.contains(name(1)) && message.contains(name(2)), message);
            }
            assertEquals(List.of("lock", name(1), name(2)), names());
        }
    }

    @Test
    void fault7_aLaterVersionIsRefusedNamingBoth() throws IOException {
        try (CheckpointDirectory checkpoints = open()) {
            checkpoints.save(1, state(1));
            checkpoints.save(2, state(2));
            byte[] bytes = Files.readAllBytes(file(2));
            byte[] digest = Arrays.copyOfRange(bytes, 20, 52);
            ByteBuffer header = CheckpointFile.header(CheckpointFile.VERSION + 1, bytes.length - CheckpointFile.HEADER_BYTES,
                    digest);
            header.get(bytes, 0, CheckpointFile.HEADER_BYTES);
            Files.write(file(2), bytes);
            String message = assertThrows(EmtalException.class, checkpoints::latest).getMessage();
            assertTrue(message.contains("version " + (CheckpointFile.VERSION + 1)) && message.contains("1 to "
                    + CheckpointFile.VERSION) && message.contains(name(2)), message);
            assertEquals(List.of("lock", name(1), name(2)), names());
        }
    }

    @Test
    void fault8_aCheckpointOfAnotherTrainingIsRefusedNamingBoth() throws IOException {
        try (CheckpointDirectory checkpoints = open()) {
            checkpoints.save(1, state(1));
        }
        for (TrainingIdentity other : List.of(new TrainingIdentity(Map.of("backbone", "other")),
                new TrainingIdentity(Map.of("backbone", "b", "rows", "r")))) {
            try (CheckpointDirectory checkpoints = CheckpointDirectory.open(directory, 3, other)) {
                String message = assertThrows(EmtalException.class, checkpoints::latest).getMessage();
                assertTrue(message.contains("its backbone is b, allowed is other")
                        || message.contains("its rows is nothing, allowed is r"), message);
            }
        }
    }

    /** An interrupt closes the channel that the thread writes to. */
    @Test
    void anInterruptWaitsUntilACheckpointIsWritten() throws IOException {
        try (CheckpointDirectory checkpoints = open()) {
            List<Integer> attempts = new ArrayList<>();
            checkpoints.save(1, output -> {
                attempts.add(1);
                if (attempts.size() == 1) {
                    Thread.currentThread().interrupt();
                }
                state(1).write(output);
            });
            assertEquals(2, attempts.size());
            assertEquals(1, latest(checkpoints));
            checkpoints.save(2, state(2));
            assertTrue(Thread.interrupted());
            assertEquals(2, latest(checkpoints));
        }
    }

    /** Bodies of random bytes under a right checksum end in the one exception, and in no memory that they do not fill. */
    @Test
    void aBodyThatMakesNoSenseIsRefused() throws IOException {
        SplittableRandom random = new SplittableRandom(10);
        PhaseStateFixture fixture = new PhaseStateFixture();
        for (int round = 0; round < 300; round++) {
            byte[] body = fixture.bytes(3);
            for (int i = random.nextInt(1, 5); i > 0; i--) {
                int at = random.nextInt(body.length / 4) * 4;
                ByteBuffer.wrap(body).putInt(at, random.nextInt(4) == 0 ? -1 : random.nextInt());
            }
            byte[] mutated = random.nextBoolean() ? body : Arrays.copyOf(body, random.nextInt(body.length));
            try (StateInput input = new StateInput(new ByteArrayInputStream(mutated), mutated.length,
                    CheckpointFile.VERSION, "body")) {
                fixture.start().read(input);
                assertFalse(mutated.length < body.length, "a state was read from a part of its bytes");
            } catch (EmtalException e) {
                assertTrue(e.getMessage().startsWith("body") || e.getMessage().startsWith("quality retaining"),
                        "round " + round + ": " + e.getMessage());
            }
        }
    }
}

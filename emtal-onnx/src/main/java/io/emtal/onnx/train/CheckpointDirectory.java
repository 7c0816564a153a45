package io.emtal.onnx.train;

import io.emtal.onnx.EmtalException;

import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.logging.Logger;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The checkpoints of one phase of one training, locked against others as long as this is open. */
final class CheckpointDirectory implements AutoCloseable {

    private static final Logger LOGGER = Logger.getLogger(CheckpointDirectory.class.getName());

    private static final Pattern NAME = Pattern.compile("step-\\d{10}\\.emtal");
    private static final String UNFINISHED = ".part";
    private static final String DAMAGED = ".damaged";
    private static final boolean WINDOWS = System.getProperty("os.name").startsWith("Windows");

    /**
     * The directories that this process has locked. Its locks of a file are gone when it closes that file anywhere, so
     * it must not open it a second time.
     */
    private static final Set<Path> LOCKED = ConcurrentHashMap.newKeySet();

    private final Path directory;
    private final int keep;
    private final TrainingIdentity identity;
    private final Opener opener;
    private final Path locked;
    private final FileChannel lock;

    /** Opens new files. */
    @FunctionalInterface
    interface Opener {

        /** Opens a file to write to, from its beginning; what was in it is gone. */
        FileChannel open(Path file) throws IOException;
    }

    private CheckpointDirectory(Path directory, int keep, TrainingIdentity identity, Opener opener, Path locked,
                                FileChannel lock) {
        this.directory = directory;
        this.keep = keep;
        this.identity = identity;
        this.opener = opener;
        this.locked = locked;
        this.lock = lock;
    }

    /**
     * Locks a directory, which is made if there is none.
     *
     * @param directory the directory
     * @param keep how many checkpoints are kept
     * @param identity whose checkpoints are written and read
     * @throws EmtalException if it cannot be written to, or is locked by another
     */
    static CheckpointDirectory open(Path directory, int keep, TrainingIdentity identity) {
        return open(directory, keep, identity, file -> FileChannel.open(file, StandardOpenOption.CREATE,
                StandardOpenOption.TRUNCATE_EXISTING, StandardOpenOption.WRITE));
    }

    static CheckpointDirectory open(Path directory, int keep, TrainingIdentity identity, Opener opener) {
        try {
            Files.createDirectories(directory);
            Path locked = directory.toRealPath();
            checkUnused(LOCKED.add(locked), directory);
            try {
                return new CheckpointDirectory(directory, keep, identity, opener, locked, lock(directory));
            } catch (IOException | RuntimeException e) {
                LOCKED.remove(locked);
                throw e;
            }
        } catch (IOException e) {
            throw new EmtalException("checkpoints in " + directory + ": the directory cannot be written to: " + e, e);
        }
    }

    /** Locks a directory against other processes, and removes what one that was killed has left unfinished. */
    private static FileChannel lock(Path directory) throws IOException {
        FileChannel lock = FileChannel.open(directory.resolve("lock"), StandardOpenOption.CREATE,
                StandardOpenOption.WRITE);
        try {
            checkUnused(locks(lock), directory);
            for (Path unfinished : files(directory, Pattern.compile(".*" + Pattern.quote(UNFINISHED)))) {
                Files.delete(unfinished);
            }
            return lock;
        } catch (IOException | RuntimeException e) {
            lock.close();
            throw e;
        }
    }

    private static void checkUnused(boolean unused, Path directory) {
        EmtalException.check(unused, "checkpoints in %s: found them in use by another training, allowed is one at a"
                + " time", directory);
    }

    private static boolean locks(FileChannel file) throws IOException {
        try {
            FileLock lock = file.tryLock();
            return lock != null;
        } catch (OverlappingFileLockException e) {
            return false;
        }
    }

    /** The files of a name, first to last. */
    private static List<Path> files(Path directory, Pattern name) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> name.matcher(file.getFileName().toString()).matches()).sorted().toList();
        }
    }

    /**
     * Checks that the disk has room.
     *
     * @param bytes the size of a checkpoint
     * @throws EmtalException if those that are kept, and a new one, do not fit
     */
    void checkRoom(long bytes) {
        try {
            long more = Math.max(1, keep + 1 - files(directory, NAME).size());
            long usable = Files.getFileStore(directory).getUsableSpace();
            EmtalException.check(bytes <= usable / more, "checkpoints in %s: %d more of about %d bytes are needed, free are %d"
                    + " bytes; another disk or keeping fewer helps", directory, more, bytes, usable);
        } catch (IOException e) {
            throw new EmtalException("checkpoints in " + directory + ": the free space cannot be asked for: " + e, e);
        }
    }

    /**
     * Opens the latest checkpoint that is whole. Later ones, which are not, are set aside with a warning.
     *
     * @return its state; empty where there is no checkpoint
     * @throws EmtalException if it is of another training or a later version of the format, or if no checkpoint is whole
     */
    Optional<StateInput> latest() {
        List<EmtalException> damages = new ArrayList<>();
        List<Path> damaged = new ArrayList<>();
        try {
            List<Path> files = new ArrayList<>(files(directory, NAME));
            Collections.reverse(files);
            for (Path file : files) {
                try {
                    StateInput input = CheckpointFile.open(file);
                    try {
                        identity.check(input);
                        for (int i = 0; i < damaged.size(); i++) {
                            setAside(damaged.get(i), damages.get(i), file);
                        }
                        return Optional.of(input);
                    } catch (IOException | RuntimeException e) {
                        input.close();
                        throw e;
                    }
                } catch (CheckpointFile.DamagedException e) {
                    damages.add(e);
                    damaged.add(file);
                }
            }
        } catch (IOException e) {
            throw new EmtalException("checkpoints in " + directory + ": they cannot be read: " + e, e);
        }
        EmtalException.check(damages.isEmpty(), "%s; no other checkpoint is whole; without these files the training starts"
                + " anew", String.join("; ", damages.stream().map(Throwable::getMessage).toList()));
        return Optional.empty();
    }

    private static void setAside(Path file, EmtalException damage, Path used) throws IOException {
        Path aside = file.resolveSibling(file.getFileName() + DAMAGED);
        Files.move(file, aside, StandardCopyOption.REPLACE_EXISTING);
        LOGGER.warning(damage.getMessage() + "; it is now " + aside + ", and the training goes on from " + used);
    }

    /**
     * Writes a checkpoint and deletes those that are too many. An interrupt of the thread waits until that is done.
     *
     * @param step the step that the state is after
     * @param state the state
     * @return its file
     * @throws EmtalException if that fails; older checkpoints are as they were then
     */
    Path save(int step, CheckpointFile.Body state) {
        Path file = directory.resolve(String.format(Locale.ROOT, "step-%010d.emtal", step));
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    write(file, state);
                    return file;
                } catch (ClosedByInterruptException e) {
                    interrupted |= Thread.interrupted();
                }
            }
        } catch (IOException e) {
            throw new EmtalException(file + ": the checkpoint cannot be written: " + e + free() + "; older ones in this"
                    + " directory are whole, and the training goes on from them when it is started again", e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private void write(Path file, CheckpointFile.Body state) throws IOException {
        Path unfinished = file.resolveSibling(file.getFileName() + UNFINISHED);
        try {
            try (FileChannel channel = opener.open(unfinished)) {
                CheckpointFile.write(channel, output -> {
                    identity.write(output);
                    state.write(output);
                });
            }
            Files.move(unfinished, file, StandardCopyOption.ATOMIC_MOVE);
            force(directory);
            List<Path> files = files(directory, NAME);
            for (Path old : files.subList(0, Math.max(0, files.size() - keep))) {
                Files.delete(old);
            }
        } catch (IOException | RuntimeException e) {
            try {
                Files.deleteIfExists(unfinished);
            } catch (IOException f) {
                e.addSuppressed(f);
            }
            throw e;
        }
    }

    /** Makes a renaming survive a loss of power, where the system can be asked for that. */
    private static void force(Path directory) throws IOException {
        if (!WINDOWS) {
            try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
                channel.force(true);
            }
        }
    }

    private String free() {
        try {
            return ", " + Files.getFileStore(directory).getUsableSpace() + " bytes are free";
        } catch (IOException e) {
            return "";
        }
    }

    /** Unlocks the directory. */
    @Override
    public void close() {
        try {
            lock.close();
        } catch (IOException e) {
            throw new EmtalException("checkpoints in " + directory + ": the lock cannot be given back: " + e, e);
        } finally {
            LOCKED.remove(locked);
        }
    }
}

package io.emtal.samples.output;

import io.emtal.onnx.EmtalException;
import java.io.IOException;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.UUID;

/** A file that is whole or not there: written under another name beside its place, then moved to it. */
public final class WholeFile {
    private WholeFile() {
    }

    /** Writes a file. */
    @FunctionalInterface
    public interface Content {
        /**
         * Writes the file.
         *
         * @param file where to
         * @throws IOException if that fails
         */
        void write(Path file) throws IOException;
    }

    /**
     * Writes a file, and its folder where there is none. An older file stays as it is until the new one is whole.
     *
     * @param file the file
     * @param content writes it
     * @throws EmtalException if that fails; nothing is left behind then
     */
    public static void write(Path file, Content content) {
        check(file);
        // Not a temporary file of the platform: its rights would be narrower than those of an ordinary file.
        Path unfinished = file.resolveSibling("." + file.getFileName() + "." + UUID.randomUUID() + ".part");
        try {
            content.write(unfinished);
            move(unfinished, file);
        } catch (IOException e) {
            throw new EmtalException(file + " cannot be written: " + e, e);
        } finally {
            delete(unfinished);
        }
    }

    /**
     * Checks that a file could be written, before work whose result it shall hold. Makes its folder.
     *
     * @param file the file
     * @throws EmtalException if not
     */
    public static void check(Path file) {
        EmtalException.check(!Files.isDirectory(file), "%s is a folder; allowed is a file", file);
        EmtalException.check(!Files.exists(file) || Files.isRegularFile(file),
                "%s is a device or the like; allowed is a file", file);
        Path folder = file.toAbsolutePath().getParent();
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new EmtalException(file + " cannot be written: " + e, e);
        }
        EmtalException.check(Files.isWritable(folder), "%s cannot be written: its folder is read-only", file);
    }

    private static void move(Path from, Path to) throws IOException {
        try {
            Files.move(from, to, StandardCopyOption.ATOMIC_MOVE);
        } catch (AtomicMoveNotSupportedException e) {
            Files.move(from, to, StandardCopyOption.REPLACE_EXISTING);
        }
    }

    private static void delete(Path unfinished) {
        try {
            Files.deleteIfExists(unfinished);
        } catch (IOException e) {
            // The error that left the file behind is the one to tell of.
        }
    }
}

package io.emtal.samples.output;

import io.emtal.onnx.EmtalException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The files of a command: none that it writes may be one that it reads, or another that it writes. */
public final class CommandFiles {
    private final List<Named> read = new ArrayList<>();
    private final List<Named> written = new ArrayList<>();

    /** No file yet. */
    public CommandFiles() {
    }

    private record Named(String name, Path file) {
    }

    /**
     * Adds a file that the command reads.
     *
     * @param name what the user knows it by, such as the option that names it
     * @param file the file
     * @return this
     */
    public CommandFiles reads(String name, Path file) {
        read.add(new Named(name, file));
        return this;
    }

    /**
     * Adds a file that the command writes.
     *
     * @param name what the user knows it by, such as the option that names it
     * @param file the file; an older one is replaced
     * @return this
     */
    public CommandFiles writes(String name, Path file) {
        written.add(new Named(name, file));
        return this;
    }

    /**
     * Checks all files, before work whose result they shall hold. Makes the folders of those that are written.
     *
     * @throws EmtalException if one could not be written, or would replace another
     */
    public void check() {
        List<Named> others = new ArrayList<>(read);
        for (Named output : written) {
            for (Named other : others) {
                EmtalException.check(!same(output.file, other.file), "%s: found %s, which is %s, too; allowed is another"
                        + " file", output.name, output.file, other.name);
            }
            others.add(output);
        }
        written.forEach(output -> WholeFile.check(output.file));
    }

    private static boolean same(Path one, Path other) {
        try {
            return Files.exists(one) && Files.exists(other) ? Files.isSameFile(one, other)
                    : place(one).equals(place(other));
        } catch (IOException e) {
            throw new EmtalException(one + " cannot be read: " + e, e);
        }
    }

    /** Where a file would be: its folder may be there by several names. */
    private static Path place(Path file) throws IOException {
        Path absolute = file.toAbsolutePath();
        Path folder = absolute.getParent();
        return folder != null && Files.exists(folder) ? folder.toRealPath().resolve(absolute.getFileName())
                : absolute.normalize();
    }
}

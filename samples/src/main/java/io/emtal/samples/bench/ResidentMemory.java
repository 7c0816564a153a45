package io.emtal.samples.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalDouble;

/** The memory of this process, where the operating system tells it. */
final class ResidentMemory {
    private static final Path STATUS = Path.of("/proc/self/status");
    private static final String PEAK = "VmHWM:";
    private static final String NOW = "VmRSS:";

    private ResidentMemory() {
    }

    /** The most memory that was resident at a time since the process began, in MB of 2^20 bytes; empty but on Linux. */
    static OptionalDouble peakMegabytes() {
        return megabytes(PEAK);
    }

    /** The memory that is resident now, in MB of 2^20 bytes; empty but on Linux. */
    static OptionalDouble megabytes() {
        return megabytes(NOW);
    }

    private static OptionalDouble megabytes(String entry) {
        if (!Files.isReadable(STATUS)) {
            return OptionalDouble.empty();
        }
        try {
            return Files.readAllLines(STATUS).stream().filter(line -> line.startsWith(entry))
                    .mapToDouble(line -> Long.parseLong(line.replaceAll("\\D", "")) / 1024.0).findFirst();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

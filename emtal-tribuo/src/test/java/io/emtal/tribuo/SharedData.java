package io.emtal.tribuo;

import org.junit.jupiter.api.Assumptions;

import java.nio.file.Files;
import java.nio.file.Path;

/** The shared data folder. Tests that need it are skipped where it is absent. */
public final class SharedData {

    private SharedData() {
    }

    /** A file or folder of the shared data. */
    public static Path path(String relative) {
        Path path = Path.of(System.getProperty("emtal.data", "absent"), relative);
        Assumptions.assumeTrue(Files.exists(path), () -> "no shared data at " + path + " (property emtal.data)");
        return path;
    }
}

package io.emtal.samples.table;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Writes small data sets for tests. */
public final class TableFolder {
    /** Two numbers and a nominal feature, one numeric target, three folds. */
    public static final String FOLDS = """
            {"name": "small", "kind": "regression",
             "files": {"data": "data.csv", "fold_column": "fold", "folds": 3},
             "features": [{"name": "x", "type": "numeric"}, {"name": "y", "type": "numeric"},
                          {"name": "c", "type": "nominal", "values": ["red", "green, dark", "blue"]}],
             "targets": [{"name": "t", "type": "numeric"}]}
            """;

    private final Path folder;

    /** Uses a folder, which it makes if it is absent. */
    public TableFolder(Path folder) {
        this.folder = folder;
        try {
            Files.createDirectories(folder);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Writes a file of the folder as UTF-8. */
    public TableFolder with(String file, String text) {
        return with(file, text.getBytes(StandardCharsets.UTF_8));
    }

    /** Writes a file of the folder. */
    public TableFolder with(String file, byte[] bytes) {
        try {
            Files.write(folder.resolve(file), bytes);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return this;
    }

    /** Where the folder is. */
    public Path path() {
        return folder;
    }

    /** Reads the folder. */
    public Table read() {
        return Table.read(folder);
    }
}

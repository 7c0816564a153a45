package io.emtal.samples.table;

import io.emtal.onnx.EmtalException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/** Finds data sets: folders with a {@value Schema#FILE}. */
public final class TableFolders {
    private static final int DEPTH = 8;

    private TableFolders() {
    }

    /**
     * Finds all data sets of a folder.
     *
     * @param data a folder with data sets at any depth, or one data set
     * @return their folders by the names that their schemas give them, in the order of their paths
     * @throws EmtalException if there is none, a schema cannot be read, or two have the same name
     */
    public static Map<String, Path> under(Path data) {
        EmtalException.check(Files.isDirectory(data), "%s is no folder", data);
        List<Path> schemas;
        try (Stream<Path> files = Files.find(data, DEPTH, (path, attributes) ->
                attributes.isRegularFile() && path.getFileName().toString().equals(Schema.FILE))) {
            schemas = files.sorted(Comparator.naturalOrder()).toList();
        } catch (IOException e) {
            throw new EmtalException(data + " cannot be read: " + e, e);
        }
        EmtalException.check(!schemas.isEmpty(), "%s holds no %s, neither itself nor in a folder below", data,
                Schema.FILE);
        Map<String, Path> folders = new LinkedHashMap<>();
        for (Path schema : schemas) {
            String name = Schema.read(schema).name();
            Path other = folders.put(name, schema.getParent());
            EmtalException.check(other == null, "%s and %s both have the name %s", other, schema.getParent(), name);
        }
        return folders;
    }
}

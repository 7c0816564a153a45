package io.emtal.samples.table;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.table.TableSchema;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/** Reads one {@code schema.json}; every message starts with where it is from. */
final class SchemaReader {
    private static final ObjectMapper JSON = new ObjectMapper();

    private SchemaReader() {
    }

    static Schema read(Path file) {
        try {
            // The columns first: whoever reads them refuses what is no JSON, or no UTF-8.
            TableSchema columns = TableSchema.read(file);
            return schema(file.toString(), columns, JSON.readTree(Files.readAllBytes(file)));
        } catch (IOException e) {
            throw new EmtalException(file + " cannot be read: " + e, e);
        }
    }

    static Schema parse(String origin, String json) {
        TableSchema columns = TableSchema.parse(origin, json);
        try {
            return schema(origin, columns, JSON.readTree(json));
        } catch (JsonProcessingException e) {
            throw new EmtalException(origin + ": " + e.getMessage(), e);
        }
    }

    private static Schema schema(String origin, TableSchema columns, JsonNode root) {
        try {
            String declared = root.has("kind") ? text(root, "kind") : "";
            return new Schema(text(root, "name"), Kind.named(declared).orElseGet(() -> Kind.of(columns.tasks())),
                    layout(root), columns);
        } catch (EmtalException e) {
            throw new EmtalException(origin + ": " + e.getMessage(), e);
        }
    }

    private static Optional<Layout> layout(JsonNode root) {
        JsonNode files = root.path("files");
        JsonNode rows = root.path("rows");
        if (files.isMissingNode()) {
            return Optional.empty();
        }
        if (files.has("data")) {
            return Optional.of(new Layout.Folds(fileName(files, "data"), text(files, "fold_column"),
                    number(files, "folds").orElseThrow(() -> new EmtalException("files.folds is missing")),
                    number(rows, "data")));
        }
        EmtalException.check(files.has("train") && files.has("test"),
                "files names neither train and test nor data with fold_column and folds");
        return Optional.of(new Layout.TrainTest(fileName(files, "train"), fileName(files, "test"),
                number(rows, "train"), number(rows, "test")));
    }

    /** The name of a file in the schema's own folder, so that a schema cannot lead out of it. */
    private static String fileName(JsonNode parent, String member) {
        String name = text(parent, member);
        EmtalException.check(!name.isBlank() && name.chars().noneMatch(c -> c == '/' || c == '\\' || c == 0)
                        && !name.equals(".."),
                "files.%s is %s; allowed is the name of a file in the same folder", member, Quoted.of(name));
        return name;
    }

    private static String text(JsonNode parent, String member) {
        JsonNode value = parent.path(member);
        EmtalException.check(value.isTextual(), "%s is missing or no string", member);
        return value.textValue();
    }

    private static OptionalInt number(JsonNode parent, String member) {
        JsonNode value = parent.path(member);
        if (value.isMissingNode()) {
            return OptionalInt.empty();
        }
        EmtalException.check(value.isInt() && value.intValue() >= 0, "%s is %s; allowed is a whole number",
                member, value);
        return OptionalInt.of(value.intValue());
    }
}

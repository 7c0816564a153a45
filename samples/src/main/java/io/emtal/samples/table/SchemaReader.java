package io.emtal.samples.table;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import io.emtal.onnx.EmtalException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalInt;

/** Reads one {@code schema.json}; every message starts with the file's path. */
final class SchemaReader {
    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private final Path file;

    SchemaReader(Path file) {
        this.file = file;
    }

    Schema read() {
        try {
            // As text, so that a byte order mark and malformed UTF-8 meet the same rules as in the CSV files.
            return parse(Utf8.decode(file, Files.readAllBytes(file)));
        } catch (IOException e) {
            throw new EmtalException(file + " cannot be read: " + e, e);
        }
    }

    Schema parse(String text) {
        JsonNode root = tree(text);
        try {
            EmtalException.check(root.isObject(), "no JSON object");
            List<Column> targets = columns(root, "targets");
            String declared = root.has("kind") ? text(root, "kind") : "";
            return new Schema(text(root, "name"), Kind.named(declared).orElseGet(() -> Kind.of(targets)),
                    layout(root), columns(root, "features"), targets);
        } catch (EmtalException e) {
            throw new EmtalException(file + ": " + e.getMessage(), e);
        }
    }

    private JsonNode tree(String text) {
        try {
            return JSON.readTree(text);
        } catch (JsonProcessingException e) {
            throw new EmtalException(file + " line " + e.getLocation().getLineNr() + ": no valid JSON: "
                    + e.getOriginalMessage().lines().findFirst().orElse(""), e);
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

    private static List<Column> columns(JsonNode root, String member) {
        JsonNode array = root.path(member);
        EmtalException.check(array.isArray(), "%s is missing or no array", member);
        List<Column> columns = new ArrayList<>();
        for (JsonNode entry : array) {
            String where = member + "[" + columns.size() + "]";
            try {
                List<String> values = new ArrayList<>();
                for (JsonNode value : entry.path("values")) {
                    EmtalException.check(value.isTextual(), "a value is %s; allowed are strings", value);
                    values.add(value.textValue());
                }
                columns.add(new Column(text(entry, "name"), type(text(entry, "type")), values));
            } catch (EmtalException e) {
                throw new EmtalException(where + ": " + e.getMessage(), e);
            }
        }
        return columns;
    }

    private static Column.Type type(String word) {
        for (Column.Type type : Column.Type.values()) {
            if (type.name().toLowerCase(Locale.ROOT).equals(word)) {
                return type;
            }
        }
        throw new EmtalException("the type is " + Text.quote(word) + "; allowed are \"numeric\" and \"nominal\"");
    }

    /** The name of a file in the schema's own folder, so that a schema cannot lead out of it. */
    private static String fileName(JsonNode parent, String member) {
        String name = text(parent, member);
        EmtalException.check(!name.isBlank() && name.chars().noneMatch(c -> c == '/' || c == '\\' || c == 0)
                        && !name.equals(".."),
                "files.%s is %s; allowed is the name of a file in the same folder", member, Text.quote(name));
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

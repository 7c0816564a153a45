package io.emtal.tribuo.table;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.logging.Logger;

/** The JSON of a {@link TableSchema}. */
final class SchemaJson {

    private static final Logger LOGGER = Logger.getLogger(SchemaJson.class.getName());

    private static final String CATEGORICAL = "categorical";
    private static final List<String> KINDS = List.of("regression", "multilabel", CATEGORICAL, "mixed");

    private static final JsonMapper JSON = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private SchemaJson() {
    }

    static TableSchema parse(String where, String json) {
        JsonNode root;
        try {
            root = JSON.readTree(json);
        } catch (JsonProcessingException e) {
            throw new EmtalException(where + ", line " + e.getLocation().getLineNr() + ": found no valid JSON: "
                    + e.getOriginalMessage().lines().findFirst().orElse(""), e);
        }
        try {
            EmtalException.check(root.isObject(), "found no JSON object, allowed is one");
            boolean categorical = kind(where, root).equals(CATEGORICAL);
            return new TableSchema(columns(root, "features", false, false),
                    columns(root, "targets", true, categorical), Set.copyOf(texts(root, "missing")));
        } catch (EmtalException e) {
            throw new EmtalException(where + ": " + e.getMessage(), e);
        }
    }

    private static String kind(String where, JsonNode root) {
        if (!root.hasNonNull("kind")) {
            return "";
        }
        JsonNode kind = root.path("kind");
        EmtalException.check(kind.isTextual(), "kind: found %s, allowed is one of the strings %s", kind, KINDS);
        String word = kind.textValue().toLowerCase(Locale.ROOT);
        if (!KINDS.contains(word)) {
            LOGGER.warning(where + ": kind: found " + Quoted.of(kind.textValue()) + ", allowed are " + KINDS
                    + "; it is passed over");
        }
        return word;
    }

    private static List<Column> columns(JsonNode root, String member, boolean tasks, boolean categorical) {
        JsonNode array = root.path(member);
        EmtalException.check(array.isArray(), "%s is missing or no array, allowed is an array of columns", member);
        List<Column> columns = new ArrayList<>();
        for (JsonNode entry : array) {
            try {
                columns.add(column(entry, tasks, categorical));
            } catch (EmtalException e) {
                throw new EmtalException(member + "[" + columns.size() + "]: " + e.getMessage(), e);
            }
        }
        return columns;
    }

    private static Column column(JsonNode entry, boolean task, boolean categorical) {
        String name = text(entry, "name");
        String type = text(entry, "type");
        List<String> values = texts(entry, "values");
        if (type.equals("numeric")) {
            return new Column(name, Column.Type.NUMERIC, values);
        } else if (type.equals("nominal") && task && !categorical && Column.answers(values)
                || type.equals("binary") && task && (values.isEmpty() || Column.answers(values))) {
            return Column.binary(name);
        } else if (type.equals("nominal") || type.equals(CATEGORICAL) && task) {
            return new Column(name, Column.Type.NOMINAL, values);
        }
        throw new EmtalException("found the type " + Quoted.of(type) + " with " + values.size() + " values, allowed are "
                + (task ? "numeric, nominal, categorical, and binary with the values 0 and 1" : "numeric and nominal"));
    }

    /** None where there is no such member. */
    private static List<String> texts(JsonNode parent, String member) {
        JsonNode found = parent.path(member);
        EmtalException.check(found.isArray() || found.isMissingNode() || found.isNull(),
                "%s: found %s, allowed is an array of strings", member, found);
        List<String> texts = new ArrayList<>();
        for (JsonNode text : found) {
            EmtalException.check(text.isTextual(), "%s: found %s, allowed are strings", member, text);
            texts.add(text.textValue());
        }
        return texts;
    }

    private static String text(JsonNode parent, String member) {
        JsonNode value = parent.path(member);
        EmtalException.check(value.isTextual(), "%s is missing or no string", member);
        return value.textValue();
    }

    static String write(TableSchema schema) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        write(schema.features(), root.putArray("features"), "nominal");
        write(schema.tasks(), root.putArray("targets"), CATEGORICAL);
        if (!schema.missing().isEmpty()) {
            schema.missing().forEach(root.putArray("missing")::add);
        }
        return root.toString();
    }

    private static void write(List<Column> columns, ArrayNode array, String nominal) {
        for (Column column : columns) {
            ObjectNode entry = array.addObject().put("name", column.name()).put("type",
                    column.type() == Column.Type.NOMINAL ? nominal : column.type().name().toLowerCase(Locale.ROOT));
            if (column.type() == Column.Type.NOMINAL) {
                ArrayNode values = entry.putArray("values");
                column.values().forEach(values::add);
            }
        }
    }
}

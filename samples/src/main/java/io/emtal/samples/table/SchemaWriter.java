package io.emtal.samples.table;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.util.Locale;
import java.util.OptionalInt;

/** Writes what {@link SchemaReader} reads. */
final class SchemaWriter {
    private static final ObjectMapper JSON = new ObjectMapper();

    private SchemaWriter() {
    }

    static String write(Schema schema) {
        ObjectNode root = JsonNodeFactory.instance.objectNode();
        root.put("name", schema.name()).put("kind", word(schema.kind()));
        schema.layout().ifPresent(layout -> {
            ObjectNode files = root.putObject("files");
            ObjectNode rows = root.putObject("rows");
            if (layout instanceof Layout.TrainTest both) {
                files.put("train", both.train()).put("test", both.test());
                put(rows, "train", both.trainRows());
                put(rows, "test", both.testRows());
            } else if (layout instanceof Layout.Folds folds) {
                files.put("data", folds.data()).put("fold_column", folds.column()).put("folds", folds.folds());
                put(rows, "data", folds.rows());
            }
        });
        try {
            // Behind the name and the files, so that one sees at once what it is.
            root.setAll((ObjectNode) JSON.readTree(schema.columns().toJson()));
        } catch (JsonProcessingException e) {
            throw new AssertionError(e);
        }
        return root.toString();
    }

    private static void put(ObjectNode rows, String member, OptionalInt number) {
        number.ifPresent(n -> rows.put(member, n));
    }

    private static String word(Enum<?> constant) {
        return constant.name().toLowerCase(Locale.ROOT);
    }
}

package io.emtal.samples.table;

import io.emtal.onnx.EmtalException;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;

/**
 * One column of a table.
 *
 * @param name the column's name: not blank, without control characters and without {@code @ = , /}, which separate
 *     names from values in features, labels and reports
 * @param type what the cells hold
 * @param values the values of a nominal column, in the order of the schema; empty for a numeric one
 */
public record Column(String name, Type type, List<String> values) {
    private static final String SEPARATORS = "@=,/";

    /** What the cells of a column hold. */
    public enum Type {
        /** Finite decimal numbers. */
        NUMERIC,
        /** One of a list of values. */
        NOMINAL
    }

    /**
     * Checks the name and the values.
     *
     * @throws EmtalException if the name is not allowed, or the values don't fit the type
     */
    public Column {
        EmtalException.check(!name.isBlank(), "A column has a blank name");
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            EmtalException.check(!Character.isISOControl(c) && SEPARATORS.indexOf(c) < 0,
                    "Column %s: %s is not allowed in a name, nor any of %s or a control character",
                    Text.quote(name), Text.quote(String.valueOf(c)), SEPARATORS);
        }
        values = List.copyOf(values);
        EmtalException.check(values.isEmpty() == (type == Type.NUMERIC),
                "Column %s is %s and has %d values; a nominal column needs some, a numeric one has none",
                Text.quote(name), type.name().toLowerCase(Locale.ROOT), values.size());
        EmtalException.check(new HashSet<>(values).size() == values.size(),
                "Column %s lists a value twice: %s", Text.quote(name), values);
        EmtalException.check(!values.contains(""),
                "Column %s lists the empty value, which stands for a missing cell", Text.quote(name));
    }

    /**
     * A numeric column.
     *
     * @param name the name
     * @return the column
     */
    public static Column numeric(String name) {
        return new Column(name, Type.NUMERIC, List.of());
    }

    /**
     * A nominal column.
     *
     * @param name the name
     * @param values its values
     * @return the column
     */
    public static Column nominal(String name, String... values) {
        return new Column(name, Type.NOMINAL, List.of(values));
    }
}

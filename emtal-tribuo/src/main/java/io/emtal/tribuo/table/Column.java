package io.emtal.tribuo.table;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.multitask.TaskKind;

import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Objects;

/**
 * A column of a table: a feature or a task.
 *
 * @param name any text
 * @param type what the cells hold
 * @param values the values of a nominal column, {@code 0} and {@code 1} of a binary one, none of a numeric one; their
 *     order is the order of the indices that stand for them
 */
public record Column(String name, Type type, List<String> values) {

    private static final List<String> ANSWERS = List.of("0", "1");

    /** What the cells of a column hold. */
    public enum Type {
        /** Decimal numbers in the range of single precision: a numeric feature or a real task. */
        NUMERIC,
        /** One of a list of values: a nominal feature or a categorical task. */
        NOMINAL,
        /** 0 for no, 1 for yes, however the number is written: a binary task. */
        BINARY
    }

    /**
     * Checks the values.
     *
     * @throws EmtalException if they don't fit the type, or one comes twice
     */
    public Column {
        Objects.requireNonNull(name, "name");
        values = List.copyOf(values);
        EmtalException.check(type == Type.NOMINAL ? !values.isEmpty()
                        : values.equals(type == Type.BINARY ? ANSWERS : List.of()),
                "column %s: found the values %s of a %s column, allowed are some for a nominal one, 0 and 1 for a binary"
                        + " one, none for a numeric one", Quoted.of(name), values, type.name().toLowerCase(Locale.ROOT));
        EmtalException.check(new HashSet<>(values).size() == values.size(),
                "column %s: found a value twice among %s, allowed is once", Quoted.of(name), values);
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

    /**
     * A binary column.
     *
     * @param name the name
     * @return the column
     */
    public static Column binary(String name) {
        return new Column(name, Type.BINARY, ANSWERS);
    }

    /** The kind of this column as a task. */
    TaskKind kind() {
        return switch (type) {
            case NUMERIC -> TaskKind.REAL;
            case NOMINAL -> TaskKind.CATEGORICAL;
            case BINARY -> TaskKind.BINARY;
        };
    }

    /**
     * The index of a binary column's value.
     *
     * @param text a cell
     * @return 0 or 1, however the number is written, such as 1.0; -1 for another text
     */
    static int answer(String text) {
        double number = Numbers.parse(text);
        return number == 0 ? 0 : number == 1 ? 1 : -1;
    }

    /** Whether a nominal column's values are those of a binary one. */
    static boolean answers(List<String> values) {
        return values.size() == 2 && values.containsAll(ANSWERS);
    }
}

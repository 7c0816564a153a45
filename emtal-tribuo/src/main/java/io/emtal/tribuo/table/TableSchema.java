package io.emtal.tribuo.table;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * What the columns of a table hold. Features are numeric or nominal; tasks are numeric (real), nominal (categorical) or
 * binary.
 *
 * <p>As JSON a schema is an object with the arrays {@code features} and {@code targets}, which are the tasks, of objects
 * with {@code name}, {@code type} ({@code numeric}, {@code nominal}, and {@code binary} or {@code categorical} for a task)
 * and, for a nominal column, {@code values}. A nominal task with the values 0 and 1 is binary, unless its type is
 * categorical or the member {@code kind} of the object is, which may be {@code regression}, {@code multilabel} or
 * {@code mixed} too; another word there is passed over with a warning. The array {@code missing}, which need not be there,
 * lists what marks a missing cell besides the empty one, such as {@code NA}. Other members are ignored.
 *
 * @param features the features, at least one
 * @param tasks the tasks, at least one
 * @param missing the texts of cells of a file that are missing like empty ones, such as {@code NA}
 */
public record TableSchema(List<Column> features, List<Column> tasks, Set<String> missing) {

    /** What stands between a nominal feature and its value in the names of Tribuo's features. */
    static final char SEPARATOR = '@';

    /**
     * Checks that there are features and tasks, and that no name comes twice.
     *
     * @throws EmtalException if not, if a feature's name is none, or if what marks a missing cell is the value of a column
     */
    public TableSchema {
        missing = Collections.unmodifiableSet(new TreeSet<>(missing));
        features = List.copyOf(features);
        tasks = List.copyOf(tasks);
        EmtalException.check(!features.isEmpty() && !tasks.isEmpty(),
                "schema: found %d features and %d tasks, at least one of each is needed", features.size(), tasks.size());
        Set<String> names = new HashSet<>();
        Stream.concat(features.stream(), tasks.stream()).forEach(column -> EmtalException.check(names.add(column.name()),
                "schema: found two columns %s, allowed is one of a name", Quoted.of(column.name())));
        for (Column feature : features) {
            EmtalException.check(feature.type() != Column.Type.BINARY,
                    "feature %s: found a binary column, allowed are numeric and nominal ones", Quoted.of(feature.name()));
            EmtalException.check(isFeatureName(feature.name()), "feature %s: found an empty name or one with '%s',"
                    + " which separates a feature from its value; rename the column, or ignore it by name instead",
                    Quoted.of(feature.name()), SEPARATOR);
        }
        for (String mark : missing) {
            Stream.concat(features.stream(), tasks.stream()).forEach(column -> EmtalException.check(
                    !column.values().contains(mark), "column %s: found the value %s, which marks missing cells, allowed"
                            + " are others", Quoted.of(column.name()), Quoted.of(mark)));
        }
    }

    /**
     * A schema in which just empty cells are missing.
     *
     * @param features the features, at least one
     * @param tasks the tasks, at least one
     * @throws EmtalException as the other constructor
     */
    public TableSchema(List<Column> features, List<Column> tasks) {
        this(features, tasks, Set.of());
    }

    /** Whether a feature can be called so. */
    static boolean isFeatureName(String name) {
        return !name.isEmpty() && name.indexOf(SEPARATOR) < 0;
    }

    /**
     * This schema without features that are ignored.
     *
     * @param file the table, for messages
     * @param ignored names of columns, which the schema need not have
     */
    TableSchema without(Path file, Collection<String> ignored) {
        List<Column> kept = features.stream().filter(feature -> !ignored.contains(feature.name())).toList();
        EmtalException.check(!kept.isEmpty(), "%s: found all %d features of the schema among the ignored columns %s,"
                + " at least one that is not ignored is needed", file, features.size(),
                ignored.stream().map(Quoted::of).toList());
        return new TableSchema(kept, tasks, missing);
    }

    /** Checks that no task is ignored. */
    void checkTasks(Path file, Collection<String> ignored) {
        tasks.forEach(task -> checkTask(file, task.name(), ignored));
    }

    /** Checks that a task is not ignored. */
    static void checkTask(Path file, String task, Collection<String> ignored) {
        EmtalException.check(!ignored.contains(task), "%s: found the task %s among the columns to be ignored, allowed"
                + " are features and columns that are neither", file, Quoted.of(task));
    }

    /**
     * Starts without columns.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Collects columns. */
    public static final class Builder {

        private final List<Column> features = new ArrayList<>();
        private final List<Column> tasks = new ArrayList<>();
        private final Set<String> missing = new HashSet<>();

        private Builder() {
        }

        /**
         * Adds numeric features.
         *
         * @param names their names
         * @return this builder
         */
        public Builder numeric(String... names) {
            Stream.of(names).map(Column::numeric).forEach(features::add);
            return this;
        }

        /**
         * Adds a nominal feature.
         *
         * @param name its name
         * @param values its values
         * @return this builder
         */
        public Builder nominal(String name, String... values) {
            features.add(Column.nominal(name, values));
            return this;
        }

        /**
         * Adds real tasks.
         *
         * @param names their names
         * @return this builder
         */
        public Builder realTask(String... names) {
            Stream.of(names).map(Column::numeric).forEach(tasks::add);
            return this;
        }

        /**
         * Adds a categorical task.
         *
         * @param name its name
         * @param classes its classes
         * @return this builder
         */
        public Builder categoricalTask(String name, String... classes) {
            tasks.add(Column.nominal(name, classes));
            return this;
        }

        /**
         * Adds binary tasks.
         *
         * @param names their names
         * @return this builder
         */
        public Builder binaryTask(String... names) {
            Stream.of(names).map(Column::binary).forEach(tasks::add);
            return this;
        }

        /**
         * Adds texts that mark a missing cell of a file, as an empty one does.
         *
         * @param marks texts such as {@code NA}
         * @return this builder
         */
        public Builder missing(String... marks) {
            missing.addAll(List.of(marks));
            return this;
        }

        /**
         * Makes the schema.
         *
         * @return the schema
         * @throws EmtalException if there are no features or no tasks, two columns have one name, or what marks a missing
         *     cell is the value of a column
         */
        public TableSchema build() {
            return new TableSchema(features, tasks, missing);
        }
    }

    /**
     * Reads a schema.
     *
     * @param file the JSON file
     * @return the schema
     * @throws EmtalException if the file cannot be read, is no JSON, or does not hold what a schema needs; the message
     *     names the file and the member, or the line
     */
    public static TableSchema read(Path file) {
        return parse(file.toString(), Utf8Reader.text(file));
    }

    /**
     * Reads what {@link #toJson()} wrote.
     *
     * @param where where the text is from, for messages
     * @param json the text
     * @return the schema
     * @throws EmtalException if it is no such text
     */
    public static TableSchema parse(String where, String json) {
        return SchemaJson.parse(where, json);
    }

    /**
     * Infers a schema from the cells of a table, to be looked at: whether a number is a code or a quantity, nobody can
     * infer. A column is numeric if all cells are numbers, a task with just the numbers 0 and 1 is binary, and every
     * other column is nominal, with the values in the order of the alphabet. A warning names the first cell that is no
     * number of a nominal column where all but a few values are numbers, or would be without the blanks around them.
     *
     * @param file the CSV file
     * @param tasks the names of the columns that are tasks
     * @param ignored the names of the columns that are nothing
     * @return the schema
     * @throws EmtalException if the file cannot be read, has no such columns, a column is neither numeric nor has few
     *     enough values to be nominal, a task is ignored, or the name of a feature is empty or has an {@code @}
     */
    public static TableSchema infer(Path file, Collection<String> tasks, Collection<String> ignored) {
        return infer(file, tasks, ignored, Set.of());
    }

    /**
     * Infers a schema from the cells of a table, some of which are missing though they are not empty.
     *
     * @param file the CSV file
     * @param tasks the names of the columns that are tasks
     * @param ignored the names of the columns that are nothing
     * @param missing the texts of missing cells, such as {@code NA}
     * @return the schema
     * @throws EmtalException as {@link #infer(Path, Collection, Collection)}
     */
    public static TableSchema infer(Path file, Collection<String> tasks, Collection<String> ignored,
                                    Set<String> missing) {
        return SchemaInference.infer(file, tasks, ignored, missing);
    }

    /**
     * The schema as JSON.
     *
     * @return one line
     */
    public String toJson() {
        return SchemaJson.write(this);
    }

    /** A line a column. */
    @Override
    public String toString() {
        StringBuilder text = new StringBuilder("TableSchema:");
        features.forEach(column -> append(text, "feature", column));
        tasks.forEach(column -> append(text, "task", column));
        if (!missing.isEmpty()) {
            text.append(String.format(Locale.ROOT, "%n  missing is %s", missing.stream().map(Quoted::of).toList()));
        }
        return text.toString();
    }

    private static void append(StringBuilder text, String role, Column column) {
        text.append(String.format(Locale.ROOT, "%n  %-7s  %-7s  %s", role, column.type().name().toLowerCase(Locale.ROOT),
                Quoted.of(column.name())));
        if (column.type() == Column.Type.NOMINAL) {
            text.append(column.values().stream().map(Quoted::of).toList());
        }
    }
}

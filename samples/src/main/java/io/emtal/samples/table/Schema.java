package io.emtal.samples.table;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.table.Column;
import io.emtal.tribuo.table.TableSchema;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What a data set holds.
 *
 * @param name the data set's name
 * @param kind what its targets are
 * @param layout its files, where the schema names some
 * @param columns the features, and the targets as tasks
 */
public record Schema(String name, Kind kind, Optional<Layout> layout, TableSchema columns) {
    /** The name of the file in a data set's folder. */
    public static final String FILE = "schema.json";

    /**
     * Checks that the targets are of the kind.
     *
     * @throws EmtalException if not
     */
    public Schema {
        EmtalException.check(!name.isBlank() && name.chars().noneMatch(Character::isISOControl),
                "The name of the data set is %s; it must not be blank or hold control characters", Quoted.of(name));
        EmtalException.check(kind.fits(columns.tasks()), "The kind is %s, but the targets are not; they are %s",
                kind.name().toLowerCase(Locale.ROOT), columns.tasks());
    }

    /**
     * A schema whose targets say what kind it is, and that names no files.
     *
     * @param name the data set's name
     * @param columns the features, and the targets as tasks
     * @return the schema
     */
    public static Schema of(String name, TableSchema columns) {
        return new Schema(name, Kind.of(columns.tasks()), Optional.empty(), columns);
    }

    /**
     * The features.
     *
     * @return in the order of the schema
     */
    public List<Column> features() {
        return columns.features();
    }

    /**
     * The targets.
     *
     * @return in the order of the schema
     */
    public List<Column> targets() {
        return columns.tasks();
    }

    /**
     * Reads the schema of a data set.
     *
     * @param file the JSON file; unknown members are ignored
     * @return the schema
     * @throws EmtalException if the file cannot be read, is no JSON, or does not hold what a schema needs; the
     *     message names the file and the member, or the line
     */
    public static Schema read(Path file) {
        return SchemaReader.read(file);
    }

    /**
     * Reads what {@link #toJson()} wrote.
     *
     * @param origin where the text is from, for messages
     * @param json the text
     * @return the schema
     * @throws EmtalException if it is no such text
     */
    public static Schema parse(String origin, String json) {
        return SchemaReader.parse(origin, json);
    }

    /**
     * Writes the schema as it is read from a file.
     *
     * @return JSON, on one line
     */
    public String toJson() {
        return SchemaWriter.write(this);
    }
}

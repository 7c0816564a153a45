package io.emtal.samples.table;

import io.emtal.onnx.EmtalException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What a table holds.
 *
 * @param name the data set's name
 * @param kind what its targets are
 * @param layout its files, where the schema names some
 * @param features the features, in column order
 * @param targets the targets, in column order; in the files they follow the features
 */
public record Schema(String name, Kind kind, Optional<Layout> layout, List<Column> features, List<Column> targets) {
    /** The name of the file in a data set's folder. */
    public static final String FILE = "schema.json";

    /**
     * Checks that there are features and targets, that the targets are of the kind, and that no name comes twice.
     *
     * @throws EmtalException if not
     */
    public Schema {
        features = List.copyOf(features);
        targets = List.copyOf(targets);
        EmtalException.check(!name.isBlank() && name.chars().noneMatch(Character::isISOControl),
                "The name of the data set is %s; it must not be blank or hold control characters", Text.quote(name));
        EmtalException.check(!features.isEmpty(), "No features");
        EmtalException.check(!targets.isEmpty(), "No targets");
        EmtalException.check(kind.fits(targets), "The kind is %s, but the targets are not; they are %s",
                kind.name().toLowerCase(Locale.ROOT), targets);
        Set<String> names = new HashSet<>();
        Stream.concat(features.stream(), targets.stream()).forEach(column ->
                EmtalException.check(names.add(column.name()), "Two columns have the name %s",
                        Text.quote(column.name())));
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
        return new SchemaReader(file).read();
    }

    /**
     * Reads what {@link #toJson()} wrote.
     *
     * @param origin where the text is from, for messages
     * @param json the text
     * @return the schema
     * @throws EmtalException if it is no such text
     */
    public static Schema parse(Path origin, String json) {
        return new SchemaReader(origin).parse(json);
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

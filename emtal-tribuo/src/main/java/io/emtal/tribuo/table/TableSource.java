package io.emtal.tribuo.table;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskFactory;
import org.tribuo.ConfigurableDataSource;
import org.tribuo.Example;
import org.tribuo.OutputFactory;
import org.tribuo.provenance.DataSourceProvenance;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;
import java.util.logging.Logger;
import java.util.stream.IntStream;

/**
 * The rows of a CSV file as examples of several tasks, of any kinds. The schema lies beside the file, as
 * {@value #SCHEMA_FILE}, unless another is given. An empty cell is a missing feature or a missing label.
 *
 * <p>A number is a feature of its column's name; a nominal value is the feature {@code column@value} with the value 1, as
 * Tribuo's field processors write it, so that {@link io.emtal.tribuo.EmtalTrainer} knows a nominal column.
 *
 * <p>The file is read anew by every iterator, row by row, and never as a whole. By default whatever is wrong with it is an
 * error with file, line and column. A task that no row has a label of is not in the domain of what is read; a
 * warning tells of it.
 */
public final class TableSource implements ConfigurableDataSource<MultiTask> {

    /** The name of the file beside a table that holds its schema. */
    public static final String SCHEMA_FILE = "schema.json";

    private static final Logger LOGGER = Logger.getLogger(TableSource.class.getName());

    @Config(mandatory = true, description = "The CSV file.")
    private Path file;

    @Config(description = "The JSON file with the schema; if none is given, schema.json beside the CSV file.")
    private Path schemaFile;

    @Config(description = "The schema itself as JSON; if empty, it is read from its file.")
    private String schemaJson = "";

    @Config(description = "Columns that are passed over, if they are there, even if the schema has them as features.")
    private List<String> ignored = new ArrayList<>();

    @Config(description = "Whether a cell that is not as its column's type says, or a row without features, is an error;"
            + " otherwise the cell is missing, and the row left out or, where tasks are not read, without features; both are"
            + " counted in the log.")
    private boolean strict = true;

    @Config(description = "Whether the tasks are read; otherwise their columns need not be there, and all outputs are the"
            + " unknown one, as for predictions.")
    private boolean labelled = true;

    private TableSchema schema;
    private TableExamples examples;
    private TableSourceProvenance provenance;

    /** For OLCUT and the builder. */
    private TableSource() {
    }

    /**
     * A table with its schema beside it.
     *
     * @param file the CSV file
     * @return the data source
     * @throws EmtalException if the schema is none; what is wrong with the table is found when it is read
     */
    public static TableSource of(Path file) {
        return builder(file).build();
    }

    /**
     * A table with a schema that was built, or inferred.
     *
     * @param file the CSV file
     * @param schema the schema
     * @return the data source
     */
    public static TableSource of(Path file, TableSchema schema) {
        return builder(file).schema(schema).build();
    }

    /**
     * Starts from a table with its schema beside it, all of it read strictly.
     *
     * @param file the CSV file
     * @return a builder
     */
    public static Builder builder(Path file) {
        return new Builder(file);
    }

    /** Sets what differs from a labelled table with its schema beside it. */
    public static final class Builder {

        private final Path file;
        private final List<Consumer<TableSource>> settings = new ArrayList<>();

        private Builder(Path file) {
            this.file = Objects.requireNonNull(file, "file");
        }

        private Builder set(Consumer<TableSource> setting) {
            settings.add(setting);
            return this;
        }

        /**
         * Sets the schema.
         *
         * @param schema a schema that was built, or inferred
         * @return this builder
         */
        public Builder schema(TableSchema schema) {
            return set(made -> made.schemaJson = schema.toJson());
        }

        /**
         * Sets where the schema is.
         *
         * @param schemaFile a JSON file
         * @return this builder
         */
        public Builder schemaFile(Path schemaFile) {
            return set(made -> made.schemaFile = Objects.requireNonNull(schemaFile, "schemaFile"));
        }

        /**
         * Passes over columns, if they are there. What the schema has as features of these names are none then, neither
         * in the rows nor in {@link TableSource#schema()}.
         *
         * @param columns their names, which must not be those of tasks unless these are not looked at
         * @return this builder
         */
        public Builder ignore(String... columns) {
            return set(made -> made.ignored = List.of(columns));
        }

        /**
         * Takes cells that are not as their column's type says as missing, leaves out rows without features, and logs how
         * many there were. Rows to be predicted stay, as examples without features, which no model predicts: those behind
         * them keep their places.
         *
         * @return this builder
         */
        public Builder lenient() {
            return set(made -> made.strict = false);
        }

        /**
         * Does not look at the tasks, whose columns need not be there: for rows to be predicted.
         *
         * @return this builder
         */
        public Builder unlabelled() {
            return set(made -> made.labelled = false);
        }

        /**
         * Makes the source.
         *
         * @return the data source
         * @throws EmtalException if the schema is none, a task is to be passed over, or every feature is
         */
        public TableSource build() {
            TableSource made = new TableSource();
            made.file = file;
            settings.forEach(setting -> setting.accept(made));
            made.prepare();
            return made;
        }
    }

    @Override
    public void postConfig() {
        try {
            prepare();
        } catch (EmtalException e) {
            throw new PropertyException(e, "", "schemaFile", e.getMessage());
        }
    }

    private void prepare() {
        EmtalException.check(schemaJson.isEmpty() || schemaFile == null,
                "%s: found a schema and the file %s of one, allowed is one of the two", file, schemaFile);
        TableSchema whole = schemaJson.isEmpty() ? TableSchema.read(schemaFile != null ? schemaFile
                : file.toAbsolutePath().resolveSibling(SCHEMA_FILE)) : TableSchema.parse("schema of " + file, schemaJson);
        if (labelled) {
            whole.checkTasks(file, ignored);
        }
        schema = whole.without(file, ignored);
        examples = new TableExamples(schema, labelled);
    }

    /**
     * What the columns hold that are read.
     *
     * @return the schema, without features that are ignored
     */
    public TableSchema schema() {
        return schema;
    }

    /** Where the rows come from, for messages. */
    Path file() {
        return file;
    }

    /** Makes examples of the rows. */
    TableExamples examples() {
        return examples;
    }

    /** Opens the file. */
    Rows rows() {
        return new Rows();
    }

    /** {@inheritDoc} The file is closed behind its last row, and where it turns out to be faulty. */
    @Override
    public Iterator<Example<MultiTask>> iterator() {
        Rows rows = rows();
        return new Iterator<>() {

            @Override
            public boolean hasNext() {
                return rows.row != null;
            }

            @Override
            public Example<MultiTask> next() {
                if (rows.row == null) {
                    throw new NoSuchElementException(file + ": found no row behind the last one");
                }
                double[] values = rows.row.values();
                rows.advance();
                return examples.example(values, examples.output(values));
            }
        };
    }

    /** The rows that have a feature, of those to be predicted all. */
    final class Rows implements AutoCloseable {

        private final TableReader reader;
        private final boolean[] withLabel = new boolean[schema.tasks().size()];
        private TableReader.Row row;
        private long withoutFeatures;
        private long read;

        private Rows() {
            TableReader.Options options = TableReader.of(schema).ignore(ignored.toArray(String[]::new));
            if (!strict) {
                options.lenient();
            }
            if (!labelled) {
                options.withoutTasks();
            }
            reader = options.open(file);
            advance();
        }

        /** The row at which the reading is; empty behind the last one. */
        Optional<TableReader.Row> current() {
            return Optional.ofNullable(row);
        }

        /** Goes on to the next of them. */
        void advance() {
            try {
                row = null;
                while (row == null && reader.hasNext()) {
                    TableReader.Row next = reader.next();
                    boolean any = hasFeature(next);
                    EmtalException.check(any || !strict, "%s: found no feature, at least one is needed in a row",
                            next.origin());
                    if (any || !labelled) {
                        row = next;
                        read++;
                        for (int t = 0; t < withLabel.length; t++) {
                            withLabel[t] |= !Double.isNaN(next.task(t));
                        }
                    }
                    withoutFeatures += any ? 0 : 1;
                }
                EmtalException.check(read > 0, "%s: found no row with a feature, at least one is needed", file);
            } catch (RuntimeException e) {
                close();
                throw e;
            }
            if (row == null) {
                close();
                report();
            }
        }

        private boolean hasFeature(TableReader.Row row) {
            return IntStream.range(0, schema.features().size()).anyMatch(i -> !Double.isNaN(row.feature(i)));
        }

        private void report() {
            if (reader.skipped() + withoutFeatures > 0) {
                LOGGER.warning(file + ": took " + reader.skipped() + " cells as missing that are not as their column's type"
                        + " says, and " + (labelled ? "left out " : "found ") + withoutFeatures + " rows without features");
            }
            List<String> unlabelled = IntStream.range(0, labelled ? withLabel.length : 0).filter(t -> !withLabel[t])
                    .mapToObj(t -> Quoted.of(schema.tasks().get(t).name())).toList();
            if (!unlabelled.isEmpty()) {
                LOGGER.warning(file + ": found no value in " + read + " rows for the tasks " + unlabelled
                        + ", which are left out");
            }
        }

        @Override
        public void close() {
            reader.close();
        }
    }

    @Override
    public OutputFactory<MultiTask> getOutputFactory() {
        return new MultiTaskFactory();
    }

    /** {@inheritDoc} Hashes the file when it is called for the first time. */
    @Override
    public synchronized DataSourceProvenance getProvenance() {
        if (provenance == null) {
            provenance = new TableSourceProvenance(this);
        }
        return provenance;
    }

    @Override
    public String toString() {
        return "TableSource(file=" + file + ",features=" + schema.features().size() + ",tasks=" + schema.tasks().size()
                + ")";
    }

    /** The configuration of a table, with a hash over its CSV file and the schema that was read. */
    public static final class TableSourceProvenance extends CsvSourceProvenance {

        private static final long serialVersionUID = 1L;

        /** The key of the schema as JSON. */
        public static final String SCHEMA = "schema";

        private TableSourceProvenance(TableSource host) {
            super(host, host.file, List.of(new StringProvenance(SCHEMA, host.schema.toJson())));
        }

        /**
         * Reads a provenance.
         *
         * @param map what was written
         */
        public TableSourceProvenance(Map<String, Provenance> map) {
            super(map, TableSourceProvenance.class.getSimpleName(), Map.of(SCHEMA, StringProvenance.class));
        }
    }
}

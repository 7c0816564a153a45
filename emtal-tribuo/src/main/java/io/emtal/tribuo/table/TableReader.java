package io.emtal.tribuo.table;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The rows of a CSV file as a schema says, one after the other. The columns may stand in any order; a column that neither
 * the schema has nor the caller expects is an error, and so is a cell that is not as its column's type says. To be closed.
 */
public final class TableReader implements Iterator<TableReader.Row>, AutoCloseable {

    private static final String NUMBERS =
            "allowed are decimal numbers with a point in the range of single precision, such as -1.5e3";

    private final Path file;
    private final CsvReader csv;
    private final List<Cell> cells = new ArrayList<>();
    private final Map<String, Integer> others = new HashMap<>();
    private final Set<String> missing;
    private final boolean strict;
    private final int features;
    private long skipped;

    /**
     * Where the cells of a column of the schema are.
     *
     * @param position in the file, or -1 for a column that is not read
     * @param indices of a nominal column's values
     */
    private record Cell(Column column, int position, Map<String, Integer> indices) {

        private static Cell of(Column column, int position) {
            Map<String, Integer> indices = new HashMap<>();
            column.values().forEach(value -> indices.put(value, indices.size()));
            return new Cell(column, position, indices);
        }
    }

    private TableReader(Path file, CsvReader csv, Options options) {
        this.file = file;
        this.csv = csv;
        this.missing = options.schema.missing();
        this.strict = options.strict;
        this.features = options.schema.features().size();
        options.schema.features().forEach(column -> cells.add(Cell.of(column,
                options.ignored.contains(column.name()) ? -1 : csv.column(column.name()))));
        options.schema.tasks().forEach(column ->
                cells.add(Cell.of(column, options.tasks ? csv.column(column.name()) : -1)));
        options.others.forEach(name -> others.put(name, csv.column(name)));
        checkHeader(options);
        EmtalException.check(csv.hasNext(), "%s: found no rows, at least one is needed", file);
    }

    private void checkHeader(Options options) {
        Set<String> known = new HashSet<>(options.others);
        known.addAll(options.ignored);
        Stream.concat(options.schema.features().stream(), options.schema.tasks().stream())
                .forEach(column -> known.add(column.name()));
        List<String> header = csv.header();
        for (int i = 0; i < header.size(); i++) {
            EmtalException.check(known.contains(header.get(i)), "%s, line 1: found the column %s as number %d, which the"
                    + " schema does not have; a column that is to be ignored must be named", file,
                    Quoted.of(header.get(i)), i + 1);
        }
    }

    /**
     * Starts with what is usual: features and tasks are read, there are no other columns, and every fault is an error.
     *
     * @param schema what the file holds
     * @return options
     */
    public static Options of(TableSchema schema) {
        return new Options(schema);
    }

    /** How a file is read. */
    public static final class Options {

        private final TableSchema schema;
        private final Set<String> others = new HashSet<>();
        private final Set<String> ignored = new HashSet<>();
        private boolean tasks = true;
        private boolean strict = true;

        private Options(TableSchema schema) {
            this.schema = schema;
        }

        /**
         * Expects columns besides the schema's, to be read as text.
         *
         * @param names their names
         * @return these options
         */
        public Options others(String... names) {
            others.addAll(List.of(names));
            return this;
        }

        /**
         * Passes over columns, if they are there. A feature of the schema is missing in every row then.
         *
         * @param names their names, which must not be those of tasks that are read
         * @return these options
         */
        public Options ignore(String... names) {
            ignored.addAll(List.of(names));
            return this;
        }

        /**
         * Passes over the tasks, whose columns need not be there: they are missing in every row.
         *
         * @return these options
         */
        public Options withoutTasks() {
            tasks = false;
            return this;
        }

        /**
         * Takes cells that are not as their column's type says as missing, and counts them.
         *
         * @return these options
         */
        public Options lenient() {
            strict = false;
            return this;
        }

        /**
         * Opens a file.
         *
         * @param file the CSV file
         * @return its rows
         * @throws EmtalException if it cannot be read, lacks a column, has one too many, or has no rows, or if a task
         *     that is read is to be passed over
         */
        public TableReader open(Path file) {
            if (tasks) {
                schema.checkTasks(file, ignored);
            }
            CsvReader csv = CsvReader.open(file);
            try {
                return new TableReader(file, csv, this);
            } catch (RuntimeException e) {
                csv.close();
                throw e;
            }
        }
    }

    /** A row. */
    public final class Row {

        private final CsvReader.Row row;
        private final double[] values;

        private Row(CsvReader.Row row, double[] values) {
            this.row = row;
            this.values = values;
        }

        /**
         * Where it is.
         *
         * @return file and line, for messages
         */
        public String origin() {
            return row.origin();
        }

        /**
         * The cell of a feature.
         *
         * @param feature its position in the schema
         * @return the number, or the index of the nominal value; not-a-number if it is missing
         */
        public double feature(int feature) {
            return values[feature];
        }

        /**
         * The cell of a task.
         *
         * @param task its position in the schema
         * @return the number, the index of the class, or 0 or 1; not-a-number if it is missing
         */
        public double task(int task) {
            return values[features + task];
        }

        /**
         * The cell of a column besides the schema's.
         *
         * @param name a name of {@link Options#others}
         * @return its text
         */
        public String other(String name) {
            return row.cell(others.get(name));
        }

        /** The cells of all features and tasks, in the order of the schema. */
        double[] values() {
            return values;
        }

        /**
         * An error that names a cell of another column.
         *
         * @param name a name of {@link Options#others}
         * @param message what was found and what is allowed
         * @return the exception, to be thrown
         */
        public EmtalException error(String name, String message) {
            return row.error(others.get(name), message);
        }
    }

    /**
     * Whether there is another row.
     *
     * @return true if there is
     */
    @Override
    public boolean hasNext() {
        return csv.hasNext();
    }

    /**
     * The next row.
     *
     * @return a row
     * @throws EmtalException if it is not as the schema says: with file, line and column
     */
    @Override
    public Row next() {
        CsvReader.Row row = csv.next();
        double[] values = new double[cells.size()];
        for (int i = 0; i < values.length; i++) {
            values[i] = value(row, cells.get(i));
        }
        return new Row(row, values);
    }

    /**
     * How many cells so far were taken as missing because they are not as their column's type says.
     *
     * @return 0 unless faults are allowed
     */
    public long skipped() {
        return skipped;
    }

    private double value(CsvReader.Row row, Cell cell) {
        if (cell.position < 0 || row.isEmpty(cell.position)) {
            return Double.NaN;
        }
        String text = row.cell(cell.position);
        if (missing.contains(text)) {
            return Double.NaN;
        }
        if (cell.column.type() == Column.Type.NUMERIC) {
            double value = Numbers.parse(text);
            return Float.isFinite((float) value) || text.isEmpty() ? value : fault(row, cell, text);
        }
        int index = cell.column.type() == Column.Type.BINARY ? Column.answer(text)
                : cell.indices.getOrDefault(text, -1);
        return index >= 0 ? index : text.isEmpty() ? Double.NaN : fault(row, cell, text);
    }

    private double fault(CsvReader.Row row, Cell cell, String text) {
        if (!strict) {
            skipped++;
            return Double.NaN;
        }
        throw row.error(cell.position, "found " + Quoted.of(text) + ", " + (cell.column.type() == Column.Type.NUMERIC
                ? NUMBERS : "allowed are the column's values "
                + cell.column.values().stream().map(Quoted::of).toList()) + ", and the empty cell"
                + missing.stream().map(mark -> " or " + Quoted.of(mark)).collect(Collectors.joining())
                + " for a missing value");
    }

    @Override
    public void close() {
        csv.close();
    }
}

package io.emtal.samples.table;

import io.emtal.onnx.EmtalException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.commons.csv.CSVRecord;

/** Turns the records of CSV files into the cells of a table. */
final class TableReader {
    /** What {@link Double#parseDouble} takes, but for hexadecimal, suffixes, blanks, NaN and Infinity. */
    private static final Pattern NUMBER = Pattern.compile("[+-]?(\\d+\\.?\\d*|\\.\\d+)([eE][+-]?\\d+)?");

    private final Schema schema;
    private final List<Column> columns;
    private final List<Map<String, Integer>> indices = new ArrayList<>();
    private final List<double[]> rows = new ArrayList<>();
    private final List<Integer> parts = new ArrayList<>();
    private final List<String> origins = new ArrayList<>();

    TableReader(Schema schema) {
        this.schema = schema;
        this.columns = Table.columns(schema);
        for (Column column : columns) {
            Map<String, Integer> index = new HashMap<>();
            column.values().forEach(value -> index.put(value, index.size()));
            indices.add(index);
        }
    }

    /** Adds all rows of a file to one part. */
    void add(Path file, int part, OptionalInt expectedRows) {
        CsvFile csv = CsvFile.read(file, columns.stream().map(Column::name).toList());
        checkRows(csv, expectedRows);
        for (int i = 0; i < csv.records().size(); i++) {
            addRow(csv, i, 0, part, columns.size());
        }
    }

    /**
     * Adds all rows of a file that the schema does not name. It may have the schema's column of folds, which is passed
     * over; where the targets are, they are passed over too, and missing in the table, unless they are asked for.
     */
    void addAny(Path file, boolean targets) {
        List<String> all = columns.stream().map(Column::name).toList();
        List<String> features = all.subList(0, schema.features().size());
        Map<List<String>, Integer> firstColumns = new LinkedHashMap<>();
        for (List<String> header : targets ? List.of(all) : List.of(features, all)) {
            firstColumns.put(header, 0);
            if (schema.layout().orElse(null) instanceof Layout.Folds folds) {
                firstColumns.put(Stream.concat(Stream.of(folds.column()), header.stream()).toList(), 1);
            }
        }
        CsvFile csv = CsvFile.readAny(file, List.copyOf(firstColumns.keySet()));
        checkRows(csv, OptionalInt.empty());
        for (int i = 0; i < csv.records().size(); i++) {
            addRow(csv, i, firstColumns.get(csv.header()), 0, (targets ? all : features).size());
        }
    }

    /** Adds the rows of a file whose first column is the fold. */
    void addFolds(Path file, Layout.Folds folds) {
        List<String> header = new ArrayList<>(List.of(folds.column()));
        columns.forEach(column -> header.add(column.name()));
        CsvFile csv = CsvFile.read(file, header);
        checkRows(csv, folds.rows());
        for (int i = 0; i < csv.records().size(); i++) {
            String cell = csv.records().get(i).get(0);
            int fold = cell.matches("\\d{1,6}") ? Integer.parseInt(cell) : -1;
            EmtalException.check(fold >= 0 && fold < folds.folds(),
                    "%s line %d, column %s: %s is no fold; allowed are 0 to %d", file, csv.lines().get(i),
                    Text.quote(folds.column()), Text.quote(cell), folds.folds() - 1);
            addRow(csv, i, 1, fold, columns.size());
        }
    }

    Table table() {
        double[][] cells = new double[columns.size()][rows.size()];
        for (int row = 0; row < rows.size(); row++) {
            for (int column = 0; column < columns.size(); column++) {
                cells[column][row] = rows.get(row)[column];
            }
        }
        return new Table(schema, cells, parts.stream().mapToInt(Integer::intValue).toArray(), origins);
    }

    private static void checkRows(CsvFile csv, OptionalInt expected) {
        int found = csv.records().size();
        EmtalException.check(found > 0, "%s has no rows", csv.file());
        EmtalException.check(expected.isEmpty() || expected.getAsInt() == found, "%s has %d rows; the schema says %d",
                csv.file(), found, expected.orElse(found));
    }

    private void addRow(CsvFile csv, int index, int firstColumn, int part, int count) {
        CSVRecord record = csv.records().get(index);
        String origin = csv.file() + " line " + csv.lines().get(index);
        double[] row = new double[columns.size()];
        for (int column = 0; column < row.length; column++) {
            row[column] = column < count ? cell(record.get(firstColumn + column), column, origin) : Double.NaN;
        }
        rows.add(row);
        parts.add(part);
        origins.add(origin);
    }

    private double cell(String text, int index, String origin) {
        if (text.isEmpty()) {
            return Double.NaN;
        }
        Column column = columns.get(index);
        if (column.type() == Column.Type.NOMINAL) {
            Integer value = indices.get(index).get(text);
            EmtalException.check(value != null, "%s, column %s: %s is none of the column's values; allowed are %s",
                    origin, Text.quote(column.name()), Text.quote(text), column.values());
            return value;
        }
        EmtalException.check(NUMBER.matcher(text).matches(),
                "%s, column %s: %s is no number; allowed are decimal numbers with a point, such as -1.5e3, "
                        + "and the empty cell for a missing value",
                origin, Text.quote(column.name()), Text.quote(text));
        double value = Double.parseDouble(text);
        EmtalException.check(Double.isFinite(value), "%s, column %s: %s is too large for a double", origin,
                Text.quote(column.name()), Text.quote(text));
        return value;
    }
}

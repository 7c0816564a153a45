package io.emtal.samples.table;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.table.TableReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;

/** Collects the rows of CSV files as the cells of a table. */
final class TableFiles {
    private final Schema schema;
    private final int columns;
    private final List<double[]> rows = new ArrayList<>();
    private final List<Integer> parts = new ArrayList<>();
    private final List<String> origins = new ArrayList<>();

    TableFiles(Schema schema) {
        this.schema = schema;
        this.columns = schema.features().size() + schema.targets().size();
    }

    /** Adds all rows of a file to one part. */
    void add(Path file, int part, OptionalInt expectedRows) {
        int before = rows.size();
        try (TableReader reader = TableReader.of(schema.columns()).open(file)) {
            while (reader.hasNext()) {
                addRow(reader.next(), part);
            }
        }
        checkRows(file, rows.size() - before, expectedRows);
    }

    /** Adds the rows of a file with a column that says in which fold they are. */
    void addFolds(Path file, Layout.Folds folds) {
        try (TableReader reader = TableReader.of(schema.columns()).others(folds.column()).open(file)) {
            while (reader.hasNext()) {
                TableReader.Row row = reader.next();
                String cell = row.other(folds.column());
                int fold = cell.matches("\\d{1,6}") ? Integer.parseInt(cell) : -1;
                if (fold < 0 || fold >= folds.folds()) {
                    throw row.error(folds.column(), "found " + Quoted.of(cell) + ", which is no fold; allowed are 0 to "
                            + (folds.folds() - 1));
                }
                addRow(row, fold);
            }
        }
        checkRows(file, rows.size(), folds.rows());
    }

    Table table() {
        double[][] cells = new double[columns][rows.size()];
        for (int row = 0; row < rows.size(); row++) {
            for (int column = 0; column < columns; column++) {
                cells[column][row] = rows.get(row)[column];
            }
        }
        return new Table(schema, cells, parts.stream().mapToInt(Integer::intValue).toArray(), origins);
    }

    private static void checkRows(Path file, int found, OptionalInt expected) {
        EmtalException.check(expected.isEmpty() || expected.getAsInt() == found, "%s has %d rows; the schema says %d",
                file, found, expected.orElse(found));
    }

    private void addRow(TableReader.Row row, int part) {
        double[] cells = new double[columns];
        int features = schema.features().size();
        for (int column = 0; column < columns; column++) {
            cells[column] = column < features ? row.feature(column) : row.task(column - features);
        }
        rows.add(cells);
        parts.add(part);
        origins.add(row.origin());
    }
}

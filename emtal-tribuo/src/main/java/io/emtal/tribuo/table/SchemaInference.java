package io.emtal.tribuo.table;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.logging.Logger;
import java.util.stream.Collectors;

/** Finds the types of the columns of a table, in one pass over its rows. */
final class SchemaInference {

    /** The most values of a nominal column: more than that are rather names or texts. */
    private static final int MOST_VALUES = 1000;

    /** So few texts among more numbers are rather mistakes, or marks for missing values, than names. */
    private static final int FEW_TEXTS = 3;

    private static final Logger LOGGER = Logger.getLogger(SchemaInference.class.getName());

    private final int column;
    private final Set<String> values = new TreeSet<>();
    private boolean many;
    /** The first row whose cell is no number; {@code null} if there is none. */
    private CsvReader.Row text;

    private SchemaInference(int column) {
        this.column = column;
    }

    static TableSchema infer(Path file, Collection<String> tasks, Collection<String> ignored, Set<String> missing) {
        try (CsvReader csv = CsvReader.open(file)) {
            tasks.forEach(csv::column);
            ignored.forEach(csv::column);
            tasks.forEach(task -> TableSchema.checkTask(file, task, ignored));
            Set<String> known = new HashSet<>(ignored);
            List<SchemaInference> columns = new ArrayList<>();
            for (String name : csv.header()) {
                if (!known.contains(name)) {
                    EmtalException.check(tasks.contains(name) || TableSchema.isFeatureName(name),
                            "%s, line 1: found the column %s as number %d, allowed for a feature is a name that is not"
                                    + " empty and has no '%s'; rename the column, or ignore it by name (as the option"
                                    + " --ignore %2$s does)", file, Quoted.of(name), csv.column(name) + 1,
                            TableSchema.SEPARATOR);
                    columns.add(new SchemaInference(csv.column(name)));
                }
            }
            EmtalException.check(csv.hasNext(), "%s: found no rows, at least one is needed", file);
            while (csv.hasNext()) {
                CsvReader.Row row = csv.next();
                columns.forEach(column -> column.observe(row, missing));
            }
            List<Column> features = new ArrayList<>();
            List<Column> targets = new ArrayList<>();
            for (SchemaInference column : columns) {
                String name = csv.header().get(column.column);
                EmtalException.check(!column.values.isEmpty() || column.many,
                        "%s, column %s: found no cell that is not missing, at least one is needed", file, Quoted.of(name));
                (tasks.contains(name) ? targets : features).add(column.infer(name, tasks.contains(name)));
            }
            return new TableSchema(features, targets, missing);
        }
    }

    private void observe(CsvReader.Row row, Set<String> missing) {
        String cell = row.cell(column);
        if (cell.isEmpty() || missing.contains(cell)) {
            return;
        }
        if (text == null && !isNumber(cell)) {
            text = row;
        }
        if (!many) {
            values.add(cell);
            many = values.size() > MOST_VALUES;
        }
        if (many) {
            values.clear();
            if (text != null) {
                throw text.error(column, "found " + Quoted.of(text.cell(column)) + ", which is no number, in a column"
                        + " of more than " + MOST_VALUES + " values, allowed are columns of numbers and of fewer"
                        + " values; others must be ignored by name");
            }
        }
    }

    private Column infer(String name, boolean task) {
        if (task && !many && values.stream().map(Column::answer).collect(Collectors.toSet()).equals(Set.of(0, 1))) {
            return Column.binary(name);
        }
        if (text == null) {
            return Column.numeric(name);
        }
        long numbers = values.stream().filter(value -> isNumber(value.strip().replace(',', '.'))).count();
        if (values.size() - numbers <= Math.min(FEW_TEXTS, numbers - 1)) {
            LOGGER.warning(text.origin() + ", column " + Quoted.of(name) + ": found " + Quoted.of(text.cell(column))
                    + ", which is no number; the column is taken as nominal, though " + numbers + " of its "
                    + values.size() + " values are numbers once blanks around them are left out and a comma is the point"
                    + (numbers < values.size() ? "; what marks a missing cell must be named as such" : ""));
        }
        return new Column(name, Column.Type.NOMINAL, List.copyOf(values));
    }

    private static boolean isNumber(String cell) {
        return Double.isFinite(Numbers.parse(cell));
    }
}

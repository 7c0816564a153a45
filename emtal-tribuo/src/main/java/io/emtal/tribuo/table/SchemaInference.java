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

/** Finds the types of the columns of a table, in one pass over its rows. */
final class SchemaInference {

    /** The most values of a nominal column: more than that are rather names or texts. */
    private static final int MOST_VALUES = 1000;

    private final int column;
    private final Set<String> values = new TreeSet<>();
    private boolean numeric = true;
    private boolean many;

    private SchemaInference(int column) {
        this.column = column;
    }

    static TableSchema infer(Path file, Collection<String> tasks, Collection<String> ignored) {
        try (CsvReader csv = CsvReader.open(file)) {
            tasks.forEach(csv::column);
            ignored.forEach(csv::column);
            Set<String> known = new HashSet<>(ignored);
            List<SchemaInference> columns = new ArrayList<>();
            for (String name : csv.header()) {
                if (!known.contains(name)) {
                    columns.add(new SchemaInference(csv.column(name)));
                }
            }
            while (csv.hasNext()) {
                CsvReader.Row row = csv.next();
                columns.forEach(column -> column.observe(row));
            }
            List<Column> features = new ArrayList<>();
            List<Column> targets = new ArrayList<>();
            for (SchemaInference column : columns) {
                String name = csv.header().get(column.column);
                EmtalException.check(!column.values.isEmpty() || column.many,
                        "%s, column %s: found no cell that is not empty, at least one is needed", file, Quoted.of(name));
                (tasks.contains(name) ? targets : features).add(column.infer(name, tasks.contains(name)));
            }
            return new TableSchema(features, targets);
        }
    }

    private void observe(CsvReader.Row row) {
        String text = row.cell(column);
        if (text.isEmpty()) {
            return;
        }
        numeric &= Double.isFinite(Numbers.parse(text));
        if (!many) {
            values.add(text);
            many = values.size() > MOST_VALUES;
        }
        if (many) {
            values.clear();
            if (!numeric) {
                throw row.error(column, "found " + Quoted.of(text) + " in a column of more than " + MOST_VALUES
                        + " values, allowed are columns of numbers and of fewer values; others must be ignored by name");
            }
        }
    }

    private Column infer(String name, boolean task) {
        if (task && !many && Column.answers(List.copyOf(values))) {
            return Column.binary(name);
        }
        return numeric ? Column.numeric(name) : new Column(name, Column.Type.NOMINAL, List.copyOf(values));
    }
}

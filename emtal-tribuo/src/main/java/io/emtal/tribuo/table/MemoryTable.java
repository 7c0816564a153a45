package io.emtal.tribuo.table;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskFactory;
import org.tribuo.DataSource;
import org.tribuo.Example;
import org.tribuo.OutputFactory;
import org.tribuo.provenance.DataSourceProvenance;
import org.tribuo.provenance.SimpleDataSourceProvenance;

import java.lang.reflect.RecordComponent;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Rows in memory as examples of several tasks, as {@link TableSource} makes them of a file's. A column that a row lacks, and
 * the value {@code null} or an empty {@link Optional}, is missing. A numeric column takes numbers; a nominal one texts,
 * constants of enumerations, whole numbers and Booleans, whose text is the value; a binary one Booleans, 0 and 1.
 */
public final class MemoryTable implements DataSource<MultiTask> {

    private final TableSchema schema;
    private final TableExamples examples;
    private final List<double[]> rows = new ArrayList<>();
    private final DataSourceProvenance provenance;

    private MemoryTable(TableSchema schema, Iterable<? extends Map<String, ?>> table) {
        this.schema = schema;
        examples = new TableExamples(schema, true);
        Map<String, Integer> positions = new LinkedHashMap<>();
        schema.features().forEach(column -> positions.put(column.name(), positions.size()));
        schema.tasks().forEach(column -> positions.put(column.name(), positions.size()));
        table.forEach(row -> rows.add(values(row, positions)));
        EmtalException.check(!rows.isEmpty(), "table in memory: found no rows, at least one is needed");
        provenance = new SimpleDataSourceProvenance("table in memory, " + rows.size() + " rows, schema "
                + schema.toJson(), OffsetDateTime.now(), getOutputFactory());
    }

    /**
     * Rows that are maps from the names of columns to cells.
     *
     * @param schema what they hold
     * @param rows the rows, which are read at once
     * @return the data source
     * @throws EmtalException if there is no row, a row has no feature or a column that the schema lacks, or a cell is not
     *     as its column's type says: with the row, from 0, and the column
     */
    public static MemoryTable ofMaps(TableSchema schema, List<? extends Map<String, ?>> rows) {
        return new MemoryTable(schema, rows);
    }

    /**
     * Rows that are records, whose components are named as the columns.
     *
     * @param schema what they hold
     * @param rows the rows, which are read at once
     * @return the data source
     * @throws EmtalException if there is no row, a row has no feature or a component that the schema lacks, or a cell is
     *     not as its column's type says: with the row, from 0, and the column
     */
    public static MemoryTable ofRecords(TableSchema schema, List<? extends Record> rows) {
        return new MemoryTable(schema, rows.stream().map(MemoryTable::map).toList());
    }

    private static Map<String, Object> map(Record row) {
        Map<String, Object> cells = new LinkedHashMap<>();
        for (RecordComponent component : row.getClass().getRecordComponents()) {
            try {
                component.getAccessor().setAccessible(true);
                cells.put(component.getName(), component.getAccessor().invoke(row));
            } catch (ReflectiveOperationException | RuntimeException e) {
                throw new EmtalException("record " + row.getClass().getName() + ", component " + component.getName()
                        + ": found no value that can be read: " + e, e);
            }
        }
        return cells;
    }

    private double[] values(Map<String, ?> row, Map<String, Integer> positions) {
        String where = "row " + rows.size();
        double[] values = new double[positions.size()];
        boolean any = false;
        for (String name : row.keySet()) {
            EmtalException.check(positions.containsKey(name), "%s: found the column %s, allowed are those of the schema",
                    where, Quoted.of(name));
        }
        for (Map.Entry<String, Integer> position : positions.entrySet()) {
            int i = position.getValue();
            int features = schema.features().size();
            Column column = i < features ? schema.features().get(i) : schema.tasks().get(i - features);
            Object cell = row.get(column.name());
            values[i] = value(where, column, cell instanceof Optional<?> optional ? optional.orElse(null) : cell);
            any |= i < features && !Double.isNaN(values[i]);
        }
        EmtalException.check(any, "%s: found no feature, at least one is needed in a row", where);
        return values;
    }

    private static double value(String where, Column column, Object cell) {
        if (cell == null) {
            return Double.NaN;
        }
        double value = switch (column.type()) {
            case NUMERIC -> cell instanceof Number number ? number.doubleValue() : Double.NaN;
            case BINARY -> cell instanceof Boolean answer ? answer ? 1 : 0 : Column.answer(cell.toString());
            case NOMINAL -> column.values().indexOf(cell instanceof Enum<?> constant ? constant.name() : cell.toString());
        };
        EmtalException.check(Float.isFinite((float) value) && (column.type() == Column.Type.NUMERIC || value >= 0),
                "%s, column %s: found %s of %s, allowed are %s", where, Quoted.of(column.name()),
                Quoted.of(cell.toString()), cell.getClass().getSimpleName(), column.type() == Column.Type.NUMERIC
                        ? "finite numbers in the range of single precision"
                        : column.values().stream().map(Quoted::of).toList());
        return value;
    }

    /**
     * What the columns hold.
     *
     * @return the schema
     */
    public TableSchema schema() {
        return schema;
    }

    @Override
    public Iterator<Example<MultiTask>> iterator() {
        return rows.stream().map(row -> examples.example(row, examples.output(row))).iterator();
    }

    @Override
    public OutputFactory<MultiTask> getOutputFactory() {
        return new MultiTaskFactory();
    }

    @Override
    public DataSourceProvenance getProvenance() {
        return provenance;
    }

    @Override
    public String toString() {
        return "MemoryTable(rows=" + rows.size() + ",features=" + schema.features().size() + ",tasks="
                + schema.tasks().size() + ")";
    }
}

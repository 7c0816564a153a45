package io.emtal.tribuo.table;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.TaskValue;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;
import org.apache.commons.csv.QuoteMode;
import org.tribuo.Example;
import org.tribuo.Feature;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;

/**
 * Writes examples as a CSV file that {@link TableSource} reads with the same schema: text is quoted, numbers are not, and
 * a missing cell is empty. Numbers are written so that the same doubles are read. To be closed.
 */
public final class TableWriter implements AutoCloseable {

    private static final CSVFormat FORMAT = CSVFormat.RFC4180.builder().setRecordSeparator('\n')
            .setQuoteMode(QuoteMode.NON_NUMERIC).get();

    private final Path file;
    private final TableSchema schema;
    private final CSVPrinter printer;
    private final Map<String, Place> features = new HashMap<>();
    private final Map<String, Integer> tasks = new HashMap<>();
    private long rows;

    /** Where a feature goes, and as what; a number as itself. */
    private record Place(int column, String value) {
    }

    private TableWriter(Path file, TableSchema schema, BufferedWriter out) throws IOException {
        this.file = file;
        this.schema = schema;
        printer = new CSVPrinter(out, FORMAT);
        for (int i = 0; i < schema.features().size(); i++) {
            Column column = schema.features().get(i);
            String[] names = TableExamples.names(column);
            for (int j = 0; j < names.length; j++) {
                features.put(names[j], new Place(i, column.values().isEmpty() ? null : column.values().get(j)));
            }
        }
        schema.tasks().forEach(task -> tasks.put(task.name(), schema.features().size() + tasks.size()));
        printer.printRecord(Stream.concat(schema.features().stream(), schema.tasks().stream()).map(Column::name));
    }

    /**
     * Opens a file and writes the names of the columns, features first.
     *
     * @param file the file, which is replaced if it is there
     * @param schema the columns
     * @return the writer
     * @throws EmtalException if the file cannot be written
     */
    public static TableWriter open(Path file, TableSchema schema) {
        try {
            BufferedWriter out = Files.newBufferedWriter(file);
            try {
                return new TableWriter(file, schema, out);
            } catch (IOException | RuntimeException e) {
                out.close();
                throw e;
            }
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    private static EmtalException failed(Path file, IOException e) {
        return new EmtalException(file + ": found no file that can be written: " + e, e);
    }

    /**
     * Writes a row.
     *
     * @param example its features and labels
     * @throws EmtalException if the schema has no such feature, task or class, or the file cannot be written
     */
    public void write(Example<MultiTask> example) {
        rows++;
        Object[] cells = new Object[schema.features().size() + schema.tasks().size()];
        for (Feature feature : example) {
            Place place = features.get(feature.getName());
            EmtalException.check(place != null, "row %d: found the feature %s, which the schema does not have", rows,
                    Quoted.of(feature.getName()));
            EmtalException.check(cells[place.column] == null && (place.value == null
                            ? Double.isFinite(feature.getValue()) : feature.getValue() == 1),
                    "row %d, feature %s: found the value %s or another of its column, allowed is one finite number or"
                            + " one nominal value, which is a feature of the value 1", rows,
                    Quoted.of(feature.getName()), feature.getValue());
            cells[place.column] = place.value == null ? (Object) feature.getValue() : place.value;
        }
        for (TaskValue value : example.getOutput().values()) {
            Integer column = tasks.get(value.task());
            EmtalException.check(column != null, "row %d: found the task %s, which the schema does not have", rows,
                    Quoted.of(value.task()));
            cells[column] = cell(value, schema.tasks().get(column - schema.features().size()));
        }
        try {
            printer.printRecord(cells);
        } catch (IOException e) {
            throw failed(file, e);
        }
    }

    private Object cell(TaskValue value, Column task) {
        boolean known = value.kind() == task.kind() && (!(value instanceof TaskValue.Category category)
                || task.values().contains(category.value()));
        EmtalException.check(known, "row %d, task %s: found %s, allowed are values of %s", rows,
                Quoted.of(task.name()), value, task);
        if (value instanceof TaskValue.Category category) {
            return category.value();
        }
        return value instanceof TaskValue.Binary binary ? (Object) (binary.value() ? 1 : 0) : ((TaskValue.Real) value).value();
    }

    @Override
    public void close() {
        try {
            printer.close();
        } catch (IOException e) {
            throw failed(file, e);
        }
    }
}

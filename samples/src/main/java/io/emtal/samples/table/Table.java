package io.emtal.samples.table;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.tribuo.Example;
import org.tribuo.MutableDataset;
import org.tribuo.Output;
import org.tribuo.provenance.SimpleDataSourceProvenance;

/** The cells of a data set, read once and checked against its schema. */
public final class Table {
    private final Schema schema;
    private final double[][] cells;
    private final int[] part;
    private final List<String> origin;

    /**
     * @param cells [columns][rows], the features and then the targets: the number, or the index of the nominal
     *     value; NaN where the cell is missing
     * @param part [rows], the fold of a row, or 0 for training and 1 for test rows
     * @param origin [rows], the file and line of a row
     */
    Table(Schema schema, double[][] cells, int[] part, List<String> origin) {
        this.schema = schema;
        this.cells = cells;
        this.part = part;
        this.origin = List.copyOf(origin);
    }

    /**
     * Reads a data set.
     *
     * @param folder the folder with {@code schema.json} and the CSV files that it names
     * @return the table
     * @throws EmtalException if a file cannot be read, or a cell, a line or a count is not as the schema says
     */
    public static Table read(Path folder) {
        Path file = folder.resolve(Schema.FILE);
        Schema schema = Schema.read(file);
        Layout layout = schema.layout().orElseThrow(() ->
                new EmtalException(file + ": files is missing; it says which file trains and which tests"));
        TableFiles reader = new TableFiles(schema);
        if (layout instanceof Layout.TrainTest files) {
            reader.add(folder.resolve(files.train()), 0, files.trainRows());
            reader.add(folder.resolve(files.test()), 1, files.testRows());
        } else if (layout instanceof Layout.Folds files) {
            reader.addFolds(folder.resolve(files.data()), files);
        }
        return reader.table();
    }

    /**
     * What the table holds.
     *
     * @return the schema
     */
    public Schema schema() {
        return schema;
    }

    /**
     * The number of rows, training and test rows together.
     *
     * @return the number
     */
    public int rows() {
        return part.length;
    }

    /**
     * A feature of a row.
     *
     * @param column the feature's place in the schema
     * @param row the row
     * @return the number, or the index of the nominal value in the schema; NaN where the cell is missing
     */
    public double feature(int column, int row) {
        return cells[column][row];
    }

    /**
     * A target of a row.
     *
     * @param target the target's place in the schema
     * @param row the row
     * @return the number, or the index of the nominal value in the schema
     * @throws EmtalException if the cell is missing
     */
    public double target(int target, int row) {
        double value = cells[schema.features().size() + target][row];
        EmtalException.check(!Double.isNaN(value), "%s, column %s: the target is missing; every row needs its targets",
                origin.get(row), Quoted.of(schema.targets().get(target).name()));
        return value;
    }

    /**
     * Whether a row has a target.
     *
     * @param target the target's place in the schema
     * @param row the row
     * @return false if its cell is empty
     */
    public boolean hasTarget(int target, int row) {
        return !Double.isNaN(cells[schema.features().size() + target][row]);
    }

    /**
     * Whether every row has all targets.
     *
     * @return false if a cell of a target is empty
     */
    public boolean hasAllTargets() {
        return IntStream.range(0, schema.targets().size()).allMatch(target ->
                IntStream.range(0, rows()).allMatch(row -> hasTarget(target, row)));
    }

    /**
     * Where a row was read.
     *
     * @param row the row
     * @return its file and line, for messages
     */
    public String origin(int row) {
        return origin.get(row);
    }

    /**
     * The splits that the schema asks for.
     *
     * @return the given split, or one split per fold
     * @throws EmtalException if a part has no rows
     */
    public List<Split> splits() {
        List<Split> splits = new ArrayList<>();
        Layout layout = schema.layout().orElseThrow(() -> new EmtalException("The schema names no files"));
        if (layout instanceof Layout.Folds folds) {
            for (int fold = 0; fold < folds.folds(); fold++) {
                int tested = fold;
                splits.add(new Split("fold " + fold, rowsWhere(row -> part[row] != tested),
                        rowsWhere(row -> part[row] == tested)));
            }
        } else {
            splits.add(new Split("test", rowsWhere(row -> part[row] == 0), rowsWhere(row -> part[row] == 1)));
        }
        return splits;
    }

    private int[] rowsWhere(IntPredicate condition) {
        return IntStream.range(0, rows()).filter(condition).toArray();
    }

    /**
     * Makes a Tribuo data set of some rows.
     *
     * @param <T> the output's type
     * @param features how to see the features
     * @param targets how to see the targets
     * @param rows the rows, in the order that the examples shall have
     * @return the data set
     * @throws EmtalException if a target is missing, or a row has no feature
     */
    public <T extends Output<T>> MutableDataset<T> dataset(FeatureView features, TargetView<T> targets, int[] rows) {
        MutableDataset<T> dataset = new MutableDataset<>(
                new SimpleDataSourceProvenance(schema.name(), OffsetDateTime.now(), targets.factory()),
                targets.factory());
        for (int row : rows) {
            Example<T> example = features.example(row, targets.output(row));
            EmtalException.check(example.size() > 0, "%s: all features are missing; a row needs at least one",
                    origin.get(row));
            dataset.add(example);
        }
        return dataset;
    }
}

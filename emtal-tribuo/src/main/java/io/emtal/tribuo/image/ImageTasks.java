package io.emtal.tribuo.image;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.SkeletalConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskFactory;
import io.emtal.tribuo.multitask.TaskValue;
import io.emtal.tribuo.table.Numbers;
import org.tribuo.ConfigurableDataSource;
import org.tribuo.Example;
import org.tribuo.OutputFactory;
import org.tribuo.provenance.ConfiguredDataSourceProvenance;
import org.tribuo.provenance.DataSourceProvenance;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * The images of an {@link ImageTable} with tasks of several kinds: a column is a categorical task unless it is said to
 * be binary, with cells of 0 and 1, or real, with numbers. An empty cell is a missing label.
 */
public final class ImageTasks implements ConfigurableDataSource<MultiTask> {

    @Config(mandatory = true, description = "The images and their cells.")
    private ImageTable table;

    @Config(description = "The tasks whose cells are 0 and 1.")
    private List<String> binaryTasks = new ArrayList<>();

    @Config(description = "The tasks whose cells are numbers.")
    private List<String> realTasks = new ArrayList<>();

    private List<MultiTask> outputs;

    /** For OLCUT and the builder. */
    private ImageTasks() {
    }

    /**
     * Every task of a table as a categorical one.
     *
     * @param table the table
     * @return the data source
     */
    public static ImageTasks of(ImageTable table) {
        return builder(table).build();
    }

    /**
     * Starts from categorical tasks.
     *
     * @param table the table
     * @return a builder
     */
    public static Builder builder(ImageTable table) {
        return new Builder(table);
    }

    /** Sets what is not categorical. */
    public static final class Builder {

        private final ImageTable table;
        private List<String> binaryTasks = List.of();
        private List<String> realTasks = List.of();

        private Builder(ImageTable table) {
            this.table = Objects.requireNonNull(table, "table");
        }

        /**
         * Sets the binary tasks.
         *
         * @param tasks the names of tasks of the table, whose cells are 0 for no and 1 for yes
         * @return this builder
         */
        public Builder binary(String... tasks) {
            binaryTasks = List.of(tasks);
            return this;
        }

        /**
         * Sets the real tasks.
         *
         * @param tasks the names of tasks of the table, whose cells are finite decimal numbers
         * @return this builder
         */
        public Builder real(String... tasks) {
            realTasks = List.of(tasks);
            return this;
        }

        /**
         * Reads the cells.
         *
         * @return the data source
         * @throws EmtalException if the table has no such task, a task is of two kinds, or a cell is none of its
         *     task's: with file, line and task
         */
        public ImageTasks build() {
            ImageTasks made = new ImageTasks();
            made.table = table;
            made.binaryTasks = binaryTasks;
            made.realTasks = realTasks;
            made.read();
            return made;
        }
    }

    @Override
    public void postConfig() {
        try {
            read();
        } catch (EmtalException e) {
            throw new PropertyException(e, "", "table", e.getMessage());
        }
    }

    private void read() {
        for (List<String> tasks : List.of(binaryTasks, realTasks)) {
            tasks.forEach(task -> EmtalException.check(table.tasks().contains(task),
                    "%s: found no task %s, allowed are %s", table, Quoted.of(task), table.tasks()));
        }
        binaryTasks.forEach(task -> EmtalException.check(!realTasks.contains(task),
                "%s, task %s: found it among the binary and the real ones, allowed is one kind", table,
                Quoted.of(task)));
        outputs = table.rows().stream().map(row -> MultiTask.of(row.values().entrySet().stream()
                .map(cell -> value(row, cell.getKey(), cell.getValue())).toList())).toList();
    }

    private TaskValue value(ImageTable.Row row, String task, String cell) {
        if (binaryTasks.contains(task)) {
            if (!cell.equals("0") && !cell.equals("1")) {
                throw table.error(row, task, "found " + Quoted.of(cell) + ", allowed are 0 and 1");
            }
            return new TaskValue.Binary(task, cell.equals("1"), Double.NaN);
        } else if (realTasks.contains(task)) {
            double number = Numbers.parse(cell);
            if (!Double.isFinite(number)) {
                throw table.error(row, task, "found " + Quoted.of(cell) + ", " + Numbers.ALLOWED);
            }
            return new TaskValue.Real(task, number);
        }
        return new TaskValue.Category(task, cell, Double.NaN);
    }

    /**
     * The number of images.
     *
     * @return at least 1
     */
    public int size() {
        return outputs.size();
    }

    @Override
    public Iterator<Example<MultiTask>> iterator() {
        return IntStream.range(0, outputs.size())
                .mapToObj(row -> ImageExample.of(outputs.get(row), table.rows().get(row).image())).iterator();
    }

    @Override
    public OutputFactory<MultiTask> getOutputFactory() {
        return new MultiTaskFactory();
    }

    /** {@inheritDoc} The table's part hashes all images when it is called for the first time. */
    @Override
    public DataSourceProvenance getProvenance() {
        return new ImageTasksProvenance(this);
    }

    @Override
    public String toString() {
        return "ImageTasks(table=" + table + ",binaryTasks=" + binaryTasks + ",realTasks=" + realTasks + ")";
    }

    /** The kinds of the tasks, and the provenance of the table. */
    public static final class ImageTasksProvenance extends SkeletalConfiguredObjectProvenance
            implements ConfiguredDataSourceProvenance {

        private static final long serialVersionUID = 1L;

        private ImageTasksProvenance(ImageTasks host) {
            super(host, "DataSource");
        }

        /**
         * Reads a provenance.
         *
         * @param map what was written
         */
        public ImageTasksProvenance(Map<String, Provenance> map) {
            super(extract(map));
        }

        private static ExtractedInfo extract(Map<String, Provenance> map) {
            Map<String, Provenance> configured = new HashMap<>(map);
            String type = ImageTasksProvenance.class.getSimpleName();
            String className = ObjectProvenance.checkAndExtractProvenance(configured, CLASS_NAME,
                    StringProvenance.class, type).getValue();
            String hostName = ObjectProvenance.checkAndExtractProvenance(configured, HOST_SHORT_NAME,
                    StringProvenance.class, type).getValue();
            return new ExtractedInfo(className, hostName, configured, Map.of());
        }
    }
}

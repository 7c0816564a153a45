package io.emtal.tribuo.image;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import com.oracle.labs.mlrg.olcut.provenance.primitives.HashProvenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.IntProvenance;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.table.CsvReader;
import io.emtal.tribuo.table.CsvSourceProvenance;
import org.tribuo.ConfigurableDataSource;
import org.tribuo.Example;
import org.tribuo.OutputFactory;
import org.tribuo.classification.Label;
import org.tribuo.datasource.AggregateConfigurableDataSource;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.MultiLabelFactory;
import org.tribuo.provenance.DataSourceProvenance;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.security.DigestInputStream;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.logging.Logger;

/**
 * Images and their labels, named by a CSV file: a column {@value #PATH} with files below the CSV file's folder, and a
 * column of classes for every task. An empty cell is a missing label.
 *
 * <p>The cell {@code cat} of the column {@code animal} is the label {@code animal=cat}, so that
 * {@link io.emtal.tribuo.output.MultiLabelTasks#separatedBy separatedBy("=")} makes one categorical task a column, with
 * missing labels; columns of 0 and 1 too. (By default every class is a task of its own, and a missing label counts as
 * "no".) A comma of a class, which no label of Tribuo's may have, is written as
 * {@code %2C}, and then a percent sign as {@code %25}. Without further notice every column is a task but
 * {@value #PATH}, the column of the filter and {@value #SPLIT}, which usually says what is trained on.
 * {@link ImageTasks} makes {@link io.emtal.tribuo.multitask.MultiTask} outputs of the same table, with binary and real
 * tasks among them.
 *
 * <p>The table is read and checked at once, images are read when they are needed, as {@link ImageExample} says; for
 * provenance all of them are read once and hashed.
 */
public final class ImageTable implements ConfigurableDataSource<MultiLabel> {

    /** The column of the images' files. */
    public static final String PATH = "path";

    /** The column that is no task unless it is asked for. */
    public static final String SPLIT = "split";

    /** What stands between task and class in a label. */
    public static final String SEPARATOR = "=";

    /** As many values of a column are shown in a message. */
    private static final int SHOWN_VALUES = 10;

    private static final Logger LOGGER = Logger.getLogger(ImageTable.class.getName());

    @Config(mandatory = true, description = "The CSV file.")
    private Path file;

    @Config(description = "The columns that are tasks; if empty, all but the path, the filter and the split.")
    private List<String> labels = new ArrayList<>();

    @Config(description = "A name to put before every task, with a full stop between; none if empty.")
    private String name = "";

    @Config(description = "The column by which rows are chosen; all rows if empty.")
    private String filterColumn = "";

    @Config(description = "What a row must have in the column of the filter.")
    private String filterValue = "";

    private List<Row> rows;
    private Map<String, Map<String, Label>> classes;
    private ImageTableProvenance provenance;

    /**
     * An image.
     *
     * @param line the line of the table
     * @param path relative to the folder
     * @param image the file
     * @param values the cells of its tasks that are not empty
     */
    record Row(long line, String path, Path image, Map<String, String> values) {
    }

    /** For OLCUT and the builder. */
    private ImageTable() {
    }

    /**
     * All rows of a table, with a task a column.
     *
     * @param file the CSV file
     * @return the data source
     * @throws EmtalException if the file is not as it must be: with file, line and column
     */
    public static ImageTable of(Path file) {
        return builder(file).build();
    }

    /**
     * Starts from all rows and columns.
     *
     * @param file the CSV file
     * @return a builder
     */
    public static Builder builder(Path file) {
        return new Builder(file);
    }

    /**
     * Several tables as one data source, each image labelled for the tasks of its own table only. Its provenance
     * cannot be looked up as a configuration: Tribuo's {@link AggregateConfigurableDataSource} lacks a constructor
     * without arguments, which OLCUT needs.
     *
     * @param tables the tables, without a task in common; {@link Builder#name} keeps columns of one name apart
     * @return all their images, table by table
     * @throws EmtalException if two have a task of the same name, or there is no table
     */
    public static ConfigurableDataSource<MultiLabel> union(List<ImageTable> tables) {
        EmtalException.check(!tables.isEmpty(), "image tables: found none, at least one is needed");
        Map<String, ImageTable> tableOf = new HashMap<>();
        for (ImageTable table : tables) {
            for (String task : table.classes.keySet()) {
                ImageTable other = tableOf.put(task, table);
                EmtalException.check(other == null, "task '%s': found in %s and %s, allowed is one table a task; give a"
                        + " table a name, which is put before its tasks", task, other == null ? "" : other.file,
                        table.file);
            }
        }
        return new AggregateConfigurableDataSource<>(List.copyOf(tables));
    }

    /** Sets what differs from all rows and columns. */
    public static final class Builder {

        private final Path file;
        private final List<Consumer<ImageTable>> settings = new ArrayList<>();

        private Builder(Path file) {
            this.file = Objects.requireNonNull(file, "file");
        }

        private Builder set(Consumer<ImageTable> setting) {
            settings.add(setting);
            return this;
        }

        /**
         * Sets the columns that are tasks.
         *
         * @param columns their names
         * @return this builder
         */
        public Builder labels(String... columns) {
            return set(made -> made.labels = List.of(columns));
        }

        /**
         * Takes only the rows with a value in a column.
         *
         * @param column the column, which is no task unless it is asked for
         * @param value what its cell must be
         * @return this builder
         * @throws EmtalException if the column's name is blank
         */
        public Builder filter(String column, String value) {
            EmtalException.check(!column.isBlank(), "filter: found a blank column, allowed is the name of one");
            return set(made -> {
                made.filterColumn = column;
                made.filterValue = Objects.requireNonNull(value, "value");
            });
        }

        /**
         * Puts a name before every task, so that several tables may have columns of one name.
         *
         * @param name the name, {@code emoji} for instance for the task {@code emoji.category}
         * @return this builder
         */
        public Builder name(String name) {
            return set(made -> made.name = Objects.requireNonNull(name, "name"));
        }

        /**
         * Reads the table.
         *
         * @return the data source
         * @throws EmtalException if the file is not as it must be: with file, line and column
         */
        public ImageTable build() {
            ImageTable made = new ImageTable();
            made.file = file;
            settings.forEach(setting -> setting.accept(made));
            made.read();
            return made;
        }
    }

    @Override
    public void postConfig() {
        try {
            read();
        } catch (EmtalException e) {
            throw new PropertyException(e, "", "file", e.getMessage());
        }
    }

    private void read() {
        EmtalException.check(!filterColumn.isEmpty() || filterValue.isEmpty(),
                "%s: found the filter's value '%s' without a column, allowed are both or none", file, filterValue);
        ImageExample.checkFileSystem(file);
        try (CsvReader table = CsvReader.open(file)) {
            read(table);
        }
    }

    private void read(CsvReader table) {
        int path = table.column(PATH);
        int filter = filterColumn.isEmpty() ? -1 : table.column(filterColumn);
        Map<String, Integer> columns = tasks(table);
        Path folder = realPath(file.toAbsolutePath().getParent())
                .orElseThrow(() -> new EmtalException(file + ": found no folder of it"));
        rows = new ArrayList<>();
        classes = new LinkedHashMap<>();
        columns.keySet().forEach(task -> classes.put(task, new HashMap<>()));
        Set<String> filterValues = new TreeSet<>();
        while (table.hasNext()) {
            CsvReader.Row row = table.next();
            if (filter >= 0 && !row.cell(filter).equals(filterValue)) {
                filterValues.add(row.cell(filter));
                continue;
            }
            Map<String, String> values = new LinkedHashMap<>();
            columns.forEach((task, column) -> {
                String value = row.cell(column);
                if (!value.isEmpty()) {
                    check(row, column, value);
                    classes.get(task).computeIfAbsent(value, v -> new Label(label(task, v)));
                    values.put(task, value);
                }
            });
            rows.add(new Row(row.line(), row.cell(path), image(row, path, folder), values));
        }
        EmtalException.check(!rows.isEmpty(), "%s: found no row%s, at least one is needed", file, filter < 0 ? ""
                : " with '" + filterValue + "' in the column '" + filterColumn + "' but " + some(filterValues));
        classes.forEach(this::warnIfConstant);
    }

    private static String some(Set<String> values) {
        List<String> shown = values.stream().limit(SHOWN_VALUES).toList();
        return shown + (shown.size() < values.size() ? " and " + (values.size() - shown.size()) + " more" : "");
    }

    private void warnIfConstant(String task, Map<String, Label> values) {
        if (values.size() < 2) {
            LOGGER.warning(file + ": the task '" + task + "' has " + (values.isEmpty() ? "no label at all"
                    : "no other class than '" + values.keySet().iterator().next() + "'") + " in the chosen rows, so"
                    + " that it cannot be trained as a task of several classes.");
        }
    }

    /** The columns of the tasks, by the tasks' names. */
    private Map<String, Integer> tasks(CsvReader table) {
        List<String> chosen = labels;
        if (chosen.isEmpty()) {
            Set<String> others = new HashSet<>(List.of(PATH, SPLIT));
            if (!filterColumn.isEmpty()) {
                others.add(filterColumn);
            }
            chosen = table.header().stream().filter(c -> !others.contains(c)).toList();
            EmtalException.check(!chosen.isEmpty(), "%s, line 1: found the columns %s, of which none is a task", file,
                    table.header());
        }
        Map<String, Integer> columns = new LinkedHashMap<>();
        for (String column : chosen) {
            String task = name.isEmpty() ? column : name + "." + column;
            int position = table.column(column);
            EmtalException.check(!column.isBlank() && !task.contains(SEPARATOR) && !task.contains(",")
                            && task.chars().noneMatch(Character::isISOControl),
                    "%s, line 1: found %s as the name of a task in column %d, allowed are names that are not blank, without"
                            + " '%s', ',' and control characters", file, Quoted.of(task), position + 1, SEPARATOR);
            EmtalException.check(columns.put(task, position) == null,
                    "%s: found the column '%s' twice among the labels, allowed is once", file, column);
        }
        return columns;
    }

    private static void check(CsvReader.Row row, int column, String value) {
        if (!value.equals(value.strip()) || value.chars().anyMatch(Character::isISOControl)) {
            throw row.error(column, "found '" + value + "', allowed are classes without line ends, control"
                    + " characters and blanks around them; an empty cell is a missing label");
        }
    }

    private static String label(String task, String value) {
        return task + SEPARATOR + value.replace("%", "%25").replace(",", "%2C");
    }

    private static Path image(CsvReader.Row row, int column, Path folder) {
        String cell = row.cell(column);
        Path relative;
        try {
            relative = Path.of(cell);
        } catch (InvalidPathException e) {
            throw row.error(column, "found '" + cell + "', allowed is the path of a file: " + e.getMessage());
        }
        Path image = folder.resolve(relative).normalize();
        if (cell.isBlank() || relative.isAbsolute() || !image.startsWith(folder) || image.equals(folder)) {
            throw row.error(column, "found '" + cell + "', allowed are relative paths of files below " + folder);
        }
        Path real = realPath(image).filter(Files::isRegularFile)
                .orElseThrow(() -> row.error(column, "found '" + cell + "', but no such file below " + folder));
        if (!real.startsWith(folder)) {
            throw row.error(column, "found '" + cell + "', a link to " + real + ", allowed are files below "
                    + folder);
        }
        return image;
    }

    private static Optional<Path> realPath(Path path) {
        try {
            return Optional.of(path.toRealPath());
        } catch (IOException e) {
            return Optional.empty();
        }
    }

    /**
     * The names of the tasks.
     *
     * @return in the order of the columns
     */
    public Set<String> tasks() {
        return new LinkedHashSet<>(classes.keySet());
    }

    /**
     * The number of images.
     *
     * @return at least 1
     */
    public int size() {
        return rows.size();
    }

    @Override
    public Iterator<Example<MultiLabel>> iterator() {
        return rows.stream().map(row -> ImageExample.of(labels(row), row.image())).iterator();
    }

    private MultiLabel labels(Row row) {
        Set<Label> labels = new LinkedHashSet<>();
        row.values().forEach((task, value) -> labels.add(classes.get(task).get(value)));
        return new MultiLabel(labels);
    }

    /** The images in the order of the table. */
    List<Row> rows() {
        return rows;
    }

    /** An error that names a cell of a task. */
    EmtalException error(Row row, String task, String message) {
        return new EmtalException(file + ", line " + row.line() + ", task " + Quoted.of(task) + ": " + message);
    }

    @Override
    public OutputFactory<MultiLabel> getOutputFactory() {
        return new MultiLabelFactory();
    }

    /** {@inheritDoc} Reads and hashes all images when it is called for the first time. */
    @Override
    public synchronized DataSourceProvenance getProvenance() {
        if (provenance == null) {
            provenance = new ImageTableProvenance(this);
        }
        return provenance;
    }

    /** SHA-256 over paths and contents of the images, each once, in the order of the table. */
    private String hashOfImages() {
        MessageDigest all = ProvenanceUtil.HashType.SHA256.getDigest();
        Set<Path> seen = new HashSet<>();
        for (Row row : rows) {
            if (seen.add(row.image())) {
                all.update(row.path().getBytes(StandardCharsets.UTF_8));
                all.update((byte) 0);
                all.update(hash(row.image()));
            }
        }
        return HexFormat.of().withUpperCase().formatHex(all.digest());
    }

    private static byte[] hash(Path file) {
        MessageDigest digest = ProvenanceUtil.HashType.SHA256.getDigest();
        try (InputStream in = new DigestInputStream(Files.newInputStream(file), digest)) {
            in.transferTo(OutputStream.nullOutputStream());
        } catch (IOException e) {
            throw new EmtalException(file + ": found no file that can be read: " + e, e);
        }
        return digest.digest();
    }

    @Override
    public String toString() {
        return "ImageTable(file=" + file + ",labels=" + labels + ",name='" + name + "',filter='" + filterColumn + "="
                + filterValue + "')";
    }

    /** The configuration of a table, with hashes over its CSV file and its images. */
    public static final class ImageTableProvenance extends CsvSourceProvenance {

        private static final long serialVersionUID = 1L;

        /** The key of the hash over paths and contents of the images. */
        public static final String IMAGES_HASH = "images-hash";

        /** The key of the number of images. */
        public static final String IMAGES = "images";

        private ImageTableProvenance(ImageTable host) {
            super(host, host.file, List.of(
                    new HashProvenance(ProvenanceUtil.HashType.SHA256, IMAGES_HASH, host.hashOfImages()),
                    new IntProvenance(IMAGES, host.size())));
        }

        /**
         * Reads a provenance.
         *
         * @param map what was written
         */
        public ImageTableProvenance(Map<String, Provenance> map) {
            super(map, ImageTableProvenance.class.getSimpleName(),
                    Map.of(IMAGES_HASH, HashProvenance.class, IMAGES, IntProvenance.class));
        }
    }
}

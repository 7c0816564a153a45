package io.emtal.tribuo.table;

import com.oracle.labs.mlrg.olcut.provenance.ListProvenance;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.PackedRows;
import io.emtal.tribuo.input.FeatureEncoder;
import io.emtal.tribuo.input.RoundingCheck;
import io.emtal.tribuo.input.RowDataset;
import io.emtal.tribuo.multitask.ImmutableMultiTaskInfo;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MutableMultiTaskInfo;
import io.emtal.tribuo.output.EncodedOutputs;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.ImmutableFeatureMap;
import org.tribuo.protos.core.DatasetProto;
import org.tribuo.provenance.DatasetProvenance;
import org.tribuo.transform.TransformationMap;
import org.tribuo.transform.TransformerMap;
import org.tribuo.util.Util;

import java.io.ObjectOutputStream;
import java.lang.ref.Cleaner;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.IntStream;

/**
 * A table as a data set that is larger than the heap: the file is read once, its rows are packed into a temporary file
 * (system property {@code java.io.tmpdir}) that is mapped into memory, and examples are made of them on demand. A row
 * takes 4 bytes a feature and 8 a task, whatever the number of values of nominal features. On the heap are the domain and,
 * while {@link io.emtal.tribuo.EmtalTrainer} trains on it, the labels, 4 bytes a row and task (12 while they are read), and
 * some bytes a row for their order.
 *
 * <p>Features are rounded to single precision, which is what a network reads. What is trained on it is bit by bit what is
 * trained on a {@link org.tribuo.MutableDataset} of the same source.
 *
 * <p>To be closed, which deletes the file; a data set that is forgotten is closed when it is collected. It cannot be
 * transformed or serialised.
 */
public final class TableDataset extends Dataset<MultiTask> implements RowDataset, AutoCloseable {

    private static final long serialVersionUID = 1L;

    private static final Cleaner CLEANER = Cleaner.create();

    /** How much of the file is mapped at a time. */
    private static final int PIECE = 1 << 28;

    private final transient TableSchema schema;
    private final transient TableExamples examples;
    private final transient PackedRows rows;
    private final transient ImmutableFeatureMap features;
    private final transient ImmutableMultiTaskInfo outputs;
    private final transient FeatureEncoder encoder;
    private final transient Cleaner.Cleanable cleanable;
    private transient volatile boolean closed;

    private TableDataset(TableSource source, PackedRows rows, List<ColumnStatistics> columns,
                         ImmutableMultiTaskInfo outputs) {
        super(source);
        this.rows = rows;
        this.outputs = outputs;
        cleanable = CLEANER.register(this, rows::close);
        schema = source.schema();
        examples = source.examples();
        features = new ImmutableFeatureMap(columns.stream().flatMap(column -> column.features().stream()).toList());
        Set<String> nominal = new HashSet<>();
        schema.features().stream().filter(column -> column.type() == Column.Type.NOMINAL)
                .forEach(column -> nominal.add(column.name()));
        encoder = FeatureEncoder.of(features, nominal);
    }

    /**
     * Reads and packs a table.
     *
     * @param source the table
     * @return the data set, to be closed
     * @throws EmtalException if the table is not as its schema says, with file, line and column, or the temporary file
     *     cannot be written
     */
    public static TableDataset of(TableSource source) {
        TableExamples examples = source.examples();
        int featureCount = source.schema().features().size();
        int rowBytes = featureCount * Float.BYTES + source.schema().tasks().size() * Double.BYTES;
        List<ColumnStatistics> columns = source.schema().features().stream().map(ColumnStatistics::new).toList();
        RoundingCheck rounding = new RoundingCheck(featureCount);
        MutableMultiTaskInfo outputs = (MutableMultiTaskInfo) source.getOutputFactory().generateInfo();
        try (TableSource.Rows table = source.rows();
             PackedRows.Writer writer = PackedRows.fileWriter(source.file().toString(), rowBytes, PIECE)) {
            for (Optional<TableReader.Row> row = table.current(); row.isPresent(); row = table.current()) {
                double[] values = row.get().values();
                ByteBuffer packed = writer.next();
                for (int i = 0; i < values.length; i++) {
                    if (i < featureCount) {
                        float value = (float) values[i];
                        columns.get(i).observe(value);
                        rounding.observe(i, values[i]);
                        packed.putFloat(value);
                    } else {
                        packed.putDouble(values[i]);
                    }
                }
                outputs.observe(examples.output(values));
                table.advance();
            }
            rounding.warn(i -> source.schema().features().get(i).name());
            PackedRows rows = writer.finish();
            try {
                return new TableDataset(source, rows, columns, outputs.generateImmutableOutputInfo());
            } catch (RuntimeException e) {
                rows.close();
                throw e;
            }
        }
    }

    /**
     * What the columns hold.
     *
     * @return the schema
     */
    public TableSchema schema() {
        return schema;
    }

    private double[] values(int row) {
        EmtalException.check(!closed, "%s: found a use after it was closed", this);
        int featureCount = schema.features().size();
        double[] values = new double[featureCount + schema.tasks().size()];
        float[] packed = new float[featureCount];
        rows.floats(row, 0, featureCount, FloatBuffer.wrap(packed));
        for (int i = 0; i < values.length; i++) {
            values[i] = i < featureCount ? packed[i]
                    : rows.getDouble(row, featureCount * Float.BYTES + (i - featureCount) * Double.BYTES);
        }
        return values;
    }

    /**
     * Makes an example.
     *
     * @throws IllegalArgumentException if there is none of that index
     * @throws EmtalException if this data set is closed
     */
    @Override
    public Example<MultiTask> getExample(int index) {
        if (index < 0 || index >= size()) {
            throw new IllegalArgumentException(this + ": found the index " + index + ", allowed are 0 to " + (size() - 1));
        }
        double[] values = values(index);
        return examples.example(values, examples.output(values));
    }

    @Override
    public int size() {
        return rows.size();
    }

    /** {@inheritDoc} Each is made when the list is asked for it. */
    @Override
    public List<Example<MultiTask>> getData() {
        return new AbstractList<>() {

            @Override
            public Example<MultiTask> get(int index) {
                return getExample(index);
            }

            @Override
            public int size() {
                return TableDataset.this.size();
            }
        };
    }

    @Override
    public synchronized Iterator<Example<MultiTask>> iterator() {
        int[] order = indices;
        return order == null ? getData().iterator() : IntStream.of(order).mapToObj(this::getExample).iterator();
    }

    @Override
    public synchronized void shuffle(boolean shuffle) {
        indices = shuffle ? Util.randperm(size(), rng) : null;
    }

    @Override
    public Set<MultiTask> getOutputs() {
        return outputs.getDomain();
    }

    @Override
    public ImmutableMultiTaskInfo getOutputIDInfo() {
        return outputs;
    }

    @Override
    public ImmutableMultiTaskInfo getOutputInfo() {
        return outputs;
    }

    @Override
    public ImmutableFeatureMap getFeatureIDMap() {
        return features;
    }

    @Override
    public ImmutableFeatureMap getFeatureMap() {
        return features;
    }

    @Override
    public FeatureEncoder encoder() {
        return encoder;
    }

    @Override
    public Examples rows(EncodedOutputs labels) {
        return new TableRows(schema, rows, features, encoder.layout(), labels);
    }

    @Override
    public DatasetProvenance getProvenance() {
        return new DatasetProvenance(sourceProvenance, new ListProvenance<>(new ArrayList<>()), this);
    }

    /**
     * Not supported: a transformer learns from examples that lie in memory.
     *
     * @throws UnsupportedOperationException always
     */
    @Override
    public TransformerMap createTransformers(TransformationMap transformations, boolean includeImplicitZeroFeatures) {
        throw new UnsupportedOperationException(this + ": found transformations, allowed is none; EmtalTrainer scales"
                + " features itself");
    }

    /**
     * Not supported: the table is its own serialised form.
     *
     * @throws UnsupportedOperationException always
     */
    @Override
    public DatasetProto serialize() {
        throw new UnsupportedOperationException(this + ": found a serialisation, allowed is none; keep the table");
    }

    private void writeObject(ObjectOutputStream stream) {
        throw new UnsupportedOperationException(this + ": found a serialisation, allowed is none; keep the table");
    }

    @Override
    public String toString() {
        return "TableDataset(source=" + Quoted.of(String.valueOf(sourceProvenance)) + ",size=" + rows.size() + ")";
    }

    /** Deletes the file. Rows and examples must not be asked for from then on. */
    @Override
    public void close() {
        closed = true;
        cleanable.clean();
    }
}

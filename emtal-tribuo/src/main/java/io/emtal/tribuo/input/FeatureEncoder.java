package io.emtal.tribuo.input;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.tribuo.output.EncodedOutputs;
import io.emtal.tribuo.protos.EmtalModelProto;
import io.emtal.tribuo.protos.FeatureColumnProto;
import io.emtal.tribuo.protos.FeatureEncoderProto;
import org.tribuo.Example;
import org.tribuo.Feature;
import org.tribuo.ImmutableFeatureMap;
import org.tribuo.Output;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Writes the features of an example as a row: in the order of their ids, a number each, not-a-number where the example
 * lacks the feature. Features that no training example has are left out; others than the training's are ignored, as
 * Tribuo does.
 *
 * <p>Features that are called {@code column@value} as Tribuo's field processors do, with one column, make up a nominal
 * column if in the training examples none has another value than 1 and no example has two of them. An example that has
 * one gets zero for the others.
 *
 * <p>Thread-safe.
 */
public final class FeatureEncoder implements InputEncoder {

    /** What stands between a nominal column's name and its value in Tribuo's names of features. */
    private static final char COLUMN_END = '@';

    private final ImmutableFeatureMap features;
    private final FeatureLayout layout;
    private final int[] positions;
    private final int[] nominalFirst;
    private final int[] nominalEnd;

    private FeatureEncoder(ImmutableFeatureMap features, FeatureLayout layout, int[] positions) {
        this.features = features;
        this.layout = layout;
        this.positions = positions;
        this.nominalFirst = new int[layout.width()];
        this.nominalEnd = new int[layout.width()];
        for (FeatureColumn column : layout.columns()) {
            if (column.kind() == FeatureColumn.Kind.NOMINAL) {
                int end = column.first() + column.width();
                Arrays.fill(nominalFirst, column.first(), end, column.first());
                Arrays.fill(nominalEnd, column.first(), end, end);
            }
        }
    }

    /**
     * Finds the columns of training examples.
     *
     * @param features the features and their ids
     * @param training the training examples
     * @param <T> the type of output
     * @return the encoder
     * @throws EmtalException if the examples have no feature at all
     */
    public static <T extends Output<T>> FeatureEncoder of(ImmutableFeatureMap features, List<Example<T>> training) {
        Groups groups = Groups.of(features);
        boolean[] seen = new boolean[features.size()];
        boolean[] numeric = new boolean[groups.count];
        RoundingCheck rounding = new RoundingCheck(features.size());
        int[] lastRow = new int[groups.count];
        Arrays.fill(lastRow, -1);
        for (int row = 0; row < training.size(); row++) {
            for (Feature feature : training.get(row)) {
                int id = features.getID(feature.getName());
                if (id < 0) {
                    continue;
                }
                double value = feature.getValue();
                rounding.observe(id, value);
                seen[id] = true;
                int group = groups.of[id];
                numeric[group] |= groups.prefixes[id] == null || value != 1 || lastRow[group] == row;
                lastRow[group] = row;
            }
        }
        rounding.warn(id -> features.get(id).getName());
        return of(features, groups, seen, numeric);
    }

    /**
     * Takes all features as the columns of a table whose nominal columns are known.
     *
     * @param features the features and their ids, each of which a training example has
     * @param nominal the names of the nominal columns, whose features have no other value than 1, at most one an example
     * @return the encoder
     * @throws EmtalException if there is no feature
     */
    public static FeatureEncoder of(ImmutableFeatureMap features, Set<String> nominal) {
        Groups groups = Groups.of(features);
        boolean[] seen = new boolean[features.size()];
        Arrays.fill(seen, true);
        boolean[] numeric = new boolean[groups.count];
        for (int id = 0; id < features.size(); id++) {
            numeric[groups.of[id]] = !nominal.contains(groups.prefixes[id]);
        }
        return of(features, groups, seen, numeric);
    }

    /**
     * Features whose names begin alike, which may be the values of a nominal column.
     *
     * @param prefixes the column's name by feature, {@code null} for a name without a value
     * @param of the group of each feature
     * @param count how many groups there are
     */
    private record Groups(String[] prefixes, int[] of, int count) {

        private static Groups of(ImmutableFeatureMap features) {
            String[] prefixes = new String[features.size()];
            int[] of = new int[features.size()];
            int count = 0;
            // Ids follow the order of the names, so that names with one prefix have adjacent ids.
            for (int id = 0; id < of.length; id++) {
                String name = features.get(id).getName();
                int end = name.indexOf(COLUMN_END);
                prefixes[id] = end < 0 ? null : name.substring(0, end);
                boolean joins = id > 0 && prefixes[id] != null && prefixes[id].equals(prefixes[id - 1]);
                of[id] = joins ? of[id - 1] : count++;
            }
            return new Groups(prefixes, of, count);
        }
    }

    private static FeatureEncoder of(ImmutableFeatureMap features, Groups groups, boolean[] seen, boolean[] numeric) {
        int[] positions = new int[features.size()];
        List<FeatureColumn> columns = new ArrayList<>();
        int width = 0;
        for (int id = 0; id < positions.length; ) {
            int group = groups.of[id];
            boolean nominal = !numeric[group];
            int first = width;
            String name = nominal ? groups.prefixes[id] : features.get(id).getName();
            boolean any = false;
            do {
                any |= seen[id];
                positions[id] = seen[id] ? width++ : -1;
                id++;
            } while (nominal && id < positions.length && groups.of[id] == group);
            if (any) {
                columns.add(new FeatureColumn(name, nominal ? FeatureColumn.Kind.NOMINAL : FeatureColumn.Kind.NUMERIC,
                        first, width - first));
            }
        }
        EmtalException.check(width > 0, "examples: found no feature in any of them, at least one is needed");
        return new FeatureEncoder(features, new FeatureLayout(columns), positions);
    }

    /**
     * Reads an encoder.
     *
     * @param features the features and their ids
     * @param proto what {@link #serialize} wrote
     * @return the encoder
     * @throws EmtalException if the two do not belong together
     */
    public static FeatureEncoder of(ImmutableFeatureMap features, FeatureEncoderProto proto) {
        List<FeatureColumn> columns = new ArrayList<>();
        int width = 0;
        for (FeatureColumnProto column : proto.getColumnList()) {
            FeatureColumn.Kind kind = column.getNominal() ? FeatureColumn.Kind.NOMINAL : FeatureColumn.Kind.NUMERIC;
            columns.add(new FeatureColumn(column.getName(), kind, width, column.getWidth()));
            width += column.getWidth();
        }
        int[] positions = proto.getPositionList().stream().mapToInt(Integer::intValue).toArray();
        EmtalException.check(positions.length == features.size(),
                "feature columns: found positions of %d features, allowed are those of %d", positions.length,
                features.size());
        Set<Integer> taken = new HashSet<>();
        for (int position : positions) {
            EmtalException.check(position == -1 || position >= 0 && position < width && taken.add(position),
                    "feature columns: found position %d, allowed are -1 and each of 0 to %d once", position, width - 1);
        }
        EmtalException.check(taken.size() == width, "feature columns: found %d positions, allowed are %d", taken.size(),
                width);
        return new FeatureEncoder(features, new FeatureLayout(columns), positions);
    }

    @Override
    public void serialize(EmtalModelProto.Builder model) {
        FeatureEncoderProto.Builder proto = model.getFeaturesBuilder();
        for (FeatureColumn column : layout.columns()) {
            proto.addColumn(FeatureColumnProto.newBuilder().setName(column.name())
                    .setNominal(column.kind() == FeatureColumn.Kind.NOMINAL).setWidth(column.width()));
        }
        for (int position : positions) {
            proto.addPosition(position);
        }
    }

    @Override
    public FeatureLayout layout() {
        return layout;
    }

    @Override
    public Optional<int[]> featureIds() {
        int[] ids = new int[layout.width()];
        for (int id = 0; id < positions.length; id++) {
            if (positions[id] >= 0) {
                ids[positions[id]] = id;
            }
        }
        return Optional.of(ids);
    }

    /** Packs the rows outside the heap. */
    @Override
    public <T extends Output<T>> Examples rows(List<Example<T>> training, EncodedOutputs outputs) {
        return PackedExamples.pack(training.size(), layout.width(), outputs.tasks().size(), (row, inputs, labels) -> {
            encode("row " + row, training.get(row), inputs, 0);
            outputs.labels(row, labels);
        });
    }

    /**
     * {@inheritDoc}
     *
     * @throws EmtalException if a feature is not-a-number or does not fit a single-precision number, or there is none
     *     that the training examples had
     */
    @Override
    public int encode(String where, Example<?> example, float[] row, int offset) {
        Arrays.fill(row, offset, offset + layout.width(), Float.NaN);
        int used = 0;
        for (Feature feature : example) {
            int id = features.getID(feature.getName());
            int position = id < 0 ? -1 : positions[id];
            if (position < 0) {
                continue;
            }
            float value = (float) feature.getValue();
            if (!Float.isFinite(value)) {
                throw new EmtalException(where + ", feature '" + feature.getName() + "': found " + feature.getValue()
                        + ", allowed is a finite single-precision number; leave a missing feature out");
            }
            if (nominalEnd[position] > 0 && Float.isNaN(row[offset + position])) {
                for (int i = nominalFirst[position]; i < nominalEnd[position]; i++) {
                    row[offset + i] = Float.isNaN(row[offset + i]) ? 0 : row[offset + i];
                }
            }
            // Features that share an id, as hashed ones may, are added up, as Tribuo does.
            row[offset + position] = Float.isNaN(row[offset + position]) ? value : row[offset + position] + value;
            used++;
        }
        if (used == 0) {
            throw new EmtalException(where + ": found no feature of the training among its " + example.size()
                    + ", at least one is needed");
        }
        return used;
    }
}

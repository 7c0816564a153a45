package io.emtal.samples.table;

import io.emtal.tribuo.table.Column;
import java.util.ArrayList;
import java.util.List;
import org.tribuo.Example;
import org.tribuo.Feature;
import org.tribuo.Output;
import org.tribuo.impl.ArrayExample;

/**
 * The features as they are in the file: a number under its column's name, a nominal value as the feature
 * {@code name@value} with the value 1, as Tribuo's {@code IdentityProcessor} writes it. A missing cell has no feature.
 */
public final class NaturalFeatures implements FeatureView {
    private final Table table;
    private final List<List<String>> names;

    /**
     * Constructs the view.
     *
     * @param table the table
     */
    public NaturalFeatures(Table table) {
        this.table = table;
        this.names = table.schema().features().stream().map(NaturalFeatures::names).toList();
    }

    /** The features of one column: its name, or one for each of its values. */
    static List<String> names(Column column) {
        return column.type() == Column.Type.NUMERIC ? List.of(column.name())
                : column.values().stream().map(value -> column.name() + "@" + value).toList();
    }

    @Override
    public <T extends Output<T>> Example<T> example(int row, T output) {
        List<Feature> features = new ArrayList<>();
        for (int column = 0; column < names.size(); column++) {
            double value = table.feature(column, row);
            if (Double.isNaN(value)) {
                continue;
            }
            features.add(table.schema().features().get(column).type() == Column.Type.NUMERIC
                    ? new Feature(names.get(column).get(0), value)
                    : new Feature(names.get(column).get((int) value), 1));
        }
        return new ArrayExample<>(output, features);
    }
}

package io.emtal.tribuo.table;

import org.tribuo.CategoricalInfo;
import org.tribuo.RealInfo;
import org.tribuo.VariableInfo;

import java.util.List;
import java.util.stream.IntStream;

/**
 * What Tribuo's feature map says of the features that a column gives, observed cell by cell. As there, zeros are neither
 * counted nor part of the statistics.
 */
final class ColumnStatistics {

    private final Column column;
    /** By nominal value; one for a number. */
    private final int[] counts;
    private final boolean[] seen;
    private double min = Double.POSITIVE_INFINITY;
    private double max = Double.NEGATIVE_INFINITY;
    private double mean;
    private double squares;

    ColumnStatistics(Column column) {
        this.column = column;
        counts = new int[Math.max(1, column.values().size())];
        seen = new boolean[counts.length];
    }

    /**
     * Counts a cell.
     *
     * @param value the number, or the index of a nominal value; not-a-number if it is missing, which is not counted
     */
    void observe(float value) {
        if (Float.isNaN(value)) {
            return;
        }
        boolean nominal = column.type() == Column.Type.NOMINAL;
        int index = nominal ? (int) value : 0;
        seen[index] = true;
        counts[index] += nominal || value != 0 ? 1 : 0;
        if (nominal || value == 0) {
            return;
        }
        min = Math.min(min, value);
        max = Math.max(max, value);
        // Welford's recurrence, as RealInfo uses it.
        double difference = value - mean;
        mean += difference / counts[0];
        squares += difference * (value - mean);
    }

    /** The features that were seen. */
    List<VariableInfo> features() {
        String[] names = TableExamples.names(column);
        return IntStream.range(0, counts.length).filter(i -> seen[i]).mapToObj(i -> feature(names[i], counts[i]))
                .toList();
    }

    private VariableInfo feature(String name, int count) {
        if (column.type() == Column.Type.NOMINAL) {
            return new RealInfo(name, count, 1, 1, 1, 0);
        }
        // A RealInfo needs a least and a greatest value; Tribuo's feature map has this one where all values are zero.
        return count == 0 ? new CategoricalInfo(name) : new RealInfo(name, count, max, min, mean, squares);
    }
}

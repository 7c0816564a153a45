package io.emtal.onnx.backbone;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Rows of a table as {@link FeatureEncoding} gives them.
 *
 * @param numbers the M encoded numbers of each row
 * @param columns which of the M belong to each column
 */
record EncodedRows(double[][] numbers, List<int[]> columns) {

    /** The encoded numbers of some rows. */
    double[][] numbers(int[] rows) {
        return Arrays.stream(rows).mapToObj(row -> numbers[row]).toArray(double[][]::new);
    }

    /**
     * The same rows without some of their numbers.
     *
     * @param kept for each column which of its numbers stay
     */
    EncodedRows keeping(List<int[]> kept) {
        int[] all = kept.stream().flatMapToInt(Arrays::stream).toArray();
        List<int[]> positions = new ArrayList<>();
        int first = 0;
        for (int[] column : kept) {
            positions.add(IntStream.range(first, first + column.length).toArray());
            first += column.length;
        }
        return new EncodedRows(Arrays.stream(numbers).map(row -> Arrays.stream(all).mapToDouble(j -> row[j]).toArray())
                .toArray(double[][]::new), positions);
    }

    /** The same rows with each number multiplied by its weight. */
    EncodedRows weighted(float[] weights) {
        return new EncodedRows(Arrays.stream(numbers).map(row -> {
            double[] weighted = new double[row.length];
            for (int j = 0; j < weighted.length; j++) {
                weighted[j] = weights[j] * row[j];
            }
            return weighted;
        }).toArray(double[][]::new), columns);
    }
}

package io.emtal.onnx.backbone;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Rows of a table as {@link FeatureEncoding} gives them.
 *
 * @param numbers for each of the M encoded numbers one a row
 * @param columns which of the M belong to each column
 */
record EncodedRows(double[][] numbers, List<int[]> columns) {

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
        return new EncodedRows(Arrays.stream(all).mapToObj(j -> numbers[j]).toArray(double[][]::new), positions);
    }

    /** The same rows with each number multiplied by its weight. */
    EncodedRows weighted(float[] weights) {
        double[][] weighted = new double[weights.length][numbers[0].length];
        for (int j = 0; j < weights.length; j++) {
            for (int i = 0; i < weighted[j].length; i++) {
                weighted[j][i] = weights[j] * numbers[j][i];
            }
        }
        return new EncodedRows(weighted, columns);
    }
}

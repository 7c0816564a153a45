package io.emtal.onnx.backbone;

import ai.onnxruntime.OrtException;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.GraphSession;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.task.OneTask;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class FeatureEncodingTest {

    private static final int ROWS = 50;
    private static final int BINS = 4;
    private static final FeatureLayout LAYOUT = new FeatureLayout(List.of(
            new FeatureColumn("a", FeatureColumn.Kind.NUMERIC, 0, 1)));

    private static float[][] encoded(float[] column) throws OrtException {
        return encoded(column, NumberEncoding.ofValue(BINS));
    }

    private static float[][] encoded(float[] column, NumberEncoding numbers) throws OrtException {
        return encoded(column, column, numbers);
    }

    /** Of one column with the statistics of another. */
    private static float[][] encoded(float[] column, float[] known, NumberEncoding numbers) throws OrtException {
        GraphBuilder graph = new GraphBuilder();
        Value input = graph.input("input", ElementType.FLOAT, Shape.BATCH, 1);
        try (PackedExamples rows = PackedExamples.pack(ROWS, 1, 1, (row, inputs, labels) -> {
            inputs[0] = known[row];
            labels[0] = row % 2;
        })) {
            graph.output("encoded", FeatureEncoding.write(graph, input, LAYOUT, rows, Optional.of(OneTask.LAYOUT), numbers)
                    .values());
        }
        try (GraphSession session = new GraphSession(graph.build())) {
            float[] all = session.run(Map.of("input", Tensor.of(column, ROWS, 1))).get("encoded").floats();
            int width = all.length / ROWS;
            float[][] encoded = new float[ROWS][];
            Arrays.setAll(encoded, row -> Arrays.copyOfRange(all, row * width, (row + 1) * width));
            return encoded;
        }
    }

    /** The unit of a column does not matter, down to where single precision has no inverse of its deviation. */
    @ParameterizedTest
    @ValueSource(doubles = {1e-8, 1e-20, 1e-36, 1e8, 1e30})
    void everyScaleGivesTheSame(double scale) throws OrtException {
        long seed = 3;
        SplittableRandom random = new SplittableRandom(seed);
        float[] column = new float[ROWS];
        float[] scaled = new float[ROWS];
        for (int row = 0; row < ROWS; row++) {
            column[row] = (float) random.nextDouble(-2, 3);
            scaled[row] = (float) (scale * column[row]);
        }
        float[][] expected = encoded(column);
        float[][] found = encoded(scaled);
        for (int row = 0; row < ROWS; row++) {
            assertArrayEquals(expected[row], found[row], 1e-4f, "seed " + seed + ", row " + row);
        }
    }

    @Test
    void withoutItsValueANumberIsInItsBins() throws OrtException {
        float[] column = new float[ROWS];
        for (int row = 0; row < ROWS; row++) {
            column[row] = row == 0 ? Float.NaN : row;
        }
        float[][] both = encoded(column);
        float[][] bins = encoded(column, new NumberEncoding(false, BINS));
        for (int row = 0; row < ROWS; row++) {
            assertEquals(BINS + 2, both[row].length);
            assertArrayEquals(Arrays.copyOfRange(both[row], 1, BINS + 2), bins[row]);
        }
    }

    /** Where training rows miss the number, too, they tell what that means. */
    @Test
    void whatWasNeverMissingIsTheMeanWhereItIs() throws OrtException {
        float[] known = new float[ROWS];
        float[] mean = new float[ROWS];
        float[] missing = new float[ROWS];
        for (int row = 0; row < ROWS; row++) {
            known[row] = row;
            mean[row] = (ROWS - 1) / 2f;
            missing[row] = Float.NaN;
        }
        for (NumberEncoding numbers : List.of(NumberEncoding.ofValue(BINS), new NumberEncoding(false, BINS))) {
            float[] expected = encoded(mean, known, numbers)[0];
            float[] found = encoded(missing, known, numbers)[0];
            assertEquals(1, found[found.length - 1]);
            assertArrayEquals(Arrays.copyOf(expected, expected.length - 1), Arrays.copyOf(found, found.length - 1));
            assertTrue(found[found.length - 2 - BINS / 2] > 0, Arrays.toString(found));
        }
        known[0] = Float.NaN;
        assertArrayEquals(new float[] {0, 0, 0, 0, 1}, encoded(missing, known, new NumberEncoding(false, BINS))[0]);
    }

    @Test
    void theLargestNumbersAreFinite() throws OrtException {
        float[] known = new float[ROWS];
        float[] column = new float[ROWS];
        for (int row = 0; row < ROWS; row++) {
            known[row] = row * 1e-6f;
            column[row] = row % 2 == 0 ? Float.MAX_VALUE : -Float.MAX_VALUE;
        }
        float[][] encoded = encoded(column, known, NumberEncoding.ofValue(BINS));
        assertArrayEquals(new float[] {1e6f, 1, 1, 1, 1, 0}, encoded[0]);
        assertArrayEquals(new float[] {-1e6f, 0, 0, 0, 0, 0}, encoded[1]);
    }

    @Test
    void aNumberThatDoesNotEnterIsRefused() {
        EmtalException e = assertThrows(EmtalException.class, () -> new NumberEncoding(false, 0));
        assertEquals("number: found 0 bins without its value, allowed are 0 and more with it and 1 and more without",
                e.getMessage());
    }

    /** Values so close that no slope between them is finite count as one. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 40})
    void neighboursWithoutASlopeAreOne(int values) throws OrtException {
        float[] column = new float[ROWS];
        for (int row = 0; row < ROWS; row++) {
            column[row] = row % values * Float.MIN_VALUE;
        }
        for (float[] row : encoded(column)) {
            assertEquals(BINS + 2, row.length);
            for (float number : row) {
                assertTrue(Math.abs(number) < 1e-5, Arrays.toString(row));
            }
        }
    }

    /** Large values that differ by single precision's last step only, of which the mean may not be one. */
    @ParameterizedTest
    @ValueSource(ints = {2, 3, -2, -3})
    void neighboursInSinglePrecisionAreStandardised(int values) throws OrtException {
        float first = Math.copySign(1.7e12f, values);
        float[] column = new float[ROWS];
        for (int row = 0; row < ROWS; row++) {
            column[row] = row % 7 == 6 ? Float.NaN : first + row % values * Math.ulp(first);
        }
        float[][] encoded = encoded(column);
        for (int row = 0; row < ROWS; row++) {
            float standard = encoded[row][0];
            if (Float.isNaN(column[row])) {
                assertArrayEquals(new float[] {0, 0, 0, 0, 0, 1}, encoded[row], Float.MIN_VALUE);
            } else {
                assertTrue(Math.abs(standard) < 4, Arrays.toString(encoded[row]));
                assertEquals(row % values == 0, standard == encoded[0][0], Arrays.toString(encoded[row]));
            }
        }
    }

    @ParameterizedTest
    @ValueSource(floats = {0, 7, 0.1f, -1e-12f, 3e30f})
    void constantColumnsAreZero(float value) throws OrtException {
        float[] column = new float[ROWS];
        Arrays.fill(column, value);
        for (float[] row : encoded(column)) {
            assertArrayEquals(new float[BINS + 2], row, Float.MIN_VALUE, Arrays.toString(row));
        }
    }
}

package io.emtal.onnx.backbone;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.OneTask;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class BinEdgesTest {

    private static final TaskLayout MIXED = new TaskLayout(List.<Task>of(new RealTask("r", 0, 1, 1),
            new BinaryTask("b"), new CategoricalTask("c", 4)));

    private static float[] edges(float[] column, TaskLayout tasks, float[][] labels, int bins) {
        float[] sorted = sorted(column);
        try (Examples rows = PackedExamples.pack(column.length, 1, tasks.size(), (row, inputs, targets) ->
                System.arraycopy(labels[row], 0, targets, 0, targets.length))) {
            return BinEdges.ofLabels(sorted, column, rows, tasks, bins);
        }
    }

    private static float[] sorted(float[] column) {
        float[] sorted = column.clone();
        Arrays.sort(sorted);
        int known = sorted.length;
        while (Float.isNaN(sorted[known - 1])) {
            known--;
        }
        return Arrays.copyOf(sorted, known);
    }

    /** The best single cut of a few rows, tried one by one. */
    private static float bestCut(float[] column, float[] labels) {
        float[] sorted = sorted(column);
        double best = Double.POSITIVE_INFINITY;
        float at = Float.NaN;
        for (int i = 2; i < sorted.length - 3; i++) {
            float cut = (float) (((double) sorted[i] + sorted[i + 1]) / 2);
            double left = scatter(column, labels, Float.NEGATIVE_INFINITY, cut) + scatter(column, labels, cut,
                    Float.POSITIVE_INFINITY);
            if (left < best - 1e-9) {
                best = left;
                at = cut;
            }
        }
        return at;
    }

    private static double scatter(float[] column, float[] labels, float from, float to) {
        double sum = 0;
        double squares = 0;
        int count = 0;
        for (int i = 0; i < column.length; i++) {
            if (column[i] >= from && column[i] < to && !Float.isNaN(labels[i])) {
                sum += labels[i];
                squares += labels[i] * labels[i];
                count++;
            }
        }
        return count == 0 ? 0 : squares - sum * sum / count;
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8})
    void edgesIncreaseFromTheLeastValueToTheGreatest(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int count = random.nextInt(2, 2000);
        int kinds = random.nextInt(2, 600);
        float[] column = new float[count];
        float[][] labels = new float[count][];
        for (int i = 0; i < count; i++) {
            column[i] = i > 1 && random.nextInt(4) == 0 ? Float.NaN : (i < 2 ? i : random.nextInt(kinds)) * 0.1f;
            labels[i] = new float[] {random.nextInt(3) == 0 ? Float.NaN : (float) random.nextGaussian(),
                random.nextInt(2), random.nextInt(5) == 0 ? Float.NaN : random.nextInt(4)};
        }
        float[] sorted = sorted(column);
        for (int bins : new int[] {1, 2, 8, 40}) {
            float[] edges = edges(column, MIXED, labels, bins);
            String where = "seed " + seed + ", " + bins + " bins: " + Arrays.toString(edges);
            assertTrue(edges.length >= 2 && edges.length <= bins + 1, where);
            assertEquals(sorted[0], edges[0], where);
            assertEquals(sorted[sorted.length - 1], edges[edges.length - 1], where);
            for (int i = 1; i < edges.length; i++) {
                assertTrue(edges[i] > edges[i - 1], where);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10})
    void firstCutIsTheBestOfAll(long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int count = random.nextInt(10, 79);
        float[] column = new float[count];
        float[] labels = new float[count];
        float[][] rows = new float[count][1];
        for (int i = 0; i < count; i++) {
            column[i] = (float) random.nextGaussian();
            labels[i] = random.nextInt(9) == 0 ? Float.NaN : (float) (Math.sin(3 * column[i]) + random.nextGaussian());
            rows[i][0] = labels[i];
        }
        assertEquals(bestCut(column, labels), edges(column, OneTask.LAYOUT, rows, 2)[1], 1e-6, "seed " + seed);
    }

    @Test
    void binsEndWhereClassesChange() {
        float[] column = new float[600];
        float[][] labels = new float[600][];
        for (int i = 0; i < 600; i++) {
            column[i] = i;
            labels[i] = new float[] {i < 60 ? 2 : i < 120 ? 0 : i < 400 ? 1 : 3};
        }
        TaskLayout classes = new TaskLayout(List.of(new CategoricalTask("c", 4)));
        float[] edges = edges(column, classes, labels, 4);
        // Of six hundred values, there are edges for every second or third.
        assertArrayEquals(new float[] {0, 60, 120, 400, 599}, edges, 3);
    }

    @Test
    void whereLabelsSayNothingEachBinHasAsManyRows() {
        float[] column = new float[64];
        float[][] labels = new float[64][1];
        for (int i = 0; i < 64; i++) {
            column[i] = i * i;
        }
        float[] edges = edges(column, OneTask.LAYOUT, labels, 4);
        assertEquals(5, edges.length);
        for (int b = 1; b < 4; b++) {
            int end = b;
            assertEquals(16L * b, IntStream.range(0, 64).filter(i -> column[i] < edges[end]).count());
        }
    }
}

package io.emtal.onnx.backbone;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.NumericColumns;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.TaskLayout;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Random;

class RidgeTrialTest {

    private static final FeatureLayout LAYOUT = NumericColumns.layout(2);
    private static final TaskLayout TASKS =
            new TaskLayout(List.of(new RealTask("all", 0, 1, 1), new RealTask("every third", 0, 1, 1)));

    private static RidgeTrial trial(int size) {
        Random random = new Random(size);
        Examples rows = PackedExamples.pack(size, 2, 2, (row, inputs, labels) -> {
            inputs[0] = (float) random.nextGaussian();
            inputs[1] = (float) random.nextGaussian();
            labels[0] = row;
            labels[1] = row % 3 == 0 ? row : Float.NaN;
        });
        return RidgeTrial.of(LAYOUT, TASKS, rows).orElseThrow();
    }

    @Test
    void fewerRowsAreEveryKth() {
        RidgeTrial all = trial(250);
        RidgeTrial some = all.thinned(100);
        double[][] numbers = all.encoded(NumberEncoding.ofValue(3)).numbers();
        double[][] thinned = some.encoded(NumberEncoding.ofValue(3)).numbers();
        assertEquals(84, thinned.length);
        for (int i = 0; i < thinned.length; i++) {
            assertArrayEquals(numbers[3 * i], thinned[i], 1e-6);
        }
        assertEquals(1, some.groups().size(), "the third rows are those of the second task");
        double[] labels = some.groups().get(0).targets().get("all")[0];
        assertEquals(84, labels.length);
        assertEquals(3, labels[1]);
    }

    @Test
    void noneIsLeftOutWhereFewEnoughAre() {
        assertEquals(100, trial(100).thinned(100).encoded(NumberEncoding.ofValue(0)).numbers().length);
        assertEquals(51, trial(101).thinned(100).encoded(NumberEncoding.ofValue(0)).numbers().length);
        assertEquals(100, trial(200).thinned(100).encoded(NumberEncoding.ofValue(0)).numbers().length);
    }

    /** The encoding is that of all rows, whose mean is not that of those that are left. */
    @Test
    void statisticsAreThoseOfAllRows() {
        double[][] numbers = trial(400).thinned(25).encoded(NumberEncoding.ofValue(0)).numbers();
        double mean = 0;
        for (double[] row : numbers) {
            mean += row[0] / numbers.length;
        }
        assertEquals(25, numbers.length);
        assertTrue(Math.abs(mean) > 1e-4, "mean " + mean);
    }
}

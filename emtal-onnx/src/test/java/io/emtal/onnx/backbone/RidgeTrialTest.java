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

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ForkJoinPool;
import java.util.stream.IntStream;
import java.util.stream.Stream;

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
        for (int j = 0; j < numbers.length; j++) {
            double[] number = numbers[j];
            assertArrayEquals(IntStream.range(0, 84).mapToDouble(i -> number[3 * i]).toArray(), thinned[j], 1e-6);
        }
        assertEquals(1, some.groups().size(), "the third rows are those of the second task");
        double[] labels = some.groups().get(0).targets().get("all")[0];
        assertEquals(84, labels.length);
        assertEquals(3, labels[1]);
    }

    @Test
    void noneIsLeftOutWhereFewEnoughAre() {
        assertEquals(100, trial(100).thinned(100).encoded(NumberEncoding.ofValue(0)).numbers()[0].length);
        assertEquals(51, trial(101).thinned(100).encoded(NumberEncoding.ofValue(0)).numbers()[0].length);
        assertEquals(100, trial(200).thinned(100).encoded(NumberEncoding.ofValue(0)).numbers()[0].length);
    }

    /** The encoding is that of all rows, whose mean is not that of those that are left. */
    @Test
    void statisticsAreThoseOfAllRows() {
        double[] number = trial(400).thinned(25).encoded(NumberEncoding.ofValue(0)).numbers()[0];
        double mean = Arrays.stream(number).average().orElseThrow();
        assertEquals(25, number.length);
        assertTrue(Math.abs(mean) > 1e-4, "mean " + mean);
    }

    /** The parts' sums are added in order, whichever is done first. */
    @Test
    void errorsAreTheSameOnOneThreadAndOnSeveral() throws Exception {
        RidgeTrial trial = trial(200);
        Callable<List<Map<String, Double>>> errors = () -> trial.errors(
                trial.encodedForParts(NumberEncoding.ofValue(3)), (encoded, known) ->
                        Stream.of(encoded, trial.as(encoded, NumberEncoding.ofValue(0))), KernelRidge::linear);
        List<Map<String, Double>> expected = errors.call();
        assertEquals(2, expected.size());
        assertEquals(Set.of("all", "every third"), expected.get(0).keySet());
        for (int threads = 1; threads <= 4; threads++) {
            ForkJoinPool pool = new ForkJoinPool(threads);
            try {
                assertEquals(expected, pool.submit(errors).get());
            } finally {
                pool.shutdown();
            }
        }
    }
}

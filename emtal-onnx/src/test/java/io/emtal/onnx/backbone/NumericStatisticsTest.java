package io.emtal.onnx.backbone;

import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.task.OneTask;
import org.junit.jupiter.api.Test;

import java.util.Optional;
import java.util.SplittableRandom;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

class NumericStatisticsTest {

    @Test
    void severalPassesOverTheRowsGiveWhatOneGives() {
        long seed = 11;
        SplittableRandom random = new SplittableRandom(seed);
        int[] positions = {4, 0, 3, 1};
        try (PackedExamples rows = PackedExamples.pack(50, 5, 1, (row, inputs, labels) -> {
            for (int i = 0; i < inputs.length; i++) {
                inputs[i] = random.nextInt(5) == 0 ? Float.NaN : random.nextInt(20) + i;
            }
            labels[0] = random.nextInt(3);
        })) {
            NumericStatistics[] atOnce = NumericStatistics.of(rows, positions, Optional.of(OneTask.LAYOUT), 4);
            for (int numbers : new int[] {1, 100, 150}) {
                NumericStatistics[] inPasses = NumericStatistics.of(rows, positions, Optional.of(OneTask.LAYOUT), 4,
                        numbers);
                assertEquals(positions.length, inPasses.length);
                for (int i = 0; i < positions.length; i++) {
                    assertEquals(atOnce[i].mean(), inPasses[i].mean(), "seed " + seed);
                    assertEquals(atOnce[i].deviation(), inPasses[i].deviation(), "seed " + seed);
                    assertArrayEquals(atOnce[i].edges(), inPasses[i].edges(), "seed " + seed);
                }
            }
        }
    }
}

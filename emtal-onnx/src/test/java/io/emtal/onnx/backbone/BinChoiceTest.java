package io.emtal.onnx.backbone;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;
import org.junit.jupiter.api.Test;

import java.util.List;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

class BinChoiceTest {

    private static final int BINS = 8;

    private static FeatureLayout layout(int columns) {
        return new FeatureLayout(IntStream.range(0, columns)
                .mapToObj(i -> new FeatureColumn("x" + i, FeatureColumn.Kind.NUMERIC, i, 1)).toList());
    }

    /** Counts: they grow with the size of what is counted, which differs by orders of magnitude, some are missing. */
    private static int chosen(long seed, int size, int columns, Task task, ToDoubleFunction<double[]> label) {
        Random random = new Random(seed);
        PackedExamples rows = PackedExamples.pack(size, columns, 1, (row, inputs, labels) -> {
            double whole = Math.exp(1.5 * random.nextGaussian());
            double[] full = new double[columns];
            for (int i = 0; i < columns; i++) {
                full[i] = whole * (1 + 0.3 * random.nextGaussian());
                inputs[i] = random.nextInt(20) == 0 ? Float.NaN : (float) full[i];
            }
            labels[0] = random.nextInt(5) == 0 ? Float.NaN : (float) label.applyAsDouble(full);
        });
        return BinChoice.of(layout(columns), new TaskLayout(List.of(task)), rows, BINS);
    }

    @Test
    void whatGrowsWithItsColumnsNeedsNoBins() {
        for (long seed = 0; seed < 5; seed++) {
            assertEquals(0, chosen(seed, 60, 30, new RealTask("y", 0, 1, 1), x -> x[0] + x[1]), "seed " + seed);
        }
    }

    @Test
    void whatIsNotLinearNeedsBins() {
        for (long seed = 0; seed < 5; seed++) {
            assertEquals(BINS, chosen(seed, 60, 3, new RealTask("y", 0, 1, 1), x -> Math.log(x[0])), "seed " + seed);
            assertEquals(BINS, chosen(seed, 60, 3, new BinaryTask("y"), x -> Math.abs(Math.log(x[0])) < 1 ? 1 : 0),
                    "seed " + seed);
            assertEquals(BINS, chosen(seed, 60, 3, new CategoricalTask("y", 3),
                    x -> x[0] < 0.5 ? 0 : x[0] < 2 ? 1 : 2), "seed " + seed);
        }
    }

    @Test
    void whereNothingTellsThereAreBins() {
        assertEquals(BINS, chosen(1, 60, 30, new RealTask("y", 0, 1, 1), x -> 5));
        assertEquals(BINS, chosen(1, 2, 30, new RealTask("y", 0, 1, 1), x -> x[0]));
        assertEquals(BINS, chosen(1, BinChoice.MOST_ROWS + 1, 30, new RealTask("y", 0, 1, 1), x -> x[0] + x[1]));
    }
}

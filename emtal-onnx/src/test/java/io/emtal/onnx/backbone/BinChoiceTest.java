package io.emtal.onnx.backbone;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.NumericColumns;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;
import org.junit.jupiter.api.Test;

import java.nio.FloatBuffer;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

class BinChoiceTest {

    private static final int BINS = 8;

    private static final RealTask NUMBER = new RealTask("number", 0, 1, 1);
    private static final ToDoubleFunction<double[]> LINEAR = x -> x[0] + x[1];
    private static final ToDoubleFunction<double[]> CURVED = x -> Math.log(x[0]);

    private static int chosen(long seed, int size, int columns, Task task, ToDoubleFunction<double[]> label) {
        return BinChoice.of(NumericColumns.layout(columns), new TaskLayout(List.of(task)),
                rows(seed, size, columns, 0.2, List.of(label)), BINS);
    }

    /** Counts: they grow with the size of what is counted, which differs by orders of magnitude. */
    private static Examples rows(long seed, int size, int columns, double missing,
                                 List<ToDoubleFunction<double[]>> tasks) {
        Random random = new Random(seed);
        return PackedExamples.pack(size, columns, tasks.size(), (row, inputs, labels) -> {
            double whole = Math.exp(random.nextGaussian());
            double[] full = new double[columns];
            for (int i = 0; i < columns; i++) {
                full[i] = whole * (1 + 0.3 * random.nextGaussian());
                inputs[i] = (float) full[i];
            }
            for (int t = 0; t < labels.length; t++) {
                labels[t] = random.nextDouble() < missing ? Float.NaN : (float) tasks.get(t).applyAsDouble(full);
            }
        });
    }

    @Test
    void whatGrowsWithItsColumnsNeedsNoBins() {
        for (long seed = 0; seed < 5; seed++) {
            assertEquals(0, chosen(seed, 100, 50, NUMBER, LINEAR), "seed " + seed);
        }
    }

    /** Else a row's copy would predict it, best of all from many columns. */
    @Test
    void aRowIsPredictedWithoutItsCopies() {
        for (long seed = 0; seed < 5; seed++) {
            Examples rows = rows(seed, 100, 50, 0.2, List.of(LINEAR));
            int[] drawn = new Random(seed).ints(150, 0, 100).toArray();
            Examples bootstrap = new Examples() {
                @Override
                public int size() {
                    return drawn.length;
                }

                @Override
                public int width() {
                    return rows.width();
                }

                @Override
                public void inputs(int row, FloatBuffer target) {
                    rows.inputs(drawn[row], target);
                }

                @Override
                public float label(int row, int task) {
                    return rows.label(drawn[row], task);
                }

                @Override
                public int original(int row) {
                    return drawn[row];
                }
            };
            assertEquals(0, BinChoice.of(NumericColumns.layout(50), new TaskLayout(List.of(NUMBER)), bootstrap, BINS),
                    "seed " + seed);
        }
    }

    /** Of two tasks that want the opposite, one decides where the other is not learnt. */
    @Test
    void tasksDecideThatAreLearnt() {
        Examples rows = rows(1, 60, 30, 0.2, List.of(LINEAR, CURVED));
        for (int linear = 0; linear < 2; linear++) {
            TaskLayout tasks = new TaskLayout(List.of(new RealTask("linear", 0, 1, 1, linear),
                    new RealTask("curved", 0, 1, 1, 1 - linear)));
            assertEquals(linear == 1 ? 0 : BINS, BinChoice.of(NumericColumns.layout(30), tasks, rows, BINS));
        }
    }

    /** Each with rows of its own, of which few are labelled; those of many that are asked are the first. */
    @Test
    void eachTaskIsAskedOnItsLabelledRows() {
        List<Task> tasks = IntStream.range(0, 12).<Task>mapToObj(t -> new RealTask("t" + t, 0, 1, 1)).toList();
        for (boolean linear : new boolean[] {true, false}) {
            Examples rows = rows(1, 800, 50, 0.1, Collections.nCopies(12, linear ? LINEAR : CURVED));
            assertEquals(linear ? 0 : BINS, BinChoice.of(NumericColumns.layout(50), new TaskLayout(tasks), rows, BINS));
        }
        assertEquals(0, BinChoice.of(NumericColumns.layout(50), new TaskLayout(List.of(NUMBER)),
                rows(1, 400, 50, 0.8, List.of(LINEAR)), BINS));
    }

    @Test
    void whatIsNotLinearNeedsBins() {
        for (long seed = 0; seed < 5; seed++) {
            assertEquals(BINS, chosen(seed, 60, 3, NUMBER, CURVED), "seed " + seed);
            assertEquals(BINS, chosen(seed, 60, 3, new BinaryTask("y"), x -> Math.abs(Math.log(x[0])) < 1 ? 1 : 0),
                    "seed " + seed);
            assertEquals(BINS, chosen(seed, 60, 3, new CategoricalTask("y", 3),
                    x -> x[0] < 0.5 ? 0 : x[0] < 2 ? 1 : 2), "seed " + seed);
        }
    }

    @Test
    void whereNothingTellsThereAreBins() {
        assertEquals(BINS, chosen(1, 60, 30, NUMBER, x -> 5));
        assertEquals(BINS, chosen(1, 2, 30, NUMBER, LINEAR));
    }

    @Test
    void largeTablesHaveBins() {
        assertEquals(0, chosen(1, 500, 300, NUMBER, LINEAR));
        assertEquals(BINS, chosen(1, BinChoice.MOST_ROWS + 1, 300, NUMBER, LINEAR));
        assertEquals(0, chosen(1, 10, BinChoice.MOST_INPUTS, NUMBER, LINEAR));
        assertEquals(BINS, chosen(1, 10, BinChoice.MOST_INPUTS + 1, NUMBER, LINEAR));
    }
}

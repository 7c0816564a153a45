package io.emtal.onnx.backbone;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.NumericColumns;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.data.RowSubset;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;
import org.junit.jupiter.api.Test;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

class EncodingChoiceTest {

    private static final int BINS = 8;

    private static final RealTask NUMBER = new RealTask("number", 0, 1, 1);
    private static final ToDoubleFunction<double[]> LINEAR = x -> x[0] + x[1];
    private static final ToDoubleFunction<double[]> CURVED = x -> Math.log(x[0]);

    private static int chosen(long seed, int size, int columns, Task task, ToDoubleFunction<double[]> label) {
        return EncodingChoice.of(NumericColumns.layout(columns), new TaskLayout(List.of(task)),
                rows(seed, size, columns, 0.2, List.of(label)), BINS).numbers().bins();
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
            Examples bootstrap = new RowSubset(rows, drawn);
            assertEquals(0, EncodingChoice.of(NumericColumns.layout(50), new TaskLayout(List.of(NUMBER)), bootstrap, BINS)
                    .numbers().bins(), "seed " + seed);
        }
    }

    /** Of two tasks that want the opposite, one decides where the other is not learnt. */
    @Test
    void tasksDecideThatAreLearnt() {
        Examples rows = rows(1, 60, 30, 0.2, List.of(LINEAR, CURVED));
        for (int linear = 0; linear < 2; linear++) {
            TaskLayout tasks = new TaskLayout(List.of(new RealTask("linear", 0, 1, 1, linear),
                    new RealTask("curved", 0, 1, 1, 1 - linear)));
            assertEquals(linear == 1 ? 0 : BINS, EncodingChoice.of(NumericColumns.layout(30), tasks, rows, BINS).numbers().bins());
        }
    }

    /** What counts is on which side of the mean columns are, of which some rows lie far out; or their sum, without outliers. */
    @Test
    void numbersWithOutliersEnterByBinsAlone() {
        for (long seed = 0; seed < 5; seed++) {
            for (boolean outliers : new boolean[] {true, false}) {
                Random random = new Random(seed);
                Examples rows = PackedExamples.pack(100, 40, 1, (row, inputs, labels) -> {
                    double sum = 0;
                    for (int i = 0; i < inputs.length; i++) {
                        double z = random.nextGaussian();
                        inputs[i] = (float) (outliers && Math.abs(z) > 1 ? z * Math.exp(4 * random.nextDouble()) : z);
                        sum += outliers ? Math.tanh(2 * z) : z;
                    }
                    labels[0] = (float) sum;
                });
                NumberEncoding numbers = EncodingChoice.of(NumericColumns.layout(40), new TaskLayout(List.of(NUMBER)), rows,
                        BINS).numbers();
                assertEquals(!outliers, numbers.value(), "seed " + seed);
                assertTrue(numbers.value() || numbers.bins() == BINS, "seed " + seed);
            }
        }
    }

    @Test
    void withoutBinsNumbersEnterByTheirValues() {
        Examples rows = rows(1, 60, 30, 0.2, List.of(CURVED));
        assertEquals(NumberEncoding.ofValue(0), EncodingChoice.of(NumericColumns.layout(30), new TaskLayout(List.of(NUMBER)),
                rows, 0).numbers());
    }

    /** Each with rows of its own, of which few are labelled; those of many that are asked are the first. */
    @Test
    void eachTaskIsAskedOnItsLabelledRows() {
        List<Task> tasks = IntStream.range(0, 12).<Task>mapToObj(t -> new RealTask("t" + t, 0, 1, 1)).toList();
        for (boolean linear : new boolean[] {true, false}) {
            Examples rows = rows(1, 800, 50, 0.1, Collections.nCopies(12, linear ? LINEAR : CURVED));
            assertEquals(linear ? 0 : BINS,
                    EncodingChoice.of(NumericColumns.layout(50), new TaskLayout(tasks), rows, BINS).numbers().bins());
        }
        assertEquals(0, EncodingChoice.of(NumericColumns.layout(50), new TaskLayout(List.of(NUMBER)),
                rows(1, 400, 50, 0.8, List.of(LINEAR)), BINS).numbers().bins());
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
        assertEquals(BINS, chosen(1, RidgeTrial.LEAST_LABELS - 1, 30, NUMBER, LINEAR));
    }

    @Test
    void largeTablesHaveBins() {
        assertEquals(0, chosen(1, 500, 300, NUMBER, LINEAR));
        assertEquals(BINS, chosen(1, RidgeTrial.MOST_ROWS + 1, 300, NUMBER, LINEAR));
        assertEquals(0, chosen(1, 60, RidgeTrial.MOST_INPUTS, NUMBER, LINEAR));
        assertEquals(BINS, chosen(1, 60, RidgeTrial.MOST_INPUTS + 1, NUMBER, LINEAR));
    }

    /** With gaps of their own, and classes before a number: each one's error is what it is of the task alone. */
    @Test
    void eachTasksErrorIsItsOwn() {
        List<Task> tasks = List.of(new CategoricalTask("three", 3), new RealTask("linear", 0, 1, 1), new BinaryTask("large"),
                new RealTask("curved", 0, 1, 1), new RealTask("constant", 0, 1, 1), new RealTask("unlearnt", 0, 1, 0));
        List<ToDoubleFunction<double[]>> labels = List.of(x -> x[0] < 0.5 ? 0 : x[0] < 2 ? 1 : 2, x -> 3 * x[0] - x[1] + 100,
                x -> x[1] > 1 ? 1 : 0, CURVED, x -> 7, LINEAR);
        for (double missing : new double[] {0, 0.3}) {
            Examples rows = rows(1, 200, 4, missing, labels);
            Map<String, Double> errors =
                    EncodingChoice.of(NumericColumns.layout(4), new TaskLayout(tasks), rows, 0).errors();
            assertEquals(Set.of("three", "linear", "large", "curved"), errors.keySet());
            assertTrue(errors.get("linear") < 0.01 && errors.get("curved") > 0.3 && errors.get("curved") < 0.9,
                    errors.toString());
            for (int t = 0; t < 4; t++) {
                int task = t;
                Examples alone = PackedExamples.pack(200, 4, 3, (row, inputs, label) -> {
                    rows.inputs(row, FloatBuffer.wrap(inputs));
                    Arrays.fill(label, Float.NaN);
                    label[0] = rows.label(row, task);
                });
                // Two real tasks, without which nothing would be asked, have no labels.
                TaskLayout one = new TaskLayout(List.of(tasks.get(t), new RealTask("a", 0, 1, 1), new RealTask("b", 0, 1, 1)));
                String name = tasks.get(t).name();
                assertEquals(Map.of(name, errors.get(name)),
                        EncodingChoice.of(NumericColumns.layout(4), one, alone, 0).errors());
            }
        }
    }

    @Test
    void theErrorsAreThoseOfTheChoice() {
        TaskLayout tasks = new TaskLayout(List.of(NUMBER));
        Examples rows = rows(1, 200, 4, 0, List.of(CURVED));
        EncodingChoice with = EncodingChoice.of(NumericColumns.layout(4), tasks, rows, BINS);
        assertEquals(BINS, with.numbers().bins());
        assertTrue(with.errors().get("number") < 0.3, with.toString());
    }

    @Test
    void whatCannotBeAskedHasNoErrors() {
        TaskLayout two = new TaskLayout(List.of(NUMBER, new RealTask("other", 0, 1, 1)));
        List<ToDoubleFunction<double[]>> labels = List.of(LINEAR, LINEAR);
        assertEquals(Map.of(), errors(two, rows(1, RidgeTrial.MOST_ROWS + 1, 3, 0, labels), BINS));
        assertEquals(Map.of(), errors(two, rows(1, RidgeTrial.LEAST_LABELS - 1, 3, 0, labels), 0));
        assertEquals(Set.of("number", "other"), errors(two, rows(1, RidgeTrial.LEAST_LABELS, 3, 0, labels), 0).keySet());
    }

    /** Noise beside two columns that say it all. */
    @Test
    void relevantColumnsCountMore() {
        for (long seed = 0; seed < 5; seed++) {
            Random random = new Random(seed);
            Examples rows = PackedExamples.pack(100, 40, 1, (row, inputs, labels) -> {
                for (int i = 0; i < inputs.length; i++) {
                    inputs[i] = (float) random.nextGaussian();
                }
                labels[0] = inputs[7] + inputs[30];
            });
            float[] weights = weights(rows, 40);
            int each = weights.length / 40;
            for (int i = 0; i < 40; i++) {
                boolean said = i == 7 || i == 30;
                assertEquals(said, weights[i * each] > 1.5, "seed " + seed + ", column " + i + ": " + weights[i * each]);
            }
        }
    }

    /** Fifty columns say the same, and four say the rest. */
    @Test
    void whatIsSaidOftenCountsLess() {
        for (long seed = 0; seed < 5; seed++) {
            Random random = new Random(seed);
            Examples rows = PackedExamples.pack(200, 55, 1, (row, inputs, labels) -> {
                double said = random.nextGaussian();
                for (int i = 0; i < inputs.length; i++) {
                    inputs[i] = (float) (i < 50 ? said + 0.1 * random.nextGaussian() : random.nextGaussian());
                }
                labels[0] = (float) (said + Math.sin(inputs[50] + inputs[51]) + Math.cos(inputs[52]) * inputs[53] + inputs[54]);
            });
            float[] weights = weights(rows, 55);
            int each = weights.length / 55;
            assertTrue(weights[0] < 0.5 * weights[54 * each], "seed " + seed + ": " + weights[0] + ", " + weights[54 * each]);
        }
    }

    private static float[] weights(Examples rows, int columns) {
        return EncodingChoice.of(NumericColumns.layout(columns), new TaskLayout(List.of(NUMBER)), rows, BINS)
                .weights().orElseThrow();
    }

    /** What columns seem to say of labels that are noise is by chance, all the more so of many columns. */
    @Test
    void nothingIsChosenByNoise() {
        int chosen = 0;
        double error = 0;
        int[][] sizes = {{100, 20}, {100, 100}, {60, 300}, {200, 50}};
        for (int[] size : sizes) {
            for (long seed = 0; seed < 3; seed++) {
                Random random = new Random(seed);
                Examples rows = PackedExamples.pack(size[0], size[1], 1, (row, inputs, labels) -> {
                    for (int i = 0; i < inputs.length; i++) {
                        inputs[i] = (float) random.nextGaussian();
                    }
                    labels[0] = (float) random.nextGaussian();
                });
                EncodingChoice choice = EncodingChoice.of(NumericColumns.layout(size[1]),
                        new TaskLayout(List.of(NUMBER)), rows, BINS);
                chosen += choice.weights().isPresent() ? 1 : 0;
                error += choice.errors().get("number") / sizes.length / 3;
            }
        }
        assertTrue(chosen <= 2, chosen + " of 12 have weights");
        assertEquals(1, error, 0.02);
    }

    @Test
    void columnsOfWhichNoneSaysMoreCountTheSame() {
        for (long seed = 0; seed < 5; seed++) {
            Random random = new Random(seed);
            Examples rows = PackedExamples.pack(300, 3, 1, (row, inputs, labels) -> {
                double sum = 0;
                for (int i = 0; i < inputs.length; i++) {
                    inputs[i] = (float) random.nextGaussian();
                    sum += inputs[i];
                }
                labels[0] = (float) (sum + random.nextGaussian());
            });
            assertEquals(Optional.empty(), EncodingChoice.of(NumericColumns.layout(3), new TaskLayout(List.of(NUMBER)), rows,
                    BINS).weights(), "seed " + seed);
        }
    }

    @Test
    void whatCannotBeAskedHasNoWeights() {
        TaskLayout tasks = new TaskLayout(List.of(NUMBER));
        assertEquals(Optional.empty(), EncodingChoice.of(NumericColumns.layout(20), tasks,
                rows(1, RidgeTrial.MOST_ROWS + 1, 20, 0, List.of(CURVED)), BINS).weights());
        assertEquals(Optional.empty(), EncodingChoice.of(NumericColumns.layout(20), tasks,
                rows(1, 60, 20, 0, List.of(x -> 5)), BINS).weights());
    }

    private static Map<String, Double> errors(TaskLayout tasks, Examples rows, int bins) {
        return EncodingChoice.of(NumericColumns.layout(3), tasks, rows, bins).errors();
    }
}

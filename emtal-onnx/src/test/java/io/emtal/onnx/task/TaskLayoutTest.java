package io.emtal.onnx.task;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertDoesNotThrow;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TaskLayoutTest {

    private static final List<Task> MIXED = List.of(new BinaryTask("b"), new CategoricalTask("c", 3),
            new RealTask("r", 10, 2, 1), new CategoricalTask("d", 2));

    @Test
    void columnsFollowTheOrderOfTheTasks() {
        TaskLayout layout = new TaskLayout(MIXED);
        assertEquals(7, layout.columns());
        assertArrayEquals(new int[] {0, 1, 4, 5},
                new int[] {layout.offset(0), layout.offset(1), layout.offset(2), layout.offset(3)});
        assertEquals(3, layout.width(1));
        assertArrayEquals(new int[] {5, 6}, layout.softmaxColumns(3));
        assertArrayEquals(new int[] {1, 2, 3, 5, 6}, new TaskLayout(MIXED, HeadScope.JOINT).softmaxColumns(3));
    }

    @Test
    void tasksOfWeightZeroAreNotLearnt() {
        List<Task> tasks = List.of(new BinaryTask("b", 0), new CategoricalTask("c", 3), new RealTask("r", 10, 2, 0));
        assertEquals(tasks.subList(1, 2), new TaskLayout(tasks).learnt());
    }

    @Test
    void fault18_duplicateNamesAreRejected() {
        var e = assertThrows(EmtalException.class,
                () -> new TaskLayout(List.of(new BinaryTask("x"), new CategoricalTask("x", 2))));
        assertTrue(e.getMessage().contains("'x'"), e.getMessage());
        assertThrows(EmtalException.class, () -> new TaskLayout(List.of()));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "  ", "a\nb", "a\rb", "a\u0000", "a\u2028b", "a\u0085b", "a\ud800"})
    void fault18_namesThatNoFormatCanHoldAreRejected(String name) {
        assertThrows(EmtalException.class, () -> new BinaryTask(name));
    }

    @ParameterizedTest
    @ValueSource(strings = {"a/b", "a,b", "a=b", "<b>", "=1+1", "größe", "\ud83d\ude00"})
    void fault18_namesThatFormatsEscapeAreTaken(String name) {
        assertDoesNotThrow(() -> new BinaryTask(name));
    }

    @Test
    void labelsOutsideTheTaskAreNamed() {
        TaskLayout layout = new TaskLayout(MIXED);
        layout.checkLabels("row 3", new float[] {9, 1, 2, -4.5f, Float.NaN}, 1);
        var e = assertThrows(EmtalException.class,
                () -> layout.checkLabels("row 3", new float[] {1, 3, 0, 0}, 0));
        assertEquals("row 3, task 'c': found label 3.0, allowed is a class from 0 to 2, or NaN for a missing label",
                e.getMessage());
        assertThrows(EmtalException.class, () -> layout.checkLabels("row 0", new float[] {0.5f, 1, 0, 0}, 0));
        assertThrows(EmtalException.class,
                () -> layout.checkLabels("row 0", new float[] {0, 1, Float.POSITIVE_INFINITY, 0}, 0));
    }

    @Test
    void fault14_aSingleClassIsRejected() {
        assertThrows(EmtalException.class, () -> new CategoricalTask("one", 1));
    }

    @Test
    void realTasksStandardiseWithTheKnownTargets() {
        RealTask task = RealTask.of("y", new double[] {1, Double.NaN, 5}, 1);
        assertEquals(3, task.mean());
        assertEquals(2, task.deviation());
        assertEquals(-1, task.standardise(1));
        assertEquals(5, task.restore(1));
        assertTrue(Float.isNaN(task.standardise(Double.NaN)));
    }

    /** One of ten rows at 1, the others at 0: the fourth moment is .9·.1⁴ + .1·.9⁴ = .0657, the variance .09. */
    @Test
    void kurtosisIsTheMeanFourthPower() {
        double[] targets = {0, 0, 0, Double.NaN, 0, 0, 1e-3, 0, 0, 0, 0};
        assertEquals(0.0657 / 0.0081, RealTask.of("y", targets, 1).kurtosis(), 1e-9);
        assertEquals(1, RealTask.of("y", new double[] {3, 5}, 1).kurtosis());
        assertEquals(1, RealTask.of("y", new double[] {0, Double.MIN_VALUE}, 1).kurtosis());
        assertThrows(EmtalException.class, () -> new RealTask("y", 0, 1, 0.9, 1));
        assertThrows(EmtalException.class, () -> new RealTask("y", 0, 1, Double.NaN, 1));
    }

    @Test
    void fault15_aConstantTargetDeviatesByRoundingOnly() {
        for (double value : new double[] {0, 1e-40, 1e-6, 0.1, -7, 1.7e9, -3e38}) {
            RealTask task = RealTask.of("y", new double[] {value, value, value}, 1);
            double deviation = Math.max(16 * Math.ulp((float) value), Float.MIN_NORMAL);
            assertEquals(new RealTask("y", value, deviation, 3, 1), task);
            assertEquals(0, task.standardise(value));
            assertEquals(value, task.restore(0.5), 1e-6 * Math.abs(value) + Float.MIN_NORMAL);
        }
        double large = 1.7e18 + 256;
        assertEquals(0, RealTask.of("y", new double[] {large, large, large}, 1).standardise(large));
        assertThrows(EmtalException.class, () -> RealTask.of("y", new double[] {Double.NaN}, 1));
        assertThrows(EmtalException.class, () -> RealTask.of("y", new double[] {1, Double.POSITIVE_INFINITY}, 1));
        assertThrows(EmtalException.class, () -> new RealTask("y", 0, 0, 1));
    }

    @Test
    void whatDiffersByRoundingIsNotBlownUp() {
        RealTask task = RealTask.of("y", new double[] {0.3, 0.1 + 0.2, 0.3}, 1);
        assertTrue(Math.abs(task.standardise(0.1 + 0.2)) < 0.25, task.toString());
    }

    /** Epoch seconds: steps of single precision are 128 there. */
    @Test
    void aDeviationBelowSinglePrecisionOfTheMeanStandardisesAsWell() {
        RealTask task = RealTask.of("y", new double[] {1.7e9 - 50, 1.7e9 + 50}, 1);
        assertEquals(50, task.deviation());
        assertEquals(1, task.standardise(1.7e9 + 50));
    }

    @Test
    void weightsAreFiniteAndNotNegative() {
        assertThrows(EmtalException.class, () -> new BinaryTask("b", -1));
        assertThrows(EmtalException.class, () -> new BinaryTask("b", Double.NaN));
        assertDoesNotThrow(() -> new BinaryTask("b", 0));
    }
}

package io.emtal.onnx.train;

import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.Task;
import org.junit.jupiter.api.Test;

import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class TaskMeanTest {

    private static final List<Task> MIXED = List.of(new RealTask("a", 0, 1, 1), new CategoricalTask("b", 3, 1),
            new RealTask("c", 5, 2, 1), new BinaryTask("d", 1));

    @Test
    void isArithmeticForTasksOfOneKind() {
        assertEquals(0.5, of(0.2, Double.NaN, 0.8, Double.NaN));
        assertEquals(0.5, of(Double.NaN, 0.2, Double.NaN, 0.8));
        assertEquals(0, of(0, Double.NaN, 0, Double.NaN));
    }

    @Test
    void isGeometricBetweenKinds() {
        assertEquals(Math.sqrt(0.5 * 0.02), of(0.01, 0.4, 0.03, 0.6), 1e-3);
        assertEquals(Math.cbrt(0.5 * 0.02 * 0.02), of(0.01, Double.NaN, 0.03, 0.5), 1e-3);
    }

    @Test
    void aTenthOfASmallErrorCountsAsMuchAsOneOfALargeOne() {
        assertEquals(of(0.1, 0.9, 0.1, 0.9), of(0.09, 1, 0.09, 1), 1e-3);
    }

    @Test
    void aSolvedKindDoesNotOutweighTheOther() {
        assertTrue(of(1e-12, 0.9, 1e-12, 0.9) > of(1e-7, 0.85, 1e-7, 0.85));
    }

    @Test
    void tasksThatNothingLearnsCountOnlyAlone() {
        List<Task> tasks = List.of(new RealTask("a", 0, 1, 0), new CategoricalTask("b", 3, 1), new BinaryTask("c", 0),
                new BinaryTask("d", 2));
        assertEquals(0.3, TaskMean.of(tasks, new double[] {5, 0.2, 7, 0.4}).orElseThrow(), 1e-12);
        assertEquals(0.4, TaskMean.of(tasks, new double[] {5, Double.NaN, 7, 0.4}).orElseThrow());
        assertEquals(7, TaskMean.of(tasks, new double[] {Double.NaN, Double.NaN, 7, Double.NaN}).orElseThrow());
    }

    @Test
    void isNoneWithoutErrors() {
        assertTrue(TaskMean.of(MIXED, new double[] {Double.NaN, Double.NaN, Double.NaN, Double.NaN}).isEmpty());
        assertTrue(TaskMean.of(MIXED, new double[0]).isEmpty());
    }

    private static double of(double... errors) {
        return TaskMean.of(MIXED, errors).orElseThrow();
    }
}

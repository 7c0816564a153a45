package io.emtal.tribuo.output;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.task.RealTask;
import io.emtal.tribuo.Warnings;
import org.junit.jupiter.api.Test;
import org.tribuo.regression.Regressor;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;

class RegressorTasksTest extends OutputTasksContract<Regressor> {

    private static Regressor of(double height, double width) {
        return new Regressor(new String[] {"width", "height"}, new double[] {width, height});
    }

    @Override
    OutputTasks<Regressor> tasks() {
        return new RegressorTasks();
    }

    @Override
    OutputTasks<Regressor> tasksForConstants() {
        return new RegressorTasks();
    }

    @Override
    List<Regressor> complete(Random random) {
        List<Regressor> outputs = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            outputs.add(of(100 + random.nextGaussian(), 1e-3 * random.nextGaussian()));
        }
        return outputs;
    }

    @Override
    Regressor unknown() {
        return new Regressor(new String[] {"width", "depth"}, new double[] {1, 1});
    }

    @Override
    Optional<Fault<Regressor>> singleClass() {
        return Optional.empty();
    }

    @Override
    Optional<Fault<Regressor>> absentTask() {
        return Optional.of(new Fault<>(List.of(of(1, Double.NaN), of(2, Double.NaN)), "width"));
    }

    @Override
    Optional<Regressor> unlabelled() {
        return Optional.of(of(Double.NaN, Double.NaN));
    }

    @Override
    List<Regressor> named(String name) {
        return List.of(new Regressor(name, 1), new Regressor(name, 2));
    }

    @Override
    Regressor renamed(Regressor output) {
        return new Regressor(Stream.of(output.getNames()).map(OutputTasksContract::renamed).toArray(String[]::new),
                output.getValues());
    }

    @Override
    Optional<Regressor> without(Regressor output, String task) {
        double[] values = output.getValues().clone();
        values[List.of(output.getNames()).indexOf(task)] = Double.NaN;
        return Optional.of(new Regressor(output.getNames(), values));
    }

    @Override
    boolean near(Regressor expected, Regressor actual) {
        return expected.fullEquals(actual, 1e-4);
    }

    @Test
    void targetsAreStandardisedOverTheKnownOnes() {
        EncodedOutputs encoded = encode(tasks(), List.of(of(1, 5), of(3, Double.NaN), of(Double.NaN, 7)));
        assertEquals(List.of(new RealTask("height", 2, 1, 1, 1), new RealTask("width", 6, 1, 1, 1)),
                encoded.tasks().tasks());
        float[] labels = new float[2];
        encoded.labels(1, labels);
        assertEquals(1, labels[0]);
        assertTrue(Float.isNaN(labels[1]));
        assertEquals(0, encoded.rowsWithoutLabel());
    }

    @Test
    void aDimensionThatAnExampleLacksIsMissing() {
        EncodedOutputs encoded = tasks().codec(domain(List.of(of(1, 5), of(3, 6))))
                .encode(examples(List.of(of(1, 5), new Regressor("height", 3), of(2, 6))));
        float[] labels = new float[2];
        encoded.labels(1, labels);
        assertTrue(Float.isNaN(labels[1]));
    }

    @Test
    void infiniteTargetsAreRejectedWithRowAndTask() {
        List<Regressor> outputs = List.of(of(1, 5), of(Double.POSITIVE_INFINITY, 6));
        var e = assertThrows(EmtalException.class, () -> encode(tasks(), outputs));
        assertTrue(e.getMessage().contains("row 1") && e.getMessage().contains("'height'"), e.getMessage());
    }

    /** Labels are as for any other task, but predictions come in steps of 128. */
    @Test
    void aDeviationBelowSinglePrecisionIsWarnedOf() {
        try (Warnings warnings = new Warnings(EncodedOutputs.class)) {
            EncodedOutputs encoded = encode(tasks(), List.of(of(1.7e9 - 50, 1.7e9), of(1.7e9 + 50, 1.7e9)));
            assertEquals(-1, encoded.label(0, 0));
            assertEquals(1, encoded.label(1, 0));
            assertEquals(1, warnings.messages().size());
            String message = warnings.messages().get(0);
            assertTrue(message.contains("'height'") && message.contains("50.0 from 1.7E9")
                    && message.contains("128.0"), message);
            encode(tasks(), List.of(of(1e5, 1), of(1e5 + 1, 2)));
            assertEquals(1, warnings.messages().size());
        }
    }

    @Test
    void fault15_aConstantTargetIsLearntAsAConstant() {
        EncodedOutputs encoded = encode(tasks(), List.of(of(7, 1), of(7, 2), of(7, 3)));
        assertEquals(RealTask.of("height", new double[] {7, 7, 7}, 1), encoded.tasks().task(0));
        float[] labels = new float[2];
        encoded.labels(2, labels);
        assertEquals(0, labels[0]);
    }
}

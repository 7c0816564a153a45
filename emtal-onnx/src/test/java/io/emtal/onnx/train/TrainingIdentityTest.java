package io.emtal.onnx.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class TrainingIdentityTest {

    private static final PackedExamples ROWS = SmallTraining.rows(1);

    /** Rows to which every epoch adds as much. */
    private record Shifted(Examples rows, float by, boolean augments) implements Examples {

        @Override
        public int size() {
            return rows.size();
        }

        @Override
        public int width() {
            return rows.width();
        }

        @Override
        public void inputs(int row, FloatBuffer target) {
            float[] inputs = new float[width()];
            rows.inputs(row, FloatBuffer.wrap(inputs));
            for (float input : inputs) {
                target.put(augments ? input : input + by);
            }
        }

        @Override
        public float label(int row, int task) {
            return rows.label(row, task);
        }

        @Override
        public Examples augmented(long seed) {
            return new Shifted(rows, by, false);
        }
    }

    private static Map<String, String> facts(Examples rows, Parameter... parameters) {
        return TrainingIdentity.of(Phase.ADAPT, SmallTraining.backbone(ROWS, 1), "method", SmallTraining.recipe(),
                SmallTraining.tasks(), List.of(parameters), rows, new Seed(1)).facts();
    }

    private static Parameter parameter(String name, int size) {
        return Parameter.shared(name, "lora", Tensor.of(new float[size], size), true);
    }

    @Test
    void whatIsTrainedTellsTrainingsApart() {
        Map<String, String> one = facts(ROWS, parameter("block0.fc1.A", 1));
        assertEquals(one, facts(ROWS, parameter("block0.fc1.A", 1)));
        for (Parameter other : List.of(parameter("block1.fc1.A", 1), parameter("block0.fc1.A", 2))) {
            Map<String, String> two = facts(ROWS, other);
            assertNotEquals(one.get("parameters"), two.get("parameters"));
            assertEquals(one.get("rows"), two.get("rows"));
        }
    }

    @Test
    void augmentationTellsTrainingsApart() {
        Map<String, String> one = facts(new Shifted(ROWS, 1, true));
        assertEquals(one, facts(new Shifted(ROWS, 1, true)));
        assertNotEquals(one.get("rows"), facts(new Shifted(ROWS, 2, true)).get("rows"));
        assertNotEquals(one.get("rows"), facts(ROWS).get("rows"));
    }
}

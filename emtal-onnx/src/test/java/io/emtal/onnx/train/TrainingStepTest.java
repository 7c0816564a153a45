package io.emtal.onnx.train;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.FeatureTransformer;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;
import org.junit.jupiter.api.Test;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class TrainingStepTest {

    private static final int ROWS = 20;

    private final long seed = System.nanoTime();
    private final TaskLayout tasks = new TaskLayout(List.of(new CategoricalTask("kind", 3, 1)));
    private final PackedExamples examples = examples();

    @Test
    void learnsAndRepeats() {
        try (TrainingStep one = step(); TrainingStep other = step()) {
            int[] rows = IntStream.range(0, ROWS).toArray();
            double first = one.run(rows, 0.5, 1e-2)[0];
            assertEquals(first, other.run(rows, 0.5, 1e-2)[0], "seed " + seed);
            double last = first;
            for (int i = 0; i < 30; i++) {
                // The graph changes when the fade reaches 1.
                last = one.run(rows, i < 15 ? 0.5 : 1, 1e-2)[0];
                assertEquals(last, other.run(rows, i < 15 ? 0.5 : 1, 1e-2)[0], "seed " + seed);
            }
            assertTrue(last < 0.7 * first, "from " + first + " to " + last + ", seed " + seed);
            assertEquals(one.values(), other.values());
        }
    }

    /** So many that their heads are fed as one. */
    @Test
    void everyHeadOfManyLearns() {
        TaskLayout many = new TaskLayout(IntStream.range(0, 12).<Task>mapToObj(t -> new CategoricalTask("t" + t, 3, 1))
                .toList());
        PackedExamples labelled = PackedExamples.pack(ROWS, 6, 12, (row, inputs, labels) -> {
            examples.inputs(row, FloatBuffer.wrap(inputs));
            Arrays.fill(labels, row % 3);
        });
        try (TrainingStep step = step(many, labelled)) {
            int[] rows = IntStream.range(0, ROWS).toArray();
            double[] first = step.run(rows, 0.5, 1e-2);
            double[] last = first;
            for (int i = 0; i < 30; i++) {
                last = step.run(rows, 0.5, 1e-2);
            }
            Map<String, Tensor> values = step.values();
            step.parameters().forEach(p -> assertNotEquals(p.initial(), values.get(p.name()), p.name() + ", seed " + seed));
            for (int t = 0; t < 12; t++) {
                assertTrue(last[t] < 0.7 * first[t], "from " + first[t] + " to " + last[t] + ", seed " + seed);
            }
        }
    }

    @Test
    void theForwardGraphReadsTheParameters() {
        try (TrainingStep step = step()) {
            Map<String, Tensor> values = step.values();
            List<String> others = step.forward(4, true).inputs().stream().map(Value::name)
                    .filter(name -> !values.containsKey(name)).toList();
            assertEquals(List.of("input", "emtal/fade"), others);
            assertEquals(List.of(4L, 3L), Arrays.stream(step.forward(4, false).outputs().get(0).shape().extents())
                    .boxed().toList());
        }
    }

    @Test
    void moreRowsThanABatchAreRefused() {
        try (TrainingStep step = step()) {
            EmtalException refusal = assertThrows(EmtalException.class, () -> step.run(new int[ROWS + 1], 1, 1e-3));
            assertEquals("step: found 21 rows, allowed are 1 to 20", refusal.getMessage());
            assertThrows(EmtalException.class, () -> step.run(new int[0], 1, 1e-3));
        }
    }

    private TrainingStep step() {
        return step(tasks, examples);
    }

    private TrainingStep step(TaskLayout tasks, PackedExamples examples) {
        List<FeatureColumn> columns = IntStream.range(0, 6)
                .mapToObj(i -> new FeatureColumn("f" + i, FeatureColumn.Kind.NUMERIC, i, 1)).toList();
        Backbone backbone = FeatureTransformer.builder().width(16).depth(2).hidden(32).build()
                .create(new FeatureLayout(columns), tasks, examples, seed);
        Recipe recipe = Recipe.builder().batchSize(ROWS).microBatchSize(8).workers(2).build();
        return new TrainingStep(backbone, Emtal.builder().experts(4).build().adapt(backbone, seed), tasks, recipe, examples,
                seed);
    }

    private PackedExamples examples() {
        SplittableRandom random = new SplittableRandom(seed);
        return PackedExamples.pack(ROWS, 6, 1, (row, inputs, labels) -> {
            labels[0] = row % 3;
            for (int i = 0; i < inputs.length; i++) {
                inputs[i] = (float) (random.nextGaussian() + (i == row % 3 ? 2 : 0));
            }
        });
    }
}

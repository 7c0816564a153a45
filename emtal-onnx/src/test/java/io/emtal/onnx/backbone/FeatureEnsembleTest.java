package io.emtal.onnx.backbone;

import ai.onnxruntime.OrtException;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.NumericColumns;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.graph.GraphSession;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.OneTask;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.TaskLayout;
import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class FeatureEnsembleTest {

    private static final int MEMBERS = 8;
    private static final int WIDTH = 8;
    private static final FeatureEnsemble SOURCE = FeatureEnsemble.builder().members(MEMBERS).width(WIDTH).depth(2)
            .hidden(12).bins(4).build();
    private static final FeatureLayout LAYOUT = new FeatureLayout(List.of(
            new FeatureColumn("a", FeatureColumn.Kind.NUMERIC, 0, 1),
            new FeatureColumn("b", FeatureColumn.Kind.NUMERIC, 1, 1),
            new FeatureColumn("c", FeatureColumn.Kind.NOMINAL, 2, 3)));

    private static PackedExamples rows(long seed) {
        return rows(seed, 1);
    }

    private static PackedExamples rows(long seed, int tasks) {
        SplittableRandom random = new SplittableRandom(seed);
        return PackedExamples.pack(50, LAYOUT.width(), tasks, (row, inputs, labels) -> {
            inputs[0] = (float) random.nextDouble(-3, 5);
            inputs[1] = 7;
            Arrays.fill(inputs, 2, 5, 0);
            inputs[2 + random.nextInt(3)] = 1;
        });
    }

    private static float[] run(Backbone backbone, float... row) throws OrtException {
        try (GraphSession session = new GraphSession(backbone.graph())) {
            return session.run(Map.of("input", Tensor.of(row, 1, row.length))).get("pooled").floats();
        }
    }

    @Test
    void everyMemberIsATokenWithAViewOfItsOwn() throws OrtException {
        for (long seed = 0; seed < 10; seed++) {
            Backbone backbone = SOURCE.create(LAYOUT, OneTask.LAYOUT, rows(seed), seed);
            assertEquals(MEMBERS, backbone.members());
            assertEquals(WIDTH, backbone.pooledWidth());
            assertEquals(2, backbone.blocks().size());
            assertTrue(backbone.blocks().stream().allMatch(block -> block.attention().isEmpty()));
            float[] pooled = run(backbone, 1, 7, 0, 1, 0);
            assertEquals(MEMBERS * WIDTH, pooled.length);
            double distance = 0;
            for (int i = WIDTH; i < pooled.length; i++) {
                distance += Math.abs(pooled[i] - pooled[i % WIDTH]);
            }
            assertTrue(distance > 0.1, "seed " + seed + ": members differ by " + distance);
        }
    }

    /** Of a column that no training row misses, nothing can be learnt about missing it. */
    @Test
    void aNumberThatWasNeverMissingCountsAsTheMean() throws OrtException {
        for (long seed = 0; seed < 10; seed++) {
            PackedExamples rows = rows(seed);
            Backbone backbone = FeatureEnsemble.builder().members(MEMBERS).width(WIDTH).bins(0).build()
                    .create(LAYOUT, OneTask.LAYOUT, rows, seed);
            float mean = backbone.graph().initializers().get("input.mean").floats()[0];
            assertArrayEquals(run(backbone, mean, 7, 0, 0, 1), run(backbone, Float.NaN, 7, 0, 0, 1), 1e-5f,
                    "seed " + seed);
        }
    }

    @Test
    void wrongSizesAreRefused() {
        EmtalException e = assertThrows(EmtalException.class, () -> FeatureEnsemble.builder().members(1).build());
        assertTrue(e.getMessage().contains("members 1") && e.getMessage().contains("2 and more"), e.getMessage());
        for (double scale : new double[] {0, -1, Double.NaN, Double.POSITIVE_INFINITY}) {
            e = assertThrows(EmtalException.class, () -> FeatureEnsemble.builder().blockScale(scale).build());
            assertTrue(e.getMessage().contains("block scale " + scale), e.getMessage());
        }
    }

    @Test
    void eachKindOfTasksHasItsMembers() {
        RealTask number = new RealTask("number", 0, 1, 1);
        BinaryTask binary = new BinaryTask("binary", 1);
        FeatureEnsemble source = FeatureEnsemble.builder().members(MEMBERS).bins(0).build();
        TaskLayout mixed = new TaskLayout(List.of(number, binary));
        assertEquals(2 * MEMBERS, source.create(LAYOUT, mixed, rows(1, 2), 1).members());
        // Nothing learns the second one.
        TaskLayout single = new TaskLayout(List.of(number, new BinaryTask("binary", 0)));
        assertEquals(MEMBERS, source.create(LAYOUT, single, rows(1, 2), 1).members());
    }

    @Test
    void numbersHaveBinsWhereTheyHelp() {
        FeatureLayout numbers = NumericColumns.layout(20);
        for (boolean linear : new boolean[] {true, false}) {
            SplittableRandom random = new SplittableRandom(1);
            PackedExamples rows = PackedExamples.pack(60, numbers.width(), 1, (row, inputs, labels) -> {
                for (int i = 0; i < inputs.length; i++) {
                    inputs[i] = (float) random.nextDouble(-1, 1);
                }
                labels[0] = linear ? inputs[0] + inputs[1] : Math.abs(inputs[0]) + Math.abs(inputs[1]);
            });
            Backbone backbone = SOURCE.create(numbers, OneTask.LAYOUT, rows, 1);
            assertEquals(!linear, backbone.graph().initializers().containsKey("input.bins.start"));
        }
    }

    /** Noise beside two columns that say it all; where there are more rows than are asked, all count the same. */
    @Test
    void columnsAreWeightedWhereItHelps() throws OrtException {
        FeatureLayout numbers = NumericColumns.layout(30);
        FeatureEnsemble source = FeatureEnsemble.builder().members(MEMBERS).width(WIDTH).bins(0).build();
        for (int size : new int[] {300, RidgeTrial.MOST_ROWS + 1}) {
            SplittableRandom random = new SplittableRandom(1);
            PackedExamples rows = PackedExamples.pack(size, numbers.width(), 1, (row, inputs, labels) -> {
                for (int i = 0; i < inputs.length; i++) {
                    inputs[i] = (float) random.nextDouble(-1, 1);
                }
                labels[0] = inputs[3] + inputs[20];
            });
            Backbone backbone = source.create(numbers, OneTask.LAYOUT, rows, 1);
            float[] row = new float[30];
            Arrays.fill(row, 0.1f);
            float[] before = run(backbone, row);
            double[] changes = new double[30];
            for (int i = 0; i < 30; i++) {
                row[i] = 1;
                float[] after = run(backbone, row);
                row[i] = 0.1f;
                for (int j = 0; j < after.length; j++) {
                    changes[i] += Math.abs(after[j] - before[j]);
                }
            }
            double[] others = IntStream.range(0, 30).filter(i -> i != 3 && i != 20).mapToDouble(i -> changes[i]).toArray();
            boolean more = Math.min(changes[3], changes[20]) > Arrays.stream(others).max().orElseThrow();
            assertEquals(size == 300, more, Arrays.toString(changes));
        }
    }

    /** The linear map is zero at first. */
    @Test
    void theBlocksSayLessWhereNumbersAreLearnt() throws OrtException {
        RealTask number = new RealTask("number", 0, 1, 1);
        BinaryTask binary = new BinaryTask("binary", 1);
        FeatureEnsemble source = FeatureEnsemble.builder().members(MEMBERS).width(WIDTH).bins(0).build();
        float[] row = {1, 7, 0, 1, 0};
        float[] classes = run(source.create(LAYOUT, new TaskLayout(List.of(binary)), rows(1), 1), row);
        float[] numbers = run(source.create(LAYOUT, new TaskLayout(List.of(number)), rows(1), 1), row);
        for (int i = 0; i < classes.length; i++) {
            assertEquals(0.4 * classes[i], numbers[i], 1e-6);
        }
        // Nothing learns the number.
        TaskLayout unlearnt = new TaskLayout(List.of(binary, new RealTask("number", 0, 1, 0)));
        assertArrayEquals(classes, run(source.create(LAYOUT, unlearnt, rows(1, 2), 1), row));
    }

    /** The linear map is zero at first. */
    @Test
    void theBlocksAreScaledAndTheLinearMapIsNot() throws OrtException {
        Backbone[] backbones = new Backbone[2];
        for (int i = 0; i < 2; i++) {
            backbones[i] = FeatureEnsemble.builder().members(MEMBERS).width(WIDTH).bins(0).blockScale(i == 0 ? 1 : 0.25)
                    .build().create(LAYOUT, OneTask.LAYOUT, rows(1), 1);
        }
        float[] row = {1, 7, 0, 1, 0};
        float[] whole = run(backbones[0], row);
        float[] scaled = run(backbones[1], row);
        for (int i = 0; i < whole.length; i++) {
            assertEquals(0.25 * whole[i], scaled[i], 1e-6);
        }
        float[] ones = new float[backbones[0].graph().initializers().get("linear.weight").floats().length];
        Arrays.fill(ones, 1);
        float[] added = new float[2];
        for (int i = 0; i < 2; i++) {
            Backbone linear = backbones[i].withInitializers(Map.of("linear.weight",
                    Tensor.of(ones, ones.length / WIDTH, WIDTH)));
            added[i] = run(linear, row)[0] - (i == 0 ? whole : scaled)[0];
        }
        assertTrue(Math.abs(added[0]) > 0.1, "added: " + added[0]);
        assertEquals(added[0], added[1], 1e-5);
    }
}

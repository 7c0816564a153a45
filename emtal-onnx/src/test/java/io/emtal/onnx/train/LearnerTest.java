package io.emtal.onnx.train;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.adapt.AdaptationMethod;
import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.adapt.FullDense;
import io.emtal.onnx.adapt.HeadsOnly;
import io.emtal.onnx.adapt.Lora;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.BackboneSource;
import io.emtal.onnx.backbone.FeatureEnsemble;
import io.emtal.onnx.backbone.FeatureTransformer;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.TaskLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.IntStream;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** The whole way from rows to a dense network, for every method. */
class LearnerTest {

    private static final int FEATURES = 6;

    static Stream<AdaptationMethod> methods() {
        return Stream.of(Emtal.builder().build(), Lora.builder().build(), new FullDense(), new HeadsOnly());
    }

    @ParameterizedTest
    @MethodSource("methods")
    void learnsAndMerges(AdaptationMethod method) {
        TrainedNetwork network = train(method, 1);
        EpochRecord first = network.history().get(1);
        EpochRecord last = network.history().get(network.history().size() - 1);
        for (int t = 0; t < first.trainLosses().length; t++) {
            assertTrue(last.trainLosses()[t] < 0.8 * first.trainLosses()[t],
                    "task " + t + ": " + first.trainLosses()[t] + " → " + last.trainLosses()[t]);
        }
        assertTrue(network.agreement() <= Learner.TOLERANCE);
    }

    @Test
    void repeatsBitByBit() {
        assertArrayEquals(train(Emtal.builder().build(), 2).model().toByteArray(),
                train(Emtal.builder().build(), 2).model().toByteArray());
    }

    @Test
    void networksPretrainedByAnotherRecipeAreRefused() {
        PackedExamples rows = PackedExamples.pack(20, 1, 1, (row, inputs, labels) -> {
            inputs[0] = row;
            labels[0] = row % 2;
        });
        FeatureLayout layout = new FeatureLayout(List.of(new FeatureColumn("f", FeatureColumn.Kind.NUMERIC, 0, 1)));
        TaskLayout tasks = new TaskLayout(List.of(new BinaryTask("b", 1)));
        Backbone backbone = FeatureTransformer.builder().width(16).depth(1).hidden(16).build()
                .create(layout, tasks, rows, 1);
        PretrainedNetwork network = new Learner(new HeadsOnly(), Recipe.builder().pretrainEpochs(1).build())
                .pretrain(backbone, false, tasks, rows, 1, TrainingListener.NONE);
        Learner other = new Learner(new HeadsOnly(), Recipe.builder().pretrainEpochs(2).build());
        EmtalException e = assertThrows(EmtalException.class, () -> other.adapt(network, TrainingListener.NONE));
        assertTrue(e.getMessage().contains("another recipe"), e.getMessage());
    }

    /** A backbone that had seen them would be tested on what it knows. */
    @Test
    void rowsThatTestAreNotToBeKnownBefore() {
        PackedExamples rows = SmallTraining.rows(1);
        Backbone backbone = SmallTraining.backbone(rows, 1);
        Learner learner = new Learner(new HeadsOnly(), Recipe.builder().pretrainEpochs(1).testFraction(0.25)
                .build());
        int[] tested = learner.pretrain(backbone, false, SmallTraining.tasks(), rows, 5, TrainingListener.NONE).heldOut()
                .tested();
        Examples known = learner.untested(rows, 5);
        assertEquals(rows.size() / 4, tested.length);
        assertArrayEquals(IntStream.range(0, rows.size()).toArray(), IntStream.concat(Arrays.stream(tested),
                IntStream.range(0, known.size()).map(known::original)).sorted().toArray());
        assertSame(rows, new Learner(new HeadsOnly(), SmallTraining.recipe()).untested(rows, 5));
    }

    @Test
    void batchesThatNoArrayHoldsAreRefused() {
        FeatureLayout layout = new FeatureLayout(List.of(new FeatureColumn("f", FeatureColumn.Kind.NUMERIC, 0, 1)));
        PackedExamples rows = PackedExamples.pack(30_000, 1, 1, (row, inputs, labels) -> labels[0] = 0);
        TaskLayout tasks = new TaskLayout(List.of(new CategoricalTask("c", 100_000, 1)));
        Backbone backbone = FeatureTransformer.builder().width(16).depth(1).hidden(16).build()
                .create(layout, tasks, rows, 1);
        Recipe recipe = Recipe.builder().batchSize(30_000).microBatchSize(8).validationFraction(0).build();
        Learner learner = new Learner(new HeadsOnly(), recipe);
        String message = assertThrows(EmtalException.class,
                () -> learner.train(backbone, false, tasks, rows, 1, TrainingListener.NONE)).getMessage();
        assertTrue(message.startsWith("PRETRAIN: found batches of 30000 rows with 100000 numbers each"), message);
    }

    /** With one labelled row, either the training rows or the held-out rows have none. */
    @Test
    void heldOutRowsWithoutLabelsAreRefused() {
        FeatureLayout layout = new FeatureLayout(List.of(new FeatureColumn("f", FeatureColumn.Kind.NUMERIC, 0, 1)));
        PackedExamples rows = PackedExamples.pack(20, 1, 1, (row, inputs, labels) -> {
            inputs[0] = row;
            labels[0] = row == 0 ? 1 : Float.NaN;
        });
        TaskLayout tasks = new TaskLayout(List.of(new RealTask("r", 0, 1, 1)));
        Recipe recipe = Recipe.builder().pretrainEpochs(1).epochs(1).validationFraction(0.5).build();
        for (long seed = 0; seed < 4; seed++) {
            Backbone backbone = FeatureTransformer.builder().width(16).depth(1).hidden(16).build()
                    .create(layout, tasks, rows, seed);
            Learner learner = new Learner(new HeadsOnly(), recipe);
            long used = seed;
            assertThrows(EmtalException.class,
                    () -> learner.train(backbone, false, tasks, rows, used, TrainingListener.NONE), "seed " + seed);
        }
    }

    /** Together an ensemble's members learn from all rows, and the epoch is chosen by members that have not seen them. */
    @Test
    void ensemblesLearnAndMerge() {
        BackboneSource source = FeatureEnsemble.builder().members(5).width(16).depth(1).hidden(32).build();
        TrainedNetwork network = train(Emtal.builder().build(), source, 3);
        EpochRecord start = network.history().get(0);
        EpochRecord best = network.history().stream()
                .filter(e -> e.phase() == Phase.ADAPT && e.epoch() == network.bestEpoch()).findFirst().orElseThrow();
        for (int t = 0; t < start.validationLosses().length; t++) {
            assertTrue(best.validationLosses()[t] < 0.8 * start.validationLosses()[t],
                    "task " + t + ": " + start.validationLosses()[t] + " → " + best.validationLosses()[t]);
        }
        assertTrue(network.agreement() <= Learner.TOLERANCE);
        assertArrayEquals(network.model().toByteArray(), train(Emtal.builder().build(), source, 3).model().toByteArray());
    }

    private static TrainedNetwork train(AdaptationMethod method, long seed) {
        return train(method, FeatureTransformer.builder().width(32).depth(1).hidden(64).build(), seed);
    }

    private static TrainedNetwork train(AdaptationMethod method, BackboneSource source, long seed) {
        List<FeatureColumn> columns = new ArrayList<>();
        IntStream.range(0, FEATURES).forEach(i ->
                columns.add(new FeatureColumn("f" + i, FeatureColumn.Kind.NUMERIC, i, 1)));
        FeatureLayout layout = new FeatureLayout(columns);
        Random random = new Random(seed);
        PackedExamples rows = PackedExamples.pack(200, FEATURES, 3, (row, inputs, labels) -> {
            for (int i = 0; i < FEATURES; i++) {
                inputs[i] = random.nextInt(20) == 0 ? Float.NaN : (float) random.nextGaussian();
            }
            float a = Float.isNaN(inputs[0]) ? 0 : inputs[0];
            float b = Float.isNaN(inputs[1]) ? 0 : inputs[1];
            labels[0] = a > 0.5 ? 2 : a > -0.5 ? 1 : 0;
            labels[1] = random.nextInt(4) == 0 ? Float.NaN : a * b > 0 ? 1 : 0;
            labels[2] = a + b;
        });
        TaskLayout tasks = new TaskLayout(List.of(new CategoricalTask("c", 3, 1),
                new BinaryTask("b", 1), new RealTask("r", 0, 1.4, 1)));
        Recipe recipe = Recipe.builder().pretrainEpochs(20).epochs(12).dropout(0).inputDropout(0).workers(2).build();
        Backbone backbone = source.create(layout, tasks, rows, seed);
        return new Learner(method, recipe).train(backbone, false, tasks, rows, seed, TrainingListener.NONE);
    }
}

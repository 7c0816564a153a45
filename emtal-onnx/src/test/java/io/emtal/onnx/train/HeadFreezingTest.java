package io.emtal.onnx.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

class HeadFreezingTest {

    private static final double NOTHING = Double.NaN;

    /** Two outputs of two inputs and a bias each for the first task, one for the second. */
    private final NetworkCompiler compiler = new PhaseStateFixture().compiler();

    @AfterEach
    void clearInterrupt() {
        Thread.interrupted();
    }

    @Test
    void aHeadIsFrozenAfterSoManyEpochsWithoutImprovementAndStaysSo() {
        HeadFreezing freezing = new HeadFreezing(compiler, 2);
        double[][] losses = {{1, 1}, {1.5, 0.5}, {0.75, 0.5}, {0.75, NOTHING}, {}, {0.8, 0.4}, {0.1, 0.3}};
        List<List<Integer>> frozen = Arrays.stream(losses).map(each -> {
            freezing.judge(each);
            return freezing.frozen();
        }).toList();
        assertEquals(List.of(List.of(), List.of(), List.of(), List.of(), List.of(), List.of(0), List.of(0)), frozen);
        HeadFreezing never = new HeadFreezing(compiler, 0);
        for (int epoch = 0; epoch < 20; epoch++) {
            never.judge(new double[] {1, 1});
        }
        assertEquals(List.of(), never.frozen());
    }

    @Test
    void aFrozenHeadHasNoGradientAndKeepsItsValues() {
        HeadFreezing freezing = new HeadFreezing(compiler, 1);
        freezing.judge(new double[] {1, 1});
        freezing.judge(new double[] {2, 0.5});
        float[] values = {1, 2, 3, 4, 5, 6, 7, 8, 9};
        float[] gradient = {1, 1, 1, 1, 1, 1, 1, 1, 1};
        assertTrue(freezing.step(values, gradient, (v, g) -> {
            assertArrayEquals(new float[] {0, 0, 0, 0, 0, 0, 1, 1, 1}, g);
            for (int i = 0; i < v.length; i++) {
                v[i] = v[i] / 2 - g[i];
            }
            return true;
        }));
        assertArrayEquals(new float[] {1, 2, 3, 4, 5, 6, 2.5f, 3, 3.5f}, values);
    }

    private static Recipe recipe() {
        return Recipe.builder().pretrainEpochs(SmallTraining.PRETRAIN_EPOCHS).epochs(SmallTraining.EPOCHS).batchSize(16)
                .workers(2).averageDecay(0.9).validationFraction(0.125).headPatience(1)
                .sampler(TemperatureSampler.balanced()).build();
    }

    private static List<List<Integer>> frozen(TrainedNetwork network) {
        return network.history().stream().map(EpochRecord::frozenHeads).toList();
    }

    /** Freezing and sampling are what they would have been without the interrupt. */
    @ParameterizedTest
    @CsvSource({"PRETRAIN, 15", "ADAPT, 20", "ADAPT, 33"})
    void aResumedTrainingFreezesTheSameHeads(Phase phase, int step, @TempDir Path directory) {
        TrainedNetwork alone = SmallTraining.train(recipe(), 1, 1, Optional.empty(), TrainingListener.NONE);
        assertTrue(frozen(alone).stream().anyMatch(heads -> !heads.isEmpty()), () -> frozen(alone).toString());
        Optional<Checkpoints> checkpoints = Optional.of(Checkpoints.in(directory));
        SmallTraining.train(recipe(), 1, 1, checkpoints, new TrainingListener() {
            @Override
            public void step(StepEvent event) {
                if (event.phase() == phase && event.step() == step) {
                    Thread.currentThread().interrupt();
                }
            }
        });
        assertTrue(Thread.interrupted());
        TrainedNetwork resumed = SmallTraining.train(recipe(), 1, 1, checkpoints, TrainingListener.NONE);
        assertArrayEquals(alone.model().toByteArray(), resumed.model().toByteArray());
        assertEquals(frozen(alone), frozen(resumed));
    }

    @Test
    void frozenHeadsChangeWhatIsLearnt() {
        Recipe without = Recipe.builder().pretrainEpochs(SmallTraining.PRETRAIN_EPOCHS).epochs(SmallTraining.EPOCHS)
                .batchSize(16).workers(2).averageDecay(0.9).validationFraction(0.125)
                .sampler(TemperatureSampler.balanced()).build();
        TrainedNetwork free = SmallTraining.train(without, 1, 1, Optional.empty(), TrainingListener.NONE);
        assertTrue(frozen(free).stream().allMatch(List::isEmpty));
        TrainedNetwork frozen = SmallTraining.train(recipe(), 1, 1, Optional.empty(), TrainingListener.NONE);
        assertNotEquals(free.history().get(free.history().size() - 1).validationLosses()[1],
                frozen.history().get(frozen.history().size() - 1).validationLosses()[1]);
    }

    @Test
    void withoutHeldOutRowsThereIsNothingToJudgeBy() {
        Recipe blind = Recipe.builder().pretrainEpochs(1).epochs(1).validationFraction(0).headPatience(3).build();
        var e = assertThrows(EmtalException.class,
                () -> SmallTraining.train(blind, 1, 1, Optional.empty(), TrainingListener.NONE));
        assertTrue(e.getMessage().contains("head patience of 3"), e.getMessage());
        assertThrows(EmtalException.class, () -> Recipe.builder().headPatience(-1).build());
    }
}

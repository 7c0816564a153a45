package io.emtal.onnx.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Trainings that end early and go on from their checkpoints. */
class CheckpointsTest {

    private static TrainedNetwork uninterrupted;

    @TempDir
    private Path directory;

    @BeforeAll
    static void trainWithoutCheckpoints() {
        uninterrupted = SmallTraining.train(Optional.empty(), TrainingListener.NONE);
    }

    /** Ends a training as nothing in it expects. */
    private static final class Crash extends Error {
        private static final long serialVersionUID = 1L;
    }

    private static TrainingListener crashAfter(Phase phase, int step) {
        return new TrainingListener() {
            @Override
            public void step(StepEvent event) {
                if (event.phase() == phase && event.step() == step) {
                    throw new Crash();
                }
            }
        };
    }

    /** Writes down the steps. */
    private static final class Steps implements TrainingListener {

        private final List<String> done = new ArrayList<>();

        @Override
        public void step(StepEvent event) {
            done.add(event.phase() + " " + event.step());
        }
    }

    private Checkpoints every(int steps) {
        return Checkpoints.builder(directory).everySteps(steps).everyMinutes(0).build();
    }

    private static void assertSame(TrainedNetwork expected, TrainedNetwork found) {
        assertArrayEquals(expected.model().toByteArray(), found.model().toByteArray());
        assertEquals(expected.bestEpoch(), found.bestEpoch());
        assertEquals(expected.stop(), found.stop());
        assertEquals(expected.expertLoad().keySet(), found.expertLoad().keySet());
        expected.expertLoad().forEach((block, load) -> assertArrayEquals(load, found.expertLoad().get(block)));
        assertEquals(expected.history().size(), found.history().size());
        for (int i = 0; i < expected.history().size(); i++) {
            EpochRecord a = expected.history().get(i);
            EpochRecord b = found.history().get(i);
            assertEquals(List.of(a.phase(), a.epoch(), a.step(), a.learningRate(), a.fade(), a.routerEntropy()),
                    List.of(b.phase(), b.epoch(), b.step(), b.learningRate(), b.fade(), b.routerEntropy()));
            assertArrayEquals(a.trainLosses(), b.trainLosses());
            assertArrayEquals(a.validationLosses(), b.validationLosses());
            assertArrayEquals(a.retainingWeights(), b.retainingWeights());
        }
    }

    @Test
    void checkpointsChangeNothing() {
        assertSame(uninterrupted, SmallTraining.train(Optional.of(every(1)), TrainingListener.NONE));
    }

    /** In either phase: at its first step, within an epoch, at an epoch's last step, at the phase's last. */
    @ParameterizedTest
    @CsvSource({"PRETRAIN, 1, 1", "PRETRAIN, 8, 4", "PRETRAIN, 13, 1", "PRETRAIN, 18, 4", "ADAPT, 1, 1", "ADAPT, 10, 4",
        "ADAPT, 19, 1", "ADAPT, 31, 4", "ADAPT, 36, 1"})
    void fault19_aTrainingThatCrashedEndsWithTheSameBits(Phase phase, int step, int every) {
        assertThrows(Crash.class, () -> SmallTraining.train(Optional.of(every(every)), crashAfter(phase, step)));
        Steps steps = new Steps();
        assertSame(uninterrupted, SmallTraining.train(Optional.of(every(every)), steps));
        // The crash came before the checkpoint of its step.
        int saved = (step - 1) / every * every;
        assertEquals(phase == Phase.PRETRAIN ? SmallTraining.PRETRAIN_STEPS - saved + SmallTraining.STEPS
                : SmallTraining.STEPS - saved, steps.done.size(), "steps done again");
    }

    @Test
    void aTrainingThatCrashesAgainAndAgainEndsWithTheSameBits() {
        for (int step = 3; step <= SmallTraining.STEPS; step += 9) {
            int next = step;
            assertThrows(Crash.class, () -> SmallTraining.train(Optional.of(every(2)), crashAfter(Phase.ADAPT, next)));
        }
        assertSame(uninterrupted, SmallTraining.train(Optional.of(every(2)), TrainingListener.NONE));
    }

    @Test
    void whatHasEndedIsNotTrainedAgain() {
        SmallTraining.train(Optional.of(every(5)), TrainingListener.NONE);
        Steps steps = new Steps();
        assertSame(uninterrupted, SmallTraining.train(Optional.of(every(5)), steps));
        assertEquals(List.of(), steps.done);
    }

    @Test
    void theLatestCheckpointsAreKept() throws IOException {
        SmallTraining.train(Optional.of(Checkpoints.builder(directory).everySteps(5).keep(3).build()), TrainingListener.NONE);
        assertEquals(List.of("lock", "step-0000000030.emtal", "step-0000000035.emtal", "step-0000000036.emtal"),
                names(directory.resolve("adapt")));
        assertEquals(List.of("lock", "step-0000000010.emtal", "step-0000000015.emtal", "step-0000000018.emtal"),
                names(directory.resolve("pretrain")));
    }

    @Test
    void aShortTimeIsOverAtEveryStep() throws IOException {
        SmallTraining.train(Optional.of(Checkpoints.builder(directory).everyMinutes(1e-9).keep(100).build()),
                TrainingListener.NONE);
        assertEquals(1 + SmallTraining.STEPS, names(directory.resolve("adapt")).size());
    }

    private static List<String> names(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString()).sorted().toList();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"everySteps", "everyMinutes", "keep", "neither"})
    void settingsOutOfTheirRangeAreRefused(String what) {
        Checkpoints.Builder builder = Checkpoints.builder(directory);
        switch (what) {
            case "everySteps" -> builder.everySteps(-1);
            case "everyMinutes" -> builder.everyMinutes(Double.NaN);
            case "keep" -> builder.keep(0);
            default -> builder.everySteps(0).everyMinutes(0);
        }
        String message = assertThrows(EmtalException.class, builder::build).getMessage();
        assertTrue(message.contains("allowed are"), message);
    }

    @Test
    void whatIsBuiltIsNotChangedByItsBuilder() {
        Checkpoints.Builder builder = Checkpoints.builder(directory).keep(3);
        Checkpoints first = builder.build();
        Checkpoints second = builder.keep(4).build();
        assertEquals(List.of(3, 4), List.of(first.keep(), second.keep()));
        assertEquals(List.of(directory, directory), List.of(first.directory(), second.directory()));
    }
}

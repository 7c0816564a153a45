package io.emtal.onnx.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.FeatureTransformer;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.PackedExamples;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Trainings that are interrupted, or fail, in the middle. */
class StoppedTrainingTest {

    private static TrainedNetwork uninterrupted;

    @TempDir
    private Path directory;

    @BeforeAll
    static void trainWithoutCheckpoints() {
        uninterrupted = SmallTraining.train(Optional.empty(), TrainingListener.NONE);
    }

    @AfterEach
    void clearInterrupt() {
        Thread.interrupted();
    }

    private Optional<Checkpoints> checkpoints() {
        return Optional.of(Checkpoints.in(directory));
    }

    /** Does something after a step, and writes down the steps. */
    private static final class At implements TrainingListener {

        private final Phase phase;
        private final int step;
        private final Runnable action;
        private final List<String> done = new ArrayList<>();

        private At(Phase phase, int step, Runnable action) {
            this.phase = phase;
            this.step = step;
            this.action = action;
        }

        @Override
        public void step(StepEvent event) {
            done.add(event.phase() + " " + event.step());
            if (event.phase() == phase && event.step() == step) {
                action.run();
            }
        }

        private String last() {
            return done.get(done.size() - 1);
        }
    }

    /** The best at a = 1 so far: of the dense phase while the fade is below 1, then of the adaptation. */
    @ParameterizedTest
    @CsvSource({"PRETRAIN, 9", "ADAPT, 1", "ADAPT, 10", "ADAPT, 20", "ADAPT, 29", "ADAPT, 36"})
    void fault22_anInterruptEndsWithinOneStepWithTheBestNetworkAndIsResumed(Phase phase, int step) {
        At listener = new At(phase, step, Thread.currentThread()::interrupt);
        TrainedNetwork stopped = SmallTraining.train(checkpoints(), listener);
        assertTrue(Thread.interrupted(), "the thread has forgotten the interrupt");
        assertEquals(phase + " " + step, listener.last());
        boolean last = phase == Phase.ADAPT && step == SmallTraining.STEPS;
        assertEquals(last ? Optional.empty() : Optional.of(new Stop(phase, step,
                phase == Phase.PRETRAIN ? SmallTraining.PRETRAIN_STEPS : SmallTraining.STEPS)), stopped.stop());
        EpochRecord taken = stopped.history().stream().filter(e -> e.epoch() == stopped.bestEpoch()
                && e.phase() == stopped.history().get(stopped.history().size() - 1).phase()).findFirst().orElseThrow();
        assertEquals(1, taken.fade());
        double score = mean(taken);
        stopped.history().stream().filter(e -> e.phase() == taken.phase() && e.validationLosses().length > 0)
                .forEach(e -> assertTrue(score <= mean(e), e.toString()));
        assertTrue(stopped.agreement() <= Learner.TOLERANCE);

        TrainedNetwork resumed = SmallTraining.train(checkpoints(), TrainingListener.NONE);
        assertArrayEquals(uninterrupted.model().toByteArray(), resumed.model().toByteArray());
        assertEquals(Optional.empty(), resumed.stop());
    }

    private static double mean(EpochRecord epoch) {
        return TaskMean.of(SmallTraining.tasks().tasks(), epoch.validationLosses()).orElseThrow();
    }

    /** A saved training gives its best network to a thread that is interrupted from the start. */
    @Test
    void fault22_anInterruptedThreadGetsTheBestNetworkOfACheckpoint() {
        SmallTraining.train(checkpoints(), new At(Phase.ADAPT, 29, Thread.currentThread()::interrupt));
        At listener = new At(Phase.ADAPT, 0, () -> { });
        TrainedNetwork again = SmallTraining.train(checkpoints(), listener);
        assertTrue(Thread.interrupted());
        assertEquals(List.of(), listener.done);
        assertEquals(Optional.of(new Stop(Phase.ADAPT, 29, SmallTraining.STEPS)), again.stop());
    }

    @Test
    void fault22_withoutANetworkSoFarAnInterruptIsRefusedWithAWayOn() {
        PackedExamples rows = SmallTraining.rows(1);
        Learner learner = new Learner(Emtal.builder().experts(4).rank(2).build(), SmallTraining.recipe(), checkpoints());
        At listener = new At(Phase.ADAPT, 4, Thread.currentThread()::interrupt);
        String message = assertThrows(EmtalException.class, () -> learner.train(SmallTraining.backbone(rows, 1), true,
                SmallTraining.tasks(), rows, 7, listener)).getMessage();
        assertTrue(Thread.interrupted());
        assertEquals("ADAPT 4", listener.last());
        assertTrue(message.contains("ADAPT, after step 4 of") && message.contains("no model yet")
                && message.contains(directory.toString()), message);
        TrainedNetwork resumed = learner.train(SmallTraining.backbone(rows, 1), true, SmallTraining.tasks(), rows, 7,
                TrainingListener.NONE);
        TrainedNetwork alone = new Learner(Emtal.builder().experts(4).rank(2).build(), SmallTraining.recipe())
                .train(SmallTraining.backbone(rows, 1), true, SmallTraining.tasks(), rows, 7, TrainingListener.NONE);
        assertArrayEquals(alone.model().toByteArray(), resumed.model().toByteArray());
    }

    /** Of steps that are far too large. */
    @Test
    void fault22_anInterruptWhileNoEpochIsAsGoodAsTheStartIsRefusedSayingSo() {
        Recipe diverging = Recipe.builder().pretrainEpochs(SmallTraining.PRETRAIN_EPOCHS).epochs(1).batchSize(16)
                .workers(2).pretrainSchedule(new CosineSchedule(1, 1, 0.01)).averageDecay(0).build();
        List<EpochRecord> epochs = new ArrayList<>();
        TrainingListener listener = new TrainingListener() {
            @Override
            public void epoch(EpochRecord epoch) {
                epochs.add(epoch);
                Thread.currentThread().interrupt();
            }
        };
        String message = assertThrows(EmtalException.class, () -> SmallTraining.train(diverging, 1, 1, Optional.empty(),
                listener)).getMessage();
        assertTrue(Thread.interrupted());
        assertEquals(1, epochs.size());
        assertTrue(message.contains("before any epoch at a = 1 was as good as the start"), message);
    }

    @Test
    void moreStepsThanCanBeCountedAreRefused() {
        Recipe endless = Recipe.builder().pretrainEpochs(Integer.MAX_VALUE).batchSize(16).build();
        String message = assertThrows(EmtalException.class, () -> SmallTraining.train(endless, 1, 1, Optional.empty(),
                TrainingListener.NONE)).getMessage();
        assertEquals("PRETRAIN: found 2147483647 epochs of 6 steps, allowed are 2147483647 steps in all", message);
    }

    /** Rows whose inputs are too large for the network in an epoch, unless they are cured. */
    private static final class Poisoned implements Examples {

        private final Examples rows;
        private final int epoch;
        private int epochs;

        private Poisoned(Examples rows, int epoch) {
            this.rows = rows;
            this.epoch = epoch;
        }

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
            rows.inputs(row, target);
        }

        @Override
        public float label(int row, int task) {
            return rows.label(row, task);
        }

        @Override
        public boolean augments() {
            return true;
        }

        @Override
        public Examples augmented(long seed) {
            if (seed == TrainingIdentity.SAMPLED_EPOCH || ++epochs != epoch) {
                return this;
            }
            return PackedExamples.pack(size(), width(), SmallTraining.tasks().size(), (row, inputs, labels) -> {
                Arrays.fill(inputs, Float.POSITIVE_INFINITY);
                for (int t = 0; t < labels.length; t++) {
                    labels[t] = rows.label(row, t);
                }
            });
        }
    }

    /** Takes what it reads for values of one nominal column, which are as large as they are. */
    private static Backbone nominal(Examples rows) {
        return FeatureTransformer.builder().width(16).depth(1).hidden(16).build().create(
                new FeatureLayout(List.of(new FeatureColumn("n", FeatureColumn.Kind.NOMINAL, 0, rows.width()))),
                SmallTraining.tasks(), rows, 1);
    }

    private TrainedNetwork trainPoisoned(int epoch, Optional<Checkpoints> saved) {
        PackedExamples rows = SmallTraining.rows(1);
        return new Learner(Emtal.builder().experts(4).rank(2).build(), SmallTraining.recipe(), saved).train(
                nominal(rows), false, SmallTraining.tasks(), new Poisoned(rows, epoch), 7,
                TrainingListener.NONE);
    }

    @Test
    void fault11_aLossThatIsNoNumberStopsWithTheLastGoodState() {
        int epoch = SmallTraining.PRETRAIN_EPOCHS + 3;
        int good = 2 * SmallTraining.STEPS_OF_EPOCH;
        String message = assertThrows(EmtalException.class, () -> trainPoisoned(epoch, checkpoints())).getMessage();
        assertTrue(message.contains("ADAPT, step " + (good + 1) + ", task '"), message);
        String state = String.format(Locale.ROOT, "step-%010d.emtal", good);
        assertTrue(Files.exists(directory.resolve("adapt").resolve(state)));
        assertArrayEquals(trainPoisoned(0, Optional.empty()).model().toByteArray(),
                trainPoisoned(0, checkpoints()).model().toByteArray());
    }

    @Test
    void fault11_aLossOfHeldOutRowsThatIsNoNumberNamesItsTask() {
        PackedExamples rows = SmallTraining.rows(1);
        Examples infinite = new Poisoned(rows, 1).augmented(1);
        Learner learner = new Learner(Emtal.builder().experts(4).rank(2).build(), SmallTraining.recipe());
        String message = assertThrows(EmtalException.class, () -> learner.train(nominal(rows), false,
                SmallTraining.tasks(), infinite, 7, TrainingListener.NONE)).getMessage();
        assertTrue(message.startsWith("PRETRAIN, task 'c': the loss on the held-out rows is NaN"), message);
    }

    @Test
    void fault20_aCheckpointThatCannotBeWrittenEndsTheTrainingAndTheOneBeforeIsResumed() throws IOException {
        Optional<Checkpoints> every = Optional.of(Checkpoints.builder(directory).everySteps(5).build());
        Path inTheWay = directory.resolve("adapt").resolve("step-0000000020.emtal.part");
        String message = assertThrows(EmtalException.class, () -> SmallTraining.train(every, new At(Phase.ADAPT, 18, () -> {
            try {
                Files.createDirectories(inTheWay.resolve("full"));
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        }))).getMessage();
        assertTrue(message.contains("step-0000000020.emtal: the checkpoint cannot be written"), message);
        Files.delete(inTheWay.resolve("full"));
        At listener = new At(Phase.ADAPT, 0, () -> { });
        TrainedNetwork resumed = SmallTraining.train(every, listener);
        assertEquals("ADAPT 16", listener.done.get(0));
        assertArrayEquals(uninterrupted.model().toByteArray(), resumed.model().toByteArray());
    }

    /** The backbone, the recipe, the rows: each refused by its name, and nothing in the directory changed. */
    @Test
    void fault8_aCheckpointOfAnotherTrainingIsRefused() throws IOException {
        SmallTraining.train(checkpoints(), TrainingListener.NONE);
        Recipe longer = Recipe.builder().pretrainEpochs(SmallTraining.PRETRAIN_EPOCHS).epochs(SmallTraining.EPOCHS + 1)
                .batchSize(16).workers(2).dropout(0.1).inputDropout(0.1).averageDecay(0.9).validationFraction(0.125).build();
        assertRefused("backbone", () -> SmallTraining.train(SmallTraining.recipe(), 1, 2, checkpoints(),
                TrainingListener.NONE));
        assertRefused("recipe", () -> SmallTraining.train(longer, 1, 1, checkpoints(), TrainingListener.NONE));
        // Other rows give other statistics, and so another fresh backbone: a pre-trained one tells the rows apart.
        PackedExamples rows = SmallTraining.rows(1);
        Learner learner = new Learner(Emtal.builder().experts(4).rank(2).build(), SmallTraining.recipe(),
                Optional.of(Checkpoints.in(directory.resolve("pretrained"))));
        learner.train(SmallTraining.backbone(rows, 1), true, SmallTraining.tasks(), rows, 7, TrainingListener.NONE);
        assertRefused("rows", () -> learner.train(SmallTraining.backbone(rows, 1), true, SmallTraining.tasks(),
                SmallTraining.rows(2), 7, TrainingListener.NONE));
        assertRefused("seed", () -> learner.train(SmallTraining.backbone(rows, 1), true, SmallTraining.tasks(), rows, 8,
                TrainingListener.NONE));
        assertFalse(Files.exists(directory.resolve("adapt").resolve("step-0000000042.emtal")));
    }

    private static void assertRefused(String what, Runnable training) {
        String message = assertThrows(EmtalException.class, training::run).getMessage();
        assertTrue(message.contains("its " + what + " is ") && message.contains("allowed is"), message);
    }
}

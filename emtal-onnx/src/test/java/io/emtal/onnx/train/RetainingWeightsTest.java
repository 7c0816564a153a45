package io.emtal.onnx.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.task.QualityRetaining;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/** The weights of quality retaining in the history of trainings. */
class RetainingWeightsTest {

    private static final double MAXIMUM = 1.25;
    private static final QualityRetaining RUNNING = QualityRetaining.builder().binaryTasks(true).maximumWeight(MAXIMUM)
            .build();

    @AfterEach
    void clearInterrupt() {
        Thread.interrupted();
    }

    private static TrainedNetwork train(QualityRetaining retaining, Optional<Checkpoints> checkpoints,
                                        TrainingListener listener) {
        PackedExamples rows = SmallTraining.rows(1);
        Emtal method = Emtal.builder().experts(4).rank(2).qualityRetaining(retaining).build();
        return new Learner(method, SmallTraining.recipe(), checkpoints)
                .train(SmallTraining.backbone(rows, 1), false, SmallTraining.tasks(), rows, 7, listener);
    }

    private static List<double[]> weights(TrainedNetwork network, Phase phase) {
        return network.history().stream().filter(epoch -> epoch.phase() == phase).map(EpochRecord::retainingWeights)
                .toList();
    }

    /** Forms the running losses from the losses of the adaptation's steps, as the formula has it. */
    private static final class RunningLosses implements TrainingListener {

        private final double[] weightedSums = new double[2];
        private final double[] sumsOfWeights = new double[2];
        private final List<double[]> weights = new ArrayList<>();

        @Override
        public void step(StepEvent event) {
            for (int t = 0; t < 2 && event.phase() == Phase.ADAPT; t++) {
                if (!Double.isNaN(event.taskLosses()[t])) {
                    weightedSums[t] = 0.95 * weightedSums[t] + event.taskLosses()[t];
                    sumsOfWeights[t] = 0.95 * sumsOfWeights[t] + 1;
                }
            }
        }

        @Override
        public void epoch(EpochRecord epoch) {
            if (epoch.phase() == Phase.ADAPT) {
                weights.add(new double[] {weight(0), weight(1), Double.NaN});
            }
        }

        private double weight(int t) {
            return Math.min(sumsOfWeights[t] / weightedSums[t], MAXIMUM);
        }
    }

    @Test
    void aRecordHasOneOverTheRunningLossesAfterItsLastStep() {
        RunningLosses expected = new RunningLosses();
        TrainedNetwork network = train(RUNNING, Optional.empty(), expected);
        List<double[]> found = weights(network, Phase.ADAPT);
        assertEquals(1 + SmallTraining.EPOCHS, found.size());
        assertArrayEquals(new double[] {0, 0, Double.NaN}, found.get(0));
        for (int epoch = 1; epoch <= SmallTraining.EPOCHS; epoch++) {
            assertArrayEquals(expected.weights.get(epoch - 1), found.get(epoch), 1e-9, "epoch " + epoch);
        }
        assertTrue(found.stream().anyMatch(each -> each[0] > 0 && each[0] < MAXIMUM), "no running loss was seen");
        assertTrue(weights(network, Phase.PRETRAIN).stream().allMatch(each -> each.length == 0));
    }

    @Test
    void aResumedTrainingHasTheSameWeights(@TempDir Path directory) {
        TrainedNetwork alone = train(RUNNING, Optional.empty(), TrainingListener.NONE);
        Optional<Checkpoints> checkpoints = Optional.of(Checkpoints.in(directory));
        train(RUNNING, checkpoints, SmallTraining.interruptAfter(Phase.ADAPT, 2 * SmallTraining.STEPS_OF_EPOCH + 1));
        assertTrue(Thread.interrupted());
        TrainedNetwork resumed = train(RUNNING, checkpoints, TrainingListener.NONE);
        assertArrayEquals(alone.model().toByteArray(), resumed.model().toByteArray());
        assertArrayEquals(weights(alone, Phase.ADAPT).toArray(), weights(resumed, Phase.ADAPT).toArray());
    }

    @Test
    void withoutQualityRetainingARecordHasNone() {
        assertTrue(weights(train(QualityRetaining.off(), Optional.empty(), TrainingListener.NONE), Phase.ADAPT).stream()
                .allMatch(each -> each.length == 0));
    }
}

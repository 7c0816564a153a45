package io.emtal.tribuo;

import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.train.EpochRecord;
import io.emtal.onnx.train.Phase;
import org.junit.jupiter.api.Test;
import org.tribuo.multilabel.MultiLabel;

import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

class TaskProgressTest {

    private static EpochRecord epoch(Phase phase, int epoch, double... held) {
        return new EpochRecord(phase, epoch, epoch, 1e-3, 1, new double[] {9, 9, 9}, held, Double.NaN, 1, 0);
    }

    private static EpochRecord weighted(EpochRecord epoch, double... weights) {
        return new EpochRecord(epoch.phase(), epoch.epoch(), epoch.step(), epoch.learningRate(), epoch.fade(),
                epoch.trainLosses(), epoch.validationLosses(), epoch.routerEntropy(), epoch.seconds(),
                epoch.inputSeconds(), weights, epoch.frozenHeads());
    }

    @Test
    void eachTaskHasItsBestAndTheChosenEpochIsOneForAll() {
        List<TaskProgress> progress = TaskProgress.of(List.of(new BinaryTask("early", 1),
                new RealTask("unlabelled", 0, 1, 1), new RealTask("late", 0, 1, 1)), List.of(
                epoch(Phase.PRETRAIN, 0, 2, Double.NaN, 4),
                epoch(Phase.PRETRAIN, 1, 0.5, Double.NaN, 3),
                epoch(Phase.PRETRAIN, 2, 0.5, Double.NaN, 2),
                epoch(Phase.PRETRAIN, 3, 0.5, Double.NaN, 2),
                epoch(Phase.PRETRAIN, 4, 1.75, Double.NaN, 0.7),
                weighted(epoch(Phase.ADAPT, 0, 1, Double.NaN, 1.5), 0.25, 0.5, Double.NaN),
                epoch(Phase.ADAPT, 1),
                weighted(epoch(Phase.ADAPT, 2, 1, Double.NaN, 2), 0.75, 0.5, Double.NaN)));
        // The products are 8, 1.5, 1, 1 and 1.225: of the equal ones the last. The fourth epoch has the least sum.
        assertEquals(List.of(new TaskProgress(Phase.PRETRAIN, "early", 1, 0.5, 3, 0.5, Double.NaN, 4, 1.75),
                new TaskProgress(Phase.PRETRAIN, "late", 4, 0.7, 3, 2, Double.NaN, 4, 0.7),
                new TaskProgress(Phase.ADAPT, "early", 0, 1, 0, 1, 0.25, 2, 1),
                new TaskProgress(Phase.ADAPT, "late", 0, 1.5, 0, 1.5, Double.NaN, 2, 2)), progress);
    }

    @Test
    void withoutHeldOutRowsThereIsNone() {
        assertEquals(List.of(), TaskProgress.of(List.of(new BinaryTask("t", 1)),
                List.of(epoch(Phase.PRETRAIN, 1), epoch(Phase.ADAPT, 1))));
    }

    @Test
    void theChosenEpochIsTheOneThatTheTrainingTook() {
        try (EmtalModel<MultiLabel> model = TestData.<MultiLabel>quickTrainer().build()
                .train(TestData.multiLabels(60, 4))) {
            List<TaskProgress> adapted = model.training().taskProgress().stream()
                    .filter(progress -> progress.phase() == Phase.ADAPT).toList();
            assertFalse(adapted.isEmpty());
            for (TaskProgress progress : adapted) {
                assertEquals(model.training().bestEpoch(), progress.chosenEpoch(), progress.task());
            }
        }
    }
}

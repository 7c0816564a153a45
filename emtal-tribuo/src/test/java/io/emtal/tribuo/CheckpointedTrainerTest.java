package io.emtal.tribuo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.train.Checkpoints;
import io.emtal.onnx.train.Phase;
import io.emtal.onnx.train.StepEvent;
import io.emtal.onnx.train.Stop;
import io.emtal.onnx.train.TrainingListener;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Dataset;
import org.tribuo.Model;
import org.tribuo.classification.Label;
import org.tribuo.classification.evaluation.LabelEvaluation;
import org.tribuo.classification.evaluation.LabelEvaluator;
import org.tribuo.evaluation.CrossValidation;
import org.tribuo.test.Helpers;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** A trainer whose trainings are saved on their way. */
class CheckpointedTrainerTest {

    @TempDir
    private Path directory;

    @AfterEach
    void clearInterrupt() {
        Thread.interrupted();
    }

    private static final class Crash extends Error {
        private static final long serialVersionUID = 1L;
    }

    private EmtalTrainer.Builder<Label> trainer() {
        return TestData.<Label>quickTrainer().checkpoints(Checkpoints.builder(directory).everySteps(2).build());
    }

    private static TrainingListener at(Phase phase, int step, int training, Runnable action) {
        return new TrainingListener() {
            private int count;

            @Override
            public void step(StepEvent event) {
                if (event.phase() == phase && event.step() == step && ++count == training) {
                    action.run();
                }
            }
        };
    }

    private static List<LabelEvaluation> evaluate(EmtalTrainer<Label> trainer, Dataset<Label> data) {
        return new CrossValidation<>(trainer, data, new LabelEvaluator(), 3, 1).evaluate().stream()
                .map(pair -> pair.getA()).toList();
    }

    /** Each fold is saved in a directory of its own: those before the crash are done at once, the crashed one goes on. */
    @Test
    void aCrossValidationThatCrashedGoesOnInItsFold() {
        Dataset<Label> data = TestData.labels(60, 1);
        List<LabelEvaluation> expected = evaluate(TestData.<Label>quickTrainer().build(), data);
        assertThrows(Crash.class, () -> evaluate(trainer().listener(at(Phase.ADAPT, 3, 2, () -> {
            throw new Crash();
        })).build(), data));
        int[] steps = new int[2];
        List<LabelEvaluation> found = evaluate(trainer().listener(new TrainingListener() {
            @Override
            public void step(StepEvent event) {
                steps[event.phase().ordinal()]++;
            }
        }).build(), data);
        assertEquals(expected.stream().map(LabelEvaluation::toString).toList(),
                found.stream().map(LabelEvaluation::toString).toList());
        for (int fold = 0; fold < 3; fold++) {
            assertTrue(Files.isDirectory(directory.resolve("train-" + fold)), "fold " + fold);
        }
        // 40 rows in batches of at most 16 and two epochs: 6 steps a phase; two steps of the second adaptation were saved.
        assertEquals(List.of(6, 4 + 6), List.of(steps[0], steps[1]));
    }

    @Test
    void anInterruptGivesTheBestModelAndSaysSo() throws Exception {
        Dataset<Label> data = TestData.labels(60, 1);
        EmtalModel<Label> model = trainer().listener(at(Phase.PRETRAIN, 5, 1, Thread.currentThread()::interrupt)).build()
                .train(data);
        assertTrue(Thread.interrupted());
        Stop stop = model.training().stop().orElseThrow();
        assertEquals(new Stop(Phase.PRETRAIN, 5, stop.steps()), stop);
        assertEquals(stop.toString(), model.getProvenance().getInstanceProvenance().getMap().get("emtal-stop").toString());
        Path file = directory.resolve("model.tribuo");
        model.serializeToFile(file);
        assertEquals(Optional.of(stop), ((EmtalModel<?>) Model.deserializeFromFile(file)).training().stop());
        assertEquals(60, model.predict(data).size());

        EmtalModel<Label> whole = TestData.<Label>quickTrainer().build().train(data);
        EmtalModel<Label> resumed = trainer().build().train(data);
        assertEquals(whole.exportONNXModel("com.example", 1).getGraph(), resumed.exportONNXModel("com.example", 1).getGraph());
        assertEquals(Optional.empty(), resumed.training().stop());
    }

    @Test
    void fault8_otherExamplesAreRefused() {
        trainer().build().train(TestData.labels(60, 1));
        String message = assertThrows(EmtalException.class, () -> trainer().build().train(TestData.labels(60, 2)))
                .getMessage();
        assertTrue(message.contains("a checkpoint of another training, its "), message);
    }

    @Test
    void aTrainerIsConfiguredAndKnownByItsCheckpoints() {
        EmtalTrainer<Label> trainer = trainer().build();
        Helpers.testConfigurableRoundtrip(trainer);
        Helpers.testProvenanceMarshalling(trainer.getProvenance());
        assertTrue(trainer.getProvenance().toString().contains(directory.toString()));
        EmtalModel<Label> model = trainer.train(TestData.labels(60, 1), Map.of());
        assertTrue(model.getProvenance().getTrainerProvenance().toString().contains(directory.toString()));
    }
}

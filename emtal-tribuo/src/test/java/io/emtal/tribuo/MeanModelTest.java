package io.emtal.tribuo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.FeatureEnsemble;
import io.emtal.onnx.train.Recipe;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.TaskKind;
import io.emtal.tribuo.multitask.TaskValue;
import io.emtal.tribuo.output.MultiLabelTasks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Dataset;
import org.tribuo.Output;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.dataset.MinimumCardinalityDataset;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.regression.Regressor;
import org.tribuo.test.Helpers;

import java.nio.file.Path;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Function;

class MeanModelTest {

    @TempDir
    Path folder;

    /** Two trainings that differ in seed and depth. */
    private static <T extends Output<T>> List<EmtalModel<T>> two(EmtalTrainer.Builder<T> trainer, Dataset<T> examples) {
        return List.of(trainer.seed(1).build().train(examples), trainer.seed(2).backbone(FeatureEnsemble.builder()
                .members(4).width(16).depth(2).hidden(32).bins(0).build()).build().train(examples));
    }

    private static <T extends Output<T>> SortedMap<String, Double> scores(Prediction<T> prediction) {
        SortedMap<String, Double> scores = new TreeMap<>();
        prediction.getOutputScores()
                .forEach((name, output) -> scores.put(name, ((Label) (Output<?>) output).getScore()));
        return scores;
    }

    private <T extends Output<T>> void assertMean(EmtalTrainer.Builder<T> trainer, Class<T> type, Dataset<T> train,
            Dataset<T> test, Function<Prediction<T>, SortedMap<String, Double>> numbers) throws Exception {
        List<EmtalModel<T>> models = two(trainer, train);
        EmtalModel<T> mean = EmtalModel.mean(models);
        List<Prediction<T>> a = models.get(0).predict(test);
        List<Prediction<T>> b = models.get(1).predict(test);
        models.forEach(EmtalModel::close);
        List<Prediction<T>> both = mean.predict(test);
        for (int i = 0; i < both.size(); i++) {
            SortedMap<String, Double> expected = numbers.apply(a.get(i));
            numbers.apply(b.get(i)).forEach((name, number) -> expected.merge(name, number, (x, y) -> (x + y) / 2));
            SortedMap<String, Double> found = numbers.apply(both.get(i));
            assertEquals(expected.keySet(), found.keySet());
            expected.forEach((name, number) ->
                    assertEquals(number, found.get(name), 1e-5 * Math.max(1, Math.abs(number)), name));
        }
        Helpers.testModelProtoSerialization(mean, type, test);
        Path file = folder.resolve(type.getSimpleName() + ".onnx");
        mean.saveONNXModel("com.example", 1, file);
        List<Prediction<T>> external = EmtalModel.loadONNX(file, type).predict(test);
        for (int i = 0; i < both.size(); i++) {
            assertTrue(both.get(i).distributionEquals(external.get(i), 1e-6), "row " + i);
        }
    }

    @Test
    void probabilitiesAndNumbersAreTheMeans() throws Exception {
        assertMean(TestData.<Label>quickTrainer(), Label.class, TestData.labels(50, 1), TestData.labels(30, 2),
                MeanModelTest::scores);
        assertMean(TestData.<Regressor>quickTrainer(), Regressor.class, TestData.regressors(50, 1),
                TestData.regressors(30, 2), prediction -> {
                    SortedMap<String, Double> values = new TreeMap<>();
                    prediction.getOutput().forEach(dimension -> values.put(dimension.getName(), dimension.getValue()));
                    return values;
                });
        assertMean(TestData.<MultiTask>quickTrainer(), MultiTask.class, TestData.multiTasks(50, 1),
                TestData.multiTasks(30, 2), prediction -> {
                    SortedMap<String, Double> values = new TreeMap<>();
                    for (TaskValue value : prediction.getOutput().values()) {
                        if (value instanceof TaskValue.Real real) {
                            values.put(real.task(), real.value());
                        } else {
                            MultiTask.distribution(prediction, value.task())
                                    .forEach((answer, score) -> values.put(value.task() + "=" + answer, score));
                        }
                    }
                    assertTrue(prediction.getOutput().values().stream().anyMatch(v -> v.kind() == TaskKind.REAL));
                    return values;
                });
    }

    @Test
    void theReportCountsAllNetworks() {
        List<EmtalModel<MultiLabel>> models = two(TestData.<MultiLabel>quickTrainer()
                .outputs(MultiLabelTasks.separatedBy("=")), TestData.multiLabels(50, 1));
        TrainingReport first = models.get(0).training();
        TrainingReport second = models.get(1).training();
        TrainingReport both = EmtalModel.mean(models).training();
        assertEquals(first.history(), both.history());
        assertEquals(first.parameters().deployed() + second.parameters().deployed(), both.parameters().deployed());
        assertEquals(first.parameters().trainable().get("head") + second.parameters().trainable().get("head"),
                both.parameters().trainable().get("head"));
        assertEquals(Math.max(first.agreement(), second.agreement()), both.agreement());
        for (int t = 0; t < first.tasks().size(); t++) {
            assertEquals((first.heldOutErrors()[t] + second.heldOutErrors()[t]) / 2, both.heldOutErrors()[t], 1e-12);
        }
    }

    @Test
    void provenanceHasEveryModelAndTheFactsOfTheWhole() {
        List<EmtalModel<Label>> models = two(TestData.<Label>quickTrainer(), TestData.labels(50, 1));
        EmtalModel<Label> mean = EmtalModel.mean(models);
        var facts = mean.getProvenance().getInstanceProvenance().getMap();
        for (int i = 0; i < 2; i++) {
            assertEquals(models.get(i).getProvenance(), facts.get(EmtalModel.NETWORK + i));
        }
        assertTrue(models.stream().noneMatch(model -> model.getProvenance().getInstanceProvenance().getMap()
                .get("emtal-model-sha256").equals(facts.get("emtal-model-sha256"))));
        Helpers.testProvenanceMarshalling(mean.getProvenance());
        var again = EmtalModel.mean(List.of(mean, models.get(0))).getProvenance().getInstanceProvenance().getMap();
        assertEquals(mean.getProvenance(), again.get(EmtalModel.NETWORK + 0));
        assertEquals(2, again.keySet().stream().filter(fact -> fact.startsWith(EmtalModel.NETWORK)).count());
        EmtalModel<Label> single = EmtalModel.mean(models.subList(0, 1));
        assertArrayEquals(models.get(0).exportONNXModel("com.example", 1).getGraph().toByteArray(),
                single.exportONNXModel("com.example", 1).getGraph().toByteArray());
    }

    @Test
    void modelsOfOtherFeaturesOrOutputsAreRefused() {
        var none = assertThrows(EmtalException.class, () -> EmtalModel.<Label>mean(List.of()));
        assertTrue(none.getMessage().contains("no model"), none.getMessage());
        EmtalTrainer<MultiLabel> trainer = TestData.<MultiLabel>quickTrainer().build();
        EmtalModel<MultiLabel> model = trainer.train(TestData.multiLabels(40, 1));
        EmtalModel<MultiLabel> fewer = trainer.train(new MinimumCardinalityDataset<>(TestData.multiLabels(40, 1), 30));
        var e = assertThrows(EmtalException.class, () -> EmtalModel.mean(List.of(model, fewer)));
        assertTrue(e.getMessage().contains("different "), e.getMessage());
        EmtalModel<MultiLabel> grouped = trainer.toBuilder().outputs(MultiLabelTasks.separatedBy("=")).build()
                .train(TestData.multiLabels(40, 1));
        var tasks = assertThrows(EmtalException.class, () -> EmtalModel.mean(List.of(model, grouped)));
        assertTrue(tasks.getMessage().contains("different "), tasks.getMessage());
    }

    /** Nothing is known of a whole of which a part has seen all rows. */
    @Test
    void withoutHeldOutRowsOfAllThereAreNoErrors() {
        EmtalTrainer<Regressor> some = TestData.<Regressor>quickTrainer().build();
        EmtalTrainer<Regressor> none = some.toBuilder().recipe(Recipe.builder().pretrainEpochs(2).epochs(2).batchSize(16)
                .workers(2).validationFraction(0).build()).build();
        EmtalModel<Regressor> first = some.train(TestData.regressors(40, 1));
        EmtalModel<Regressor> second = none.train(TestData.regressors(40, 1));
        assertTrue(first.training().heldOutErrors().length > 0);
        assertEquals(0, EmtalModel.mean(List.of(first, second)).training().heldOutErrors().length);
        assertEquals(0, EmtalModel.mean(List.of(second, first)).training().heldOutErrors().length);
    }
}

package io.emtal.tribuo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import com.oracle.labs.mlrg.olcut.util.Pair;
import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskEvaluation;
import io.emtal.tribuo.multitask.MultiTaskEvaluator;
import io.emtal.tribuo.multitask.MultiTaskFactory;
import io.emtal.tribuo.multitask.MultiTaskMetrics;
import io.emtal.tribuo.multitask.TaskValue;
import io.emtal.tribuo.output.MultiTaskTasks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.Prediction;
import org.tribuo.data.csv.CSVLoader;
import org.tribuo.data.csv.CSVSaver;
import org.tribuo.dataset.DatasetView;
import org.tribuo.evaluation.CrossValidation;
import org.tribuo.evaluation.KFoldSplitter;
import org.tribuo.impl.ArrayExample;
import org.tribuo.test.Helpers;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Tasks of mixed kinds with gaps, from the data set to the model. */
class MultiTaskTrainingTest {

    private static final long SEED = 20261125;

    @TempDir
    Path folder;

    private static MultiTask complete(TestData.Row row) {
        return MultiTask.builder().categorical("kind", row.label().getLabel()).binary("right", row.x() > 0)
                .real("sum", row.targets().getValues()[1]).build();
    }

    private static Dataset<MultiTask> data(int size, long seed, UnaryOperator<MultiTask> change) {
        return TestData.dataset(new MultiTaskFactory(), TestData.rows(size, seed, true).stream()
                .map(row -> row.example(change.apply(complete(row)))).toList());
    }

    private static Example<MultiTask> with(Example<MultiTask> features, MultiTask output) {
        ArrayExample<MultiTask> example = new ArrayExample<>(output);
        features.forEach(example::add);
        return example;
    }

    /** Each label goes with the given probability. */
    private static UnaryOperator<MultiTask> gaps(double share) {
        SplittableRandom random = new SplittableRandom(SEED);
        return output -> MultiTask.of(output.values().stream().filter(v -> random.nextDouble() >= share).toList());
    }

    private static EmtalTrainer<MultiTask> quickTrainer() {
        return TestData.<MultiTask>quickTrainer().build();
    }

    @Test
    void everyKindIsLearntAlthoughAThirdOfTheLabelsIsMissing() {
        EmtalModel<MultiTask> model = TestData.<MultiTask>trainer().build().train(data(300, 1, gaps(0.3)));
        MultiTaskEvaluation evaluation = new MultiTaskEvaluator().evaluate(model, data(200, 2, output -> output));
        assertTrue(evaluation.value(MultiTaskMetrics.ACCURACY, "kind").orElseThrow() > 0.9
                && evaluation.value(MultiTaskMetrics.ACCURACY, "right").orElseThrow() > 0.95
                && evaluation.value(MultiTaskMetrics.R2, "sum").orElseThrow() > 0.9, evaluation::toString);
    }

    @Test
    void crossValidationGivesAModelAndAnEvaluationAFold() {
        List<Pair<MultiTaskEvaluation, Model<MultiTask>>> folds = new CrossValidation<>(quickTrainer(),
                data(60, 1, gaps(0.3)), new MultiTaskEvaluator(), 3, SEED).evaluate();
        assertEquals(3, folds.size());
        for (Pair<MultiTaskEvaluation, Model<MultiTask>> fold : folds) {
            assertEquals(20, fold.getA().getPredictions().size());
            assertTrue(fold.getA().value(MultiTaskMetrics.LOG_LOSS, "kind").isPresent(), fold.getA()::toString);
        }
    }

    @ParameterizedTest
    @ValueSource(doubles = {0.1, 0.5, 0.9})
    void labelsRemovedAtRandomLeaveATrainableSet(double share) {
        Dataset<MultiTask> data = data(80, 1, gaps(share));
        long empty = data.getData().stream().filter(e -> e.getOutput().isEmpty()).count();
        EmtalModel<MultiTask> model = quickTrainer().train(data);
        assertEquals(empty, model.training().rowsWithoutLabel(), "seed " + SEED);
        for (Prediction<MultiTask> prediction : model.predict(data)) {
            assertEquals(List.of("kind", "right", "sum"), prediction.getOutput().values().stream().map(TaskValue::task)
                    .toList());
            assertEquals(5, prediction.getOutputScores().size());
            for (String task : List.of("kind", "right")) {
                assertEquals(1, MultiTask.distribution(prediction, task).values().stream().mapToDouble(p -> p).sum(),
                        1e-5);
            }
        }
    }

    @Test
    void dataSetsAreWrittenAndRead() throws Exception {
        Dataset<MultiTask> data = data(40, 1, gaps(0.3));
        Path proto = folder.resolve("data.tribuo");
        data.serializeToFile(proto);
        assertSameExamples(data, Dataset.castDataset(Dataset.deserializeFromFile(proto), MultiTask.class));
        Path csv = folder.resolve("data.csv");
        new CSVSaver().save(csv, data, "output");
        assertSameExamples(data, new CSVLoader<>(new MultiTaskFactory()).load(csv, "output"));
    }

    private static void assertSameExamples(Dataset<MultiTask> expected, Dataset<MultiTask> actual) {
        assertEquals(expected.getOutputInfo().getDomain(), actual.getOutputInfo().getDomain());
        assertEquals(expected.size(), actual.size());
        for (int i = 0; i < expected.size(); i++) {
            assertTrue(expected.getExample(i).getOutput().fullEquals(actual.getExample(i).getOutput()), "row " + i);
        }
    }

    @Test
    void fault13_aTaskOfWhichNoTrainingExampleHasALabelFailsEarly() {
        Dataset<MultiTask> data = data(40, 1, output -> output);
        List<Example<MultiTask>> examples = new ArrayList<>(data.getData());
        for (int i = 0; i < 20; i++) {
            examples.set(i, with(examples.get(i), MultiTask.of(examples.get(i).getOutput().values().stream()
                    .filter(value -> !value.task().equals("sum")).toList())));
        }
        Dataset<MultiTask> whole = TestData.dataset(new MultiTaskFactory(), examples);
        DatasetView<MultiTask> half = new DatasetView<>(whole, IntStream.range(0, 20).toArray(), "half");
        var e = assertThrows(EmtalException.class, () -> quickTrainer().train(half));
        assertTrue(e.getMessage().contains("'sum'"), e.getMessage());
    }

    @Test
    void fault17_examplesWithTheUnknownOutputAreRejected() {
        Dataset<MultiTask> data = data(10, 1, output -> MultiTaskFactory.UNKNOWN_MULTITASK);
        assertThrows(EmtalException.class, () -> quickTrainer().train(data));
    }

    @Test
    void anExampleToPredictNeedsNoOutput() {
        EmtalModel<MultiTask> model = quickTrainer().train(data(30, 1, output -> output));
        Dataset<MultiTask> known = data(10, 2, output -> output);
        Dataset<MultiTask> unknown = data(10, 2, output -> MultiTaskFactory.UNKNOWN_MULTITASK);
        Dataset<MultiTask> others =
                data(10, 2, output -> MultiTask.builder().categorical("kind", "never seen").build());
        for (int i = 0; i < known.size(); i++) {
            Prediction<MultiTask> expected = model.predict(known.getExample(i));
            assertTrue(expected.distributionEquals(model.predict(unknown.getExample(i))));
            assertTrue(expected.distributionEquals(model.predict(others.getExample(i))));
        }
    }

    @Test
    void labelsOfATestFoldLeakNothing() {
        Dataset<MultiTask> data = data(45, 1, gaps(0.2));
        KFoldSplitter.TrainTestFold<MultiTask> fold = firstFold(data);
        Set<Example<MultiTask>> tested = fold.test.getData().stream().collect(Collectors.toSet());
        List<Example<MultiTask>> changed = new ArrayList<>();
        for (Example<MultiTask> example : data) {
            changed.add(tested.contains(example) ? with(example, MultiTask.builder().real("sum", 1e6)
                    .binary("right", true).categorical("kind", "low").build()) : example);
        }
        KFoldSplitter.TrainTestFold<MultiTask> other =
                firstFold(TestData.dataset(new MultiTaskFactory(), changed));
        OnnxAssertions.assertSameNetwork(quickTrainer().train(fold.train), quickTrainer().train(other.train));
    }

    private static KFoldSplitter.TrainTestFold<MultiTask> firstFold(Dataset<MultiTask> data) {
        return new KFoldSplitter<MultiTask>(3, SEED).split(data, true).next();
    }

    @Test
    void provenanceGivesATrainerThatTrainsTheSameBits() throws Exception {
        Dataset<MultiTask> data = data(40, 1, gaps(0.3));
        EmtalTrainer<MultiTask> trainer = TestData.<MultiTask>quickTrainer().outputs(new MultiTaskTasks(true)).build();
        Helpers.testConfigurableRoundtrip(trainer);
        EmtalModel<MultiTask> model = trainer.train(data);
        Helpers.testProvenanceMarshalling(model.getProvenance());
        var configuration = ProvenanceUtil.extractConfiguration(model.getProvenance().getTrainerProvenance());
        ConfigurationManager manager = new ConfigurationManager();
        manager.addConfiguration(configuration);
        manager.lookup(configuration.get(0).getName());
        Path file = folder.resolve("trainer.xml");
        manager.save(file.toFile());
        @SuppressWarnings("unchecked") // as it was saved
        EmtalTrainer<MultiTask> again = (EmtalTrainer<MultiTask>) new ConfigurationManager(file.toString())
                .lookup(configuration.get(0).getName());
        EmtalModel<MultiTask> repeated = again.train(data, Map.of(), 0);
        OnnxAssertions.assertSameNetwork(model, repeated);
    }
}

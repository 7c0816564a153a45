package io.emtal.tribuo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl;
import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.adapt.AdaptationMethod;
import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.adapt.FullDense;
import io.emtal.onnx.adapt.Lora;
import io.emtal.onnx.task.HeadScope;
import io.emtal.onnx.task.Losses;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.train.Checkpoints;
import io.emtal.onnx.train.EpochRecord;
import io.emtal.onnx.train.Phase;
import io.emtal.onnx.train.Recipe;
import io.emtal.onnx.train.StepEvent;
import io.emtal.onnx.train.TrainingListener;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskFactory;
import io.emtal.tribuo.output.LabelTasks;
import io.emtal.tribuo.output.MultiLabelTasks;
import io.emtal.tribuo.output.OutputTasks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.MutableDataset;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.impl.ArrayExample;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.MultiLabelFactory;
import org.tribuo.provenance.SimpleDataSourceProvenance;
import org.tribuo.provenance.TrainerProvenance;
import org.tribuo.regression.RegressionFactory;
import org.tribuo.regression.Regressor;
import org.tribuo.test.Helpers;
import org.tribuo.test.MockOutput;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;

class EmtalTrainerTest {

    @TempDir
    Path folder;

    private static OnnxMl.GraphProto graph(EmtalModel<?> model) {
        return model.exportONNXModel("com.example", 1).getGraph();
    }

    @Test
    void aRunIsRepeatedBitByBit() {
        Dataset<Label> data = TestData.labels(50, 1);
        EmtalTrainer<Label> trainer = TestData.<Label>quickTrainer().build();
        List<OnnxMl.GraphProto> runs = new ArrayList<>();
        for (int run = 0; run < 3; run++) {
            assertEquals(run, trainer.getInvocationCount());
            EmtalModel<Label> model = trainer.train(data);
            assertEquals(String.valueOf(run), model.getProvenance().getTrainerProvenance().getInstanceValues()
                    .get(TrainerProvenance.TRAIN_INVOCATION_COUNT).getValue().toString());
            runs.add(graph(model));
        }
        assertNotEquals(runs.get(0), runs.get(1));
        assertEquals(runs.get(1), graph(trainer.train(data, Map.of(), 1)));
        assertEquals(2, trainer.getInvocationCount());
        assertEquals(runs.get(2), graph(trainer.train(data)));
        assertEquals(runs.get(0), graph(TestData.<Label>quickTrainer().build().train(data)));
        assertNotEquals(runs.get(0), graph(TestData.<Label>quickTrainer().seed(1).build().train(data)));
    }

    @Test
    void methodsThatShareAPretrainingGiveWhatTheyGiveAlone() {
        Dataset<Label> data = TestData.labels(50, 1);
        EmtalTrainer<Label> sharing = TestData.<Label>quickTrainer().seed(3).build();
        sharing.setInvocationCount(2);
        try (Pretraining<Label> shared = sharing.pretrain(data)) {
            assertEquals(3, sharing.getInvocationCount());
            for (AdaptationMethod method : List.of(new FullDense(), Emtal.builder().experts(4).rank(2).build(),
                    Lora.builder().rank(1).build(), new FullDense())) {
                EmtalModel<Label> adapted = shared.adapt(method);
                EmtalModel<Label> alone = TestData.<Label>quickTrainer().seed(3).method(method).build()
                        .train(data, Map.of(), 2);
                assertEquals(graph(alone), graph(adapted), method::toString);
                assertEquals(alone.getProvenance().getTrainerProvenance(),
                        adapted.getProvenance().getTrainerProvenance());
                assertEquals(shared.history(), adapted.training().history().subList(0, shared.history().size()));
            }
        }
    }

    /** What a method saves is in the way of no other, of a sharing trainer or of another one. */
    @Test
    void methodsThatShareAPretrainingShareItsCheckpoints() {
        Dataset<Label> data = TestData.labels(50, 1);
        Map<AdaptationMethod, OnnxMl.GraphProto> expected = new LinkedHashMap<>();
        for (AdaptationMethod method : List.of(new FullDense(), Emtal.builder().experts(4).rank(2).build(),
                Emtal.builder().experts(4).rank(1).build())) {
            expected.put(method, graph(TestData.<Label>quickTrainer().method(method).build().train(data)));
        }
        List<Phase> steps = new ArrayList<>();
        EmtalTrainer.Builder<Label> saving = TestData.<Label>quickTrainer().checkpoints(Checkpoints.in(folder))
                .listener(new TrainingListener() {
                    @Override
                    public void step(StepEvent event) {
                        steps.add(event.phase());
                    }
                });
        try (Pretraining<Label> shared = saving.build().pretrain(data)) {
            expected.forEach((method, graph) -> assertEquals(graph, graph(shared.adapt(method)), method::toString));
            assertTrue(steps.contains(Phase.PRETRAIN) && steps.contains(Phase.ADAPT));
            steps.clear();
            expected.forEach((method, graph) -> assertEquals(graph, graph(shared.adapt(method)), method::toString));
        }
        expected.forEach((method, graph) -> assertEquals(graph,
                graph(saving.method(method).build().train(data)), method::toString));
        assertEquals(List.of(), steps);
    }

    @Test
    void shufflingADataSetChangesNothing() {
        Dataset<Label> data = TestData.labels(50, 1);
        OnnxMl.GraphProto plain = graph(TestData.<Label>quickTrainer().build().train(data));
        data.shuffle(true);
        assertEquals(plain, graph(TestData.<Label>quickTrainer().build().train(data)));
    }

    @Test
    void provenanceGivesATrainerThatTrainsTheSameBits() {
        Dataset<MultiLabel> data = TestData.multiLabels(50, 1);
        EmtalTrainer<MultiLabel> trainer = TestData.<MultiLabel>quickTrainer()
                .outputs(MultiLabelTasks.separatedBy("=")).build();
        trainer.setInvocationCount(3);
        EmtalModel<MultiLabel> model = trainer.train(data);
        var configuration = ProvenanceUtil.extractConfiguration(model.getProvenance().getTrainerProvenance());
        ConfigurationManager manager = new ConfigurationManager();
        manager.addConfiguration(configuration);
        @SuppressWarnings("unchecked")
        EmtalTrainer<MultiLabel> again = (EmtalTrainer<MultiLabel>) manager.lookup(configuration.get(0).getName());
        int run = (Integer) model.getProvenance().getTrainerProvenance().getInstanceValues()
                .get(TrainerProvenance.TRAIN_INVOCATION_COUNT).getValue();
        EmtalModel<MultiLabel> repeated = again.train(data, Map.of(), run);
        assertEquals(graph(model), graph(repeated));
        assertEquals(model.getProvenance().getTrainerProvenance(), repeated.getProvenance().getTrainerProvenance());
    }

    @Test
    void configurationRoundTrips() throws Exception {
        EmtalTrainer<MultiLabel> trainer = TestData.<MultiLabel>quickTrainer().outputs(new MultiLabelTasks("=", true))
                .seed(42).build();
        Helpers.testConfigurableRoundtrip(trainer);
        Helpers.testConfigurableRoundtrip(new EmtalTrainer<Label>());
        Helpers.testProvenanceMarshalling(trainer.getProvenance());
        ConfigurationManager manager = new ConfigurationManager();
        manager.importConfigurable(trainer, "trainer");
        Path file = folder.resolve("trainer.xml");
        manager.save(file.toFile());
        EmtalTrainer<?> read = (EmtalTrainer<?>) new ConfigurationManager(file.toString()).lookup("trainer");
        assertEquals(trainer.getProvenance(), read.getProvenance());
    }

    @Test
    void anXmlFileConfiguresATrainer() throws Exception {
        Path file = xml("""
                <component name="trainer" type="io.emtal.tribuo.EmtalTrainer">
                  <property name="method" value="method"/>
                  <property name="outputs" value="outputs"/>
                  <property name="seed" value="7"/>
                </component>
                <component name="method" type="io.emtal.onnx.adapt.Emtal">
                  <property name="experts" value="4"/>
                </component>
                <component name="outputs" type="io.emtal.tribuo.output.MultiLabelTasks">
                  <property name="labelSeparator" value="="/>
                </component>
                """);
        EmtalTrainer<?> trainer = (EmtalTrainer<?>) new ConfigurationManager(file.toString()).lookup("trainer");
        String provenance = trainer.getProvenance().toString();
        for (String setting : List.of("experts=4", "labelSeparator==", "seed=7")) {
            assertTrue(provenance.contains(setting), provenance);
        }
    }

    @Test
    void badValuesInAFileAreNamed() throws Exception {
        Path file = xml("""
                <component name="trainer" type="io.emtal.tribuo.EmtalTrainer">
                  <property name="recipe" value="recipe"/>
                </component>
                <component name="recipe" type="io.emtal.onnx.train.Recipe">
                  <property name="epochs" value="0"/>
                </component>
                """);
        ConfigurationManager manager = new ConfigurationManager(file.toString());
        Throwable e = assertThrows(PropertyException.class, () -> manager.lookup("trainer"));
        StringBuilder messages = new StringBuilder();
        for (; e != null; e = e.getCause()) {
            messages.append(e.getMessage());
        }
        assertTrue(messages.toString().contains("epochs"), messages.toString());
    }

    private Path xml(String components) throws Exception {
        return Files.writeString(folder.resolve("config.xml"), "<config>\n" + components + "</config>\n");
    }

    @Test
    void unknownOutputsAreRejected() {
        List<Example<Label>> examples = new ArrayList<>(TestData.labels(10, 1).getData());
        ArrayExample<Label> unknown = new ArrayExample<>(LabelFactory.UNKNOWN_LABEL);
        unknown.add("x@value", 1);
        examples.add(unknown);
        Dataset<Label> data = TestData.dataset(new LabelFactory(), examples);
        assertThrows(IllegalArgumentException.class, () -> TestData.<Label>quickTrainer().build().train(data));
    }

    @Test
    void fault10_whatIsNoNumberIsRejectedWithRowAndFeature() {
        Dataset<Label> data = TestData.labels(10, 1);
        ArrayExample<Label> example = new ArrayExample<>(new Label("low"));
        example.add("x@value", Double.POSITIVE_INFINITY);
        List<Example<Label>> examples = new ArrayList<>(data.getData());
        examples.set(4, example);
        Dataset<Label> bad = TestData.dataset(new LabelFactory(), examples);
        var e = assertThrows(EmtalException.class, () -> TestData.<Label>quickTrainer().build().train(bad));
        assertTrue(e.getMessage().contains("row 4") && e.getMessage().contains("'x@value'"), e.getMessage());
    }

    @Test
    void fault14_aSingleClassIsRejectedOrConstantByOption() {
        Dataset<Label> data = TestData.dataset(new LabelFactory(), 20, 1, true, row -> new Label("only"));
        var e = assertThrows(EmtalException.class, () -> TestData.<Label>quickTrainer().build().train(data));
        assertTrue(e.getMessage().contains("'only'"), e.getMessage());
        EmtalTrainer<Label> lenient = TestData.<Label>quickTrainer().outputs(new LabelTasks(true)).build();
        try (EmtalModel<Label> model = lenient.train(data)) {
            assertEquals("only", model.predict(data.getExample(0)).getOutput().getLabel());
        }
    }

    @Test
    void fault16_noExamplesAreRejectedAndFewAreEnough() {
        Dataset<Label> none = TestData.dataset(new LabelFactory(), List.of());
        assertThrows(EmtalException.class, () -> TestData.<Label>quickTrainer().build().train(none));
        Dataset<Label> two = TestData.dataset(new LabelFactory(), List.of(
                new TestData.Row(1, 1, 0).example(new Label("a")), new TestData.Row(-1, 1, 1).example(new Label("b"))));
        try (EmtalModel<Label> model = TestData.<Label>quickTrainer().build().train(two)) {
            assertEquals(2, model.predict(two).size());
        }
    }

    @Test
    void fault16_oneExampleIsEnoughForARegression() {
        Dataset<Regressor> one = TestData.regressors(1, 1);
        try (EmtalModel<Regressor> model = TestData.<Regressor>quickTrainer().build().train(one)) {
            assertTrue(Double.isFinite(model.predict(one.getExample(0)).getOutput().getValues()[0]));
        }
    }

    @Test
    void fault12_missingTargetsAreNotLearntAndCounted() {
        List<Example<Regressor>> examples = new ArrayList<>();
        for (TestData.Row row : TestData.rows(40, 1, true)) {
            int missing = examples.size() % 4;
            Regressor full = row.targets();
            examples.add(row.example(new Regressor(full.getNames(), new double[] {
                missing == 1 || missing == 3 ? Double.NaN : full.getValues()[0],
                missing == 2 || missing == 3 ? Double.NaN : full.getValues()[1]})));
        }
        Dataset<Regressor> data = TestData.dataset(new RegressionFactory(), examples);
        try (EmtalModel<Regressor> model = TestData.<Regressor>quickTrainer().build().train(data)) {
            assertEquals(10, model.training().rowsWithoutLabel());
            for (Prediction<Regressor> prediction : model.predict(data)) {
                for (double value : prediction.getOutput().getValues()) {
                    assertTrue(Double.isFinite(value), prediction::toString);
                }
            }
        }
    }

    @Test
    void fault12_missingClassesAreNotLearntAndCounted() {
        List<Example<MultiLabel>> examples = new ArrayList<>();
        for (TestData.Row row : TestData.rows(40, 1, true)) {
            String kind = "kind=" + row.label().getLabel();
            examples.add(row.example(new MultiLabel(examples.size() % 4 == 0 ? Set.of() : Set.of(new Label(kind)))));
        }
        Dataset<MultiLabel> data = TestData.dataset(new MultiLabelFactory(), examples);
        EmtalTrainer<MultiLabel> trainer = TestData.<MultiLabel>quickTrainer()
                .outputs(MultiLabelTasks.separatedBy("=")).build();
        try (EmtalModel<MultiLabel> model = trainer.train(data)) {
            assertEquals(10, model.training().rowsWithoutLabel());
            assertEquals(1, model.predict(data.getExample(0)).getOutput().getLabelSet().size());
        }
    }

    @Test
    void outputsOfAnotherTypeAreRejected() {
        @SuppressWarnings({"unchecked", "rawtypes"})
        EmtalTrainer<Label> trainer =
                (EmtalTrainer) TestData.<MultiLabel>quickTrainer().outputs(new MultiLabelTasks()).build();
        Dataset<Label> data = TestData.labels(10, 1);
        var e = assertThrows(EmtalException.class, () -> trainer.train(data));
        assertTrue(e.getMessage().contains("MultiLabel"), e.getMessage());
    }

    @Test
    void theListenerHearsEveryEpochAndItsExceptionEndsTheTraining() {
        List<EpochRecord> heard = new ArrayList<>();
        TrainingListener listener = new TrainingListener() {
            @Override
            public void epoch(EpochRecord epoch) {
                heard.add(epoch);
            }
        };
        Dataset<Label> data = TestData.labels(20, 1);
        EmtalModel<Label> model = TestData.<Label>quickTrainer().listener(listener).build().train(data);
        assertEquals(model.training().history().stream().filter(e -> e.epoch() > 0).toList(), heard);
        TrainingListener stopping = new TrainingListener() {
            @Override
            public void epoch(EpochRecord epoch) {
                throw new UnsupportedOperationException("enough");
            }
        };
        assertThrows(UnsupportedOperationException.class,
                () -> TestData.<Label>quickTrainer().listener(stopping).build().train(data));
    }

    @Test
    void negativeInvocationCountsAreRejected() {
        assertThrows(IllegalArgumentException.class, () -> new EmtalTrainer<Label>().setInvocationCount(-1));
    }

    @Test
    void anUnsupportedTypeOfOutputIsNamed() {
        var e = assertThrows(EmtalException.class, () -> OutputTasks.of(MockOutput.class));
        assertTrue(e.getMessage().contains("MockOutput"), e.getMessage());
    }

    /** What cannot be adapted is refused before the dense training, not after it. */
    @Test
    void fault27_whatDoesNotFitTheBackboneIsRefusedBeforeTheFirstStep() {
        TrainingListener listener = new TrainingListener() {
            @Override
            public void step(StepEvent event) {
                throw new AssertionError("a step was taken");
            }
        };
        for (AdaptationMethod method : List.of(Emtal.builder().experts(7).build(), Emtal.builder().adaptBlocks(9).build(),
                Lora.builder().adaptBlocks(9).build())) {
            EmtalTrainer<Label> trainer = EmtalTrainer.<Label>builder().method(method).listener(listener).build();
            EmtalException e = assertThrows(EmtalException.class, () -> trainer.train(TestData.labels(30, 1)));
            assertTrue(e.getMessage().contains("found 7, allowed is a divisor") || e.getMessage().contains("found 9"),
                    e.getMessage());
        }
    }

    @Test
    void realTasksAreTrainedWithBalancedWeights() {
        Random noise = new Random(1);
        Dataset<Regressor> data = TestData.dataset(new RegressionFactory(), TestData.rows(60, 1, true).stream()
                .map(row -> row.example(new Regressor(row.targets().getNames(), new double[] {
                    row.targets().getValues()[0], noise.nextGaussian()}))).toList());
        Recipe.Builder recipe = Recipe.builder().pretrainEpochs(2).epochs(2).batchSize(16).workers(1);
        EmtalTrainer.Builder<Regressor> trainer = TestData.<Regressor>trainer().recipe(recipe.build());
        Losses plain = Losses.builder().balanced(false).build();
        try (EmtalModel<Regressor> balanced = trainer.build().train(data);
             EmtalModel<Regressor> given = trainer.recipe(recipe.losses(plain).build()).build().train(data)) {
            double[] weights = weights(balanced);
            assertEquals(2, weights[0] + weights[1], 1e-12);
            assertTrue(weights[0] > 1.2, () -> Arrays.toString(weights));
            assertArrayEquals(new double[] {1, 1}, weights(given));
            assertNotEquals(graph(given), graph(balanced));
        }
    }

    private static double[] weights(EmtalModel<?> model) {
        return model.training().tasks().tasks().stream().mapToDouble(Task::weight).toArray();
    }

    @Test
    void oneSoftmaxMaySpanAllCategoricalTasks() {
        MutableDataset<MultiTask> data = new MutableDataset<>(new SimpleDataSourceProvenance("two", new MultiTaskFactory()),
                new MultiTaskFactory());
        for (int i = 0; i < 40; i++) {
            data.add(new ArrayExample<>(i % 2 == 0
                    ? MultiTask.builder().categorical("colour", i % 4 == 0 ? "red" : "blue").build()
                    : MultiTask.builder().categorical("shape", i % 4 == 1 ? "round" : "square").build(),
                    new String[] {"x", "y"}, new double[] {i % 4, i % 2 + 1}));
        }
        Recipe recipe = Recipe.builder().pretrainEpochs(2).epochs(2).batchSize(16).workers(1)
                .losses(Losses.builder().headScope(HeadScope.JOINT).build()).build();
        try (EmtalModel<MultiTask> model = TestData.<MultiTask>trainer().recipe(recipe).build().train(data)) {
            assertEquals(HeadScope.JOINT, model.training().tasks().headScope());
            for (String task : List.of("colour", "shape")) {
                assertEquals(1, MultiTask.distribution(model.predict(data.getExample(0)), task).values().stream()
                        .mapToDouble(Double::doubleValue).sum(), 1e-5, "predictions are of one task each");
            }
        }
    }
}

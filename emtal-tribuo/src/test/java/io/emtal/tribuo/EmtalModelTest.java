package io.emtal.tribuo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.oracle.labs.mlrg.olcut.provenance.primitives.HashProvenance;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.train.EpochRecord;
import io.emtal.onnx.train.Phase;
import io.emtal.onnx.train.Recipe;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.output.LabelTasks;
import io.emtal.tribuo.output.MultiLabelTasks;
import io.emtal.tribuo.protos.EmtalModelProto;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.Output;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.impl.ArrayExample;
import org.tribuo.json.StripProvenance;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.MultiLabelFactory;
import org.tribuo.protos.core.ModelProto;
import org.tribuo.regression.Regressor;
import org.tribuo.test.Helpers;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.ObjectInputStream;
import java.io.ObjectOutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.logging.Level;
import java.util.logging.Logger;
import java.util.stream.IntStream;

class EmtalModelTest {

    private static EmtalModel<MultiLabel> multiLabels;
    private static EmtalModel<Regressor> regressors;
    private static EmtalModel<Label> labels;
    private static EmtalModel<MultiTask> multiTasks;

    @TempDir
    Path folder;

    @BeforeAll
    static void train() {
        multiLabels = TestData.<MultiLabel>quickTrainer().outputs(MultiLabelTasks.separatedBy("=")).build()
                .train(TestData.multiLabels(60, 1));
        regressors = TestData.<Regressor>quickTrainer().build().train(TestData.regressors(60, 1));
        labels = TestData.<Label>quickTrainer().build().train(TestData.labels(60, 1));
        multiTasks = TestData.<MultiTask>quickTrainer().build().train(TestData.multiTasks(60, 1));
    }

    private static <T extends Output<T>> void assertSamePredictions(Model<T> expected, Model<T> actual,
                                                                    Dataset<T> examples, double tolerance) {
        List<Prediction<T>> wanted = expected.predict(examples);
        List<Prediction<T>> found = actual.predict(examples);
        assertEquals(wanted.size(), found.size());
        for (int i = 0; i < wanted.size(); i++) {
            assertSame(wanted.get(i), found.get(i), tolerance);
        }
    }

    private static <T extends Output<T>> void assertSame(Prediction<T> expected, Prediction<T> actual,
                                                         double tolerance) {
        if (expected.getOutput() instanceof Regressor regressor) {
            assertArrayEquals(regressor.getValues(), ((Regressor) (Output<?>) actual.getOutput()).getValues(),
                    tolerance);
        }
        assertEquals(expected.getOutput(), actual.getOutput());
        assertTrue(expected.distributionEquals(actual, tolerance), expected + " became " + actual);
    }

    @Test
    void protobufRoundTripsKeepPredictionsAndReport() throws Exception {
        roundTrip(multiLabels, MultiLabel.class, TestData.multiLabels(40, 2));
        roundTrip(regressors, Regressor.class, TestData.regressors(40, 2));
        roundTrip(labels, Label.class, TestData.labels(40, 2));
        roundTrip(multiTasks, MultiTask.class, TestData.multiTasks(40, 2));
    }

    private <T extends Output<T>> void roundTrip(EmtalModel<T> model, Class<T> type, Dataset<T> examples)
            throws Exception {
        Helpers.testModelProtoSerialization(model, type, examples);
        Path file = folder.resolve("model.tribuo");
        model.serializeToFile(file);
        EmtalModel<T> read = (EmtalModel<T>) Model.deserializeFromFile(file).castModel(type);
        assertSamePredictions(model, read, examples, 0);
        assertEquals(model.getProvenance(), read.getProvenance());
        assertSameReport(model.training(), read.training());
    }

    private static void assertSameReport(TrainingReport expected, TrainingReport actual) {
        assertEquals(expected.tasks(), actual.tasks());
        assertEquals(expected.bestEpoch(), actual.bestEpoch());
        assertEquals(expected.parameters(), actual.parameters());
        assertEquals(expected.agreement(), actual.agreement());
        assertArrayEquals(expected.heldOutErrors(), actual.heldOutErrors());
        assertEquals(expected.rowsWithoutLabel(), actual.rowsWithoutLabel());
        assertEquals(expected.expertLoad().keySet(), actual.expertLoad().keySet());
        expected.expertLoad().forEach((block, load) -> assertArrayEquals(load, actual.expertLoad().get(block)));
        assertEquals(expected.history().size(), actual.history().size());
        for (int i = 0; i < expected.history().size(); i++) {
            EpochRecord wanted = expected.history().get(i);
            EpochRecord found = actual.history().get(i);
            assertEquals(wanted.phase(), found.phase());
            assertArrayEquals(new double[] {wanted.epoch(), wanted.step(), wanted.learningRate(), wanted.fade(),
                    wanted.routerEntropy(), wanted.seconds()}, new double[] {found.epoch(), found.step(),
                    found.learningRate(), found.fade(), found.routerEntropy(), found.seconds()});
            assertArrayEquals(wanted.trainLosses(), found.trainLosses());
            assertArrayEquals(wanted.validationLosses(), found.validationLosses());
            assertArrayEquals(wanted.retainingWeights(), found.retainingWeights());
        }
    }

    @Test
    void theReportAnswersWhatWasTrained() {
        TrainingReport report = multiLabels.training();
        assertEquals(3, report.tasks().size());
        assertEquals(List.of(0, 1, 2, 0, 1, 2), report.history().stream().map(EpochRecord::epoch).toList());
        assertEquals(report.bestEpoch(), report.best().epoch());
        assertTrue(report.agreement() <= 1e-4);
        assertTrue(report.parameters().trainable().keySet().containsAll(List.of("lora", "router", "head")));
        assertEquals(1, report.expertLoad().size());
        assertEquals(0, report.rowsWithoutLabel());
    }

    @Test
    void provenanceHasTheFactsOfTheRunAndIsMarshalled() {
        var facts = labels.getProvenance().getInstanceProvenance().getMap();
        for (String fact : List.of("version", "onnxruntime-version", "execution-provider", "workers", "best-epoch",
                "rows-without-label", "agreement", "backbone-sha256", "model-sha256", "train-losses",
                "validation-losses")) {
            assertTrue(facts.containsKey("emtal-" + fact), fact);
        }
        assertEquals(64, ((HashProvenance) facts.get("emtal-model-sha256")).getValue().length());
        Helpers.testProvenanceMarshalling(labels.getProvenance());
    }

    /** Labels that have nothing to do with their rows soon do worse on those that are held out. */
    @Test
    void frozenHeadsAreInTheHistoryOfAModelThatIsReadAgain() {
        List<TestData.Row> rows = TestData.rows(40, 1, true);
        List<TestData.Row> others = TestData.rows(40, 2, true);
        List<Example<MultiLabel>> examples = IntStream.range(0, 40)
                .mapToObj(i -> rows.get(i).example(others.get(i).labels())).toList();
        EmtalModel<MultiLabel> model = TestData.<MultiLabel>quickTrainer()
                .recipe(Recipe.builder().pretrainEpochs(6).epochs(2).batchSize(16).workers(2).headPatience(1).build())
                .build().train(TestData.dataset(new MultiLabelFactory(), examples));
        List<List<Integer>> frozen = model.training().history().stream().map(EpochRecord::frozenHeads).toList();
        assertTrue(frozen.stream().anyMatch(heads -> !heads.isEmpty()), frozen::toString);
        EmtalModel<?> read = (EmtalModel<?>) Model.deserialize(model.serialize());
        assertEquals(frozen, read.training().history().stream().map(EpochRecord::frozenHeads).toList());
    }

    /** By default they are 0.1 for tasks of classes; no other task takes part. */
    @Test
    void weightsOfQualityRetainingAreInTheHistoryOfAModelThatIsReadAgain() {
        EmtalModel<?> read = (EmtalModel<?>) Model.deserialize(multiTasks.serialize());
        double[] expected = read.training().tasks().tasks().stream()
                .mapToDouble(task -> task instanceof CategoricalTask ? 0.1 : Double.NaN).toArray();
        assertTrue(Arrays.stream(expected).anyMatch(weight -> weight > 0));
        for (EpochRecord epoch : read.training().history()) {
            assertArrayEquals(epoch.phase() == Phase.ADAPT ? expected : new double[0], epoch.retainingWeights());
        }
        for (TaskProgress progress : read.training().taskProgress()) {
            int task = read.training().tasks().tasks().stream().map(Task::name).toList().indexOf(progress.task());
            assertEquals(progress.phase() == Phase.ADAPT ? expected[task] : Double.NaN,
                    progress.chosenRetainingWeight());
        }
    }

    @Test
    void javaSerialisationGoesByWayOfTheProtobuf() throws Exception {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (ObjectOutputStream stream = new ObjectOutputStream(bytes)) {
            stream.writeObject(regressors);
        }
        try (ObjectInputStream stream = new ObjectInputStream(new ByteArrayInputStream(bytes.toByteArray()))) {
            Model<Regressor> read = ((Model<?>) stream.readObject()).castModel(Regressor.class);
            assertSamePredictions(regressors, read, TestData.regressors(20, 3), 0);
        }
    }

    @Test
    void stripProvenanceLeavesNoTraceOfTheRun() throws Exception {
        Path full = folder.resolve("full.tribuo");
        Path stripped = folder.resolve("stripped.ser");
        labels.serializeToFile(full);
        assertTrue(ByteString.copyFrom(Files.readAllBytes(full)).toString(StandardCharsets.ISO_8859_1)
                .contains("synthetic"));
        Logger logger = Logger.getLogger(StripProvenance.class.getName());
        logger.setLevel(Level.WARNING);
        StripProvenance.main(new String[] {"-i", full.toString(), "-o", stripped.toString(), "-r", "ALL",
                "--model-protobuf", "true"});
        try (ObjectInputStream stream = new ObjectInputStream(Files.newInputStream(stripped))) {
            EmtalModel<Label> read = (EmtalModel<Label>) ((Model<?>) stream.readObject()).castModel(Label.class);
            assertSamePredictions(labels, read, TestData.labels(20, 3), 0);
            assertTrue(read.getName().endsWith("deprovenanced"), read.getName());
            ByteString exported = read.exportONNXModel("com.example", 1).toByteString();
            assertFalse(exported.toStringUtf8().contains("synthetic"));
            assertFalse(read.serialize().toByteString().toStringUtf8().contains("synthetic"));
        }
    }

    @Test
    void aCopyPredictsTheSameAndLivesOnItsOwn() {
        EmtalModel<Label> copy = (EmtalModel<Label>) labels.copy();
        assertSamePredictions(labels, copy, TestData.labels(20, 3), 0);
        copy.close();
        assertEquals(20, labels.predict(TestData.labels(20, 3)).size());
    }

    @Test
    void singleAndBatchedPredictionsAgree() {
        Dataset<Regressor> examples = TestData.regressors(300, 4);
        List<Prediction<Regressor>> batched = regressors.predict(examples);
        for (int i = 0; i < batched.size(); i++) {
            assertSame(batched.get(i), regressors.predict(examples.getExample(i)), 1e-4);
            assertEquals(examples.getExample(i), batched.get(i).getExample());
        }
        assertEquals(List.of(), regressors.predict(List.of()));
    }

    @Test
    void manyBatchesComeBackInOrder() {
        Dataset<Label> examples = TestData.labels(20, 5);
        List<Example<Label>> many = new ArrayList<>();
        for (int i = 0; i < 2500; i++) {
            many.add(examples.getExample(i % 20));
        }
        List<Prediction<Label>> few = labels.predict(examples);
        List<Prediction<Label>> all = labels.predict(many);
        assertEquals(many.size(), all.size());
        for (int i = 0; i < all.size(); i++) {
            assertSame(few.get(i % 20), all.get(i), 1e-5);
        }
    }

    @Test
    void anExampleWithoutKnownFeatureIsRejected() {
        ArrayExample<Label> strange = new ArrayExample<>(new Label("low"));
        strange.add("never seen", 1);
        assertThrows(IllegalArgumentException.class, () -> labels.predict(strange));
        List<Example<Label>> examples = List.of(TestData.labels(1, 1).getExample(0), strange);
        var e = assertThrows(IllegalArgumentException.class, () -> labels.predict(examples));
        assertTrue(e.getMessage().contains("row 1"), e.getMessage());
    }

    @Test
    void thereAreNoTopFeaturesAndExcuses() {
        assertTrue(labels.getTopFeatures(3).isEmpty());
        assertTrue(labels.getExcuse(TestData.labels(1, 1).getExample(0)).isEmpty());
    }

    @Test
    void fault24_aClosedModelPredictsNoMoreButIsWritten() {
        EmtalModel<Label> closed = (EmtalModel<Label>) labels.copy();
        Dataset<Label> examples = TestData.labels(5, 1);
        closed.predict(examples);
        closed.close();
        closed.close();
        assertThrows(IllegalStateException.class, () -> closed.predict(examples));
        assertThrows(IllegalStateException.class, () -> closed.predict(examples.getExample(0)));
        assertSamePredictions(labels, Model.deserialize(closed.serialize()).castModel(Label.class), examples, 0);
    }

    @Test
    void fault24_manyThreadsPredictWhileOneCloses() throws Exception {
        Dataset<Label> examples = TestData.labels(50, 6);
        List<Prediction<Label>> expected = labels.predict(examples);
        ExecutorService threads = Executors.newFixedThreadPool(4);
        try {
            for (int round = 0; round < 10; round++) {
                EmtalModel<Label> shared = (EmtalModel<Label>) labels.copy();
                List<Callable<Void>> work = new ArrayList<>();
                for (int t = 0; t < 4; t++) {
                    work.add(() -> {
                        for (int done = 1; ; done++) {
                            List<Prediction<Label>> found;
                            try {
                                found = shared.predict(examples);
                            } catch (IllegalStateException closed) {
                                return null;
                            }
                            for (int i = 0; i < found.size(); i++) {
                                assertSame(expected.get(i), found.get(i), 0);
                            }
                            if (done == 3) {
                                shared.close();
                            }
                        }
                    });
                }
                for (Future<Void> done : threads.invokeAll(work)) {
                    done.get();
                }
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void newerAndMixedUpProtobufsAreRefused() throws Exception {
        ModelProto proto = labels.serialize();
        assertRefused(proto.toBuilder().setVersion(1).build());
        assertRefused(proto.toBuilder().setVersion(-1).build());
        EmtalModelProto content = proto.getSerializedData().unpack(EmtalModelProto.class);
        assertRefused(with(proto, content.toBuilder().setOutputs(new MultiLabelTasks().serialize()).build()));
        assertRefused(with(proto, content.toBuilder().setOnnx(ByteString.copyFromUtf8("no model")).build()));
        assertRefused(with(proto, content.toBuilder().setOnnx(content.getOnnx().substring(0, 1000)).build()));
        assertRefused(with(proto, content.toBuilder().clearFeatures().build()));
        assertRefused(with(proto, content.toBuilder()
                .setOutputs(new LabelTasks().serialize().toBuilder().setVersion(7)).build()));
    }

    private static ModelProto with(ModelProto proto, EmtalModelProto content) {
        return proto.toBuilder().setSerializedData(Any.pack(content)).build();
    }

    private static void assertRefused(ModelProto proto) {
        Throwable e = assertThrows(IllegalStateException.class, () -> Model.deserialize(proto));
        while (e.getCause() != null && !(e instanceof EmtalException)) {
            e = e.getCause();
        }
        assertTrue(e instanceof EmtalException, String.valueOf(e));
    }
}

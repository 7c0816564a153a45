package io.emtal.tribuo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.onnx.proto.OnnxMl;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtSession;
import com.google.protobuf.TextFormat;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.VisionTransformer;
import io.emtal.onnx.predict.Optimise;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskFactory;
import io.emtal.tribuo.output.MultiLabelTasks;
import io.emtal.tribuo.output.OutputTasks;
import io.emtal.tribuo.protos.OutputTasksProto;
import io.emtal.tribuo.protos.SignatureProto;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Feature;
import org.tribuo.ImmutableFeatureMap;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.Model;
import org.tribuo.Output;
import org.tribuo.OutputFactory;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.dataset.DatasetView;
import org.tribuo.impl.ArrayExample;
import org.tribuo.interop.onnx.DenseTransformer;
import org.tribuo.interop.onnx.ExampleTransformer;
import org.tribuo.interop.onnx.ONNXExternalModel;
import org.tribuo.math.la.SparseVector;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.MultiLabelFactory;
import org.tribuo.regression.RegressionFactory;
import org.tribuo.regression.Regressor;
import org.tribuo.test.Helpers;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.Function;
import java.util.stream.IntStream;

/** Exported networks come back through Tribuo's own {@link ONNXExternalModel} and predict the same. */
class OnnxExportTest {

    private static final double TOLERANCE = 1e-5;
    private static final double FUSED_TOLERANCE = 1e-4;

    @TempDir
    Path folder;

    private <T extends Output<T>> Path export(EmtalModel<T> model) throws Exception {
        Path file = folder.resolve("dense.onnx");
        model.saveONNXModel("com.example.dense", 3, file);
        return file;
    }

    /** What a user of Tribuo writes who knows nothing of this library: ids from the model, absent features as 0. */
    private static <T extends Output<T>> ONNXExternalModel<T> external(EmtalModel<T> model, OutputTasks<T> tasks,
                                                                       ExampleTransformer features, Path file)
            throws Exception {
        ImmutableFeatureMap featureMap = model.getFeatureIDMap();
        Map<String, Integer> featureIds = new HashMap<>();
        featureMap.keySet().forEach(name -> featureIds.put(name, featureMap.getID(name)));
        ImmutableOutputInfo<T> domain = model.getOutputIDInfo();
        Map<T, Integer> outputIds = new HashMap<>();
        domain.forEach(pair -> outputIds.put(pair.getB(), pair.getA()));
        return ONNXExternalModel.createOnnxModel(tasks.factory(), featureIds, outputIds, features, tasks.transformer(),
                new OrtSession.SessionOptions(), file, "input");
    }

    private static <T extends Output<T>> void assertSamePredictions(Model<T> expected, Model<T> actual,
                                                                    Dataset<T> examples) {
        assertSamePredictions(expected, actual, examples, TOLERANCE);
    }

    /** Another network that says the same of itself and predicts the same, but for rounding. */
    private <T extends Output<T>> void assertFusedComesBack(EmtalModel<T> model, OutputTasks<T> tasks,
                                                            Dataset<T> examples) throws Exception {
        Path file = folder.resolve("fused.onnx");
        model.saveONNXModel("com.example.dense", 3, file, Optimise.FUSED);
        OnnxMl.ModelProto fused = OnnxMl.ModelProto.parseFrom(Files.readAllBytes(file));
        OnnxMl.ModelProto portable = model.exportONNXModel("com.example.dense", 3);
        assertEquals(portable, model.exportONNXModel("com.example.dense", 3, Optimise.PORTABLE));
        assertNotEquals(portable.getGraph().getNodeList(), fused.getGraph().getNodeList());
        assertTrue(fused.getGraph().getNodeList().stream().allMatch(node -> node.getDomain().isEmpty()));
        assertEquals(portable.getMetadataPropsList(), fused.getMetadataPropsList());
        assertEquals(portable.getDomain(), fused.getDomain());
        assertEquals(portable.getModelVersion(), fused.getModelVersion());
        assertEquals(portable.getDocString(), fused.getDocString());
        assertEquals(portable.getGraph().getInputList(), fused.getGraph().getInputList());
        assertEquals(portable.getGraph().getOutputList(), fused.getGraph().getOutputList());
        try (ONNXExternalModel<T> loaded = EmtalModel.loadONNX(file, tasks.factory().getTypeWitness());
             ONNXExternalModel<T> external = external(model, tasks, new MissingAwareTransformer(), file)) {
            assertSamePredictions(model, loaded, examples, FUSED_TOLERANCE);
            assertSamePredictions(model, external, examples, FUSED_TOLERANCE);
            assertEquals(model.getProvenance(), loaded.getTribuoProvenance().orElseThrow());
        }
    }

    private static <T extends Output<T>> void assertSamePredictions(Model<T> expected, Model<T> actual,
                                                                    Dataset<T> examples, double tolerance) {
        List<Prediction<T>> wanted = expected.predict(examples);
        List<Prediction<T>> found = actual.predict(examples);
        for (int i = 0; i < wanted.size(); i++) {
            assertSamePrediction(wanted.get(i), found.get(i), tolerance, "row " + i);
            assertSamePrediction(wanted.get(i), actual.predict(examples.getExample(i)), tolerance,
                    "row " + i + " alone");
        }
    }

    private static <T extends Output<T>> void assertSamePrediction(Prediction<T> wanted, Prediction<T> found,
                                                                   double tolerance, String where) {
        double unit = 1;
        if (wanted.getOutput() instanceof Regressor regressor) {
            double[] values = ((Regressor) (Output<?>) found.getOutput()).getValues();
            for (int t = 0; t < values.length; t++) {
                double value = regressor.getValues()[t];
                assertEquals(value, values[t], tolerance * Math.max(1, Math.abs(value)), where);
                unit = Math.max(unit, Math.abs(value));
            }
        } else {
            assertTrue(wanted.distributionEquals(found, tolerance), where + ": " + wanted + " became " + found);
        }
        assertTrue(wanted.getOutput().fullEquals(found.getOutput(), tolerance * unit),
                where + ": " + wanted.getOutput() + " became " + found.getOutput());
        assertEquals(wanted.getNumActiveFeatures(), found.getNumActiveFeatures());
    }

    @Test
    void multiLabelsComeBack() throws Exception {
        Dataset<MultiLabel> gaps = TestData.multiLabels(60, 1);
        EmtalModel<MultiLabel> model = TestData.<MultiLabel>quickTrainer().build().train(gaps);
        Path file = export(model);
        OutputTasks<MultiLabel> tasks = OutputTasks.of(MultiLabel.class);
        assertSamePredictions(model, EmtalModel.loadONNX(file, MultiLabel.class), gaps);
        assertSamePredictions(model, external(model, tasks, new MissingAwareTransformer(), file), gaps);
        assertSamePredictions(model, external(model, tasks, new DenseTransformer(), file),
                withoutNumericGaps(new MultiLabelFactory(), TestData.Row::labels));
        assertFusedComesBack(model, tasks, gaps);
    }

    @Test
    void regressorsComeBack() throws Exception {
        Dataset<Regressor> gaps = TestData.regressors(60, 1);
        EmtalModel<Regressor> model = TestData.<Regressor>quickTrainer().build().train(gaps);
        Path file = export(model);
        OutputTasks<Regressor> tasks = OutputTasks.of(Regressor.class);
        assertSamePredictions(model, EmtalModel.loadONNX(file, Regressor.class), gaps);
        assertSamePredictions(model, external(model, tasks, new MissingAwareTransformer(), file), gaps);
        assertSamePredictions(model, external(model, tasks, new DenseTransformer(), file),
                withoutNumericGaps(new RegressionFactory(), TestData.Row::targets));
        assertFusedComesBack(model, tasks, gaps);
    }

    @Test
    void labelsComeBack() throws Exception {
        Dataset<Label> gaps = TestData.labels(60, 1);
        EmtalModel<Label> model = TestData.<Label>quickTrainer().build().train(gaps);
        Path file = export(model);
        OutputTasks<Label> tasks = OutputTasks.of(Label.class);
        assertSamePredictions(model, EmtalModel.loadONNX(file, Label.class), gaps);
        assertSamePredictions(model, external(model, tasks, new MissingAwareTransformer(), file), gaps);
        assertSamePredictions(model, external(model, tasks, new DenseTransformer(), file),
                withoutNumericGaps(new LabelFactory(), TestData.Row::label));
        assertFusedComesBack(model, tasks, gaps);
    }

    @Test
    void tasksOfMixedKindsComeBack() throws Exception {
        Dataset<MultiTask> gaps = TestData.multiTasks(60, 1);
        EmtalModel<MultiTask> model = TestData.<MultiTask>quickTrainer().build().train(gaps);
        Path file = export(model);
        OutputTasks<MultiTask> tasks = OutputTasks.of(MultiTask.class);
        ONNXExternalModel<MultiTask> loaded = EmtalModel.loadONNX(file, MultiTask.class);
        assertSamePredictions(model, loaded, gaps);
        assertSamePredictions(model, Model.deserialize(loaded.serialize()).castModel(MultiTask.class), gaps);
        assertSamePredictions(model, external(model, tasks, new MissingAwareTransformer(), file), gaps);
        assertSamePredictions(model, external(model, tasks, new DenseTransformer(), file),
                withoutNumericGaps(new MultiTaskFactory(), TestData.Row::tasks));
        assertFusedComesBack(model, tasks, gaps);
    }

    @Test
    void transformersOfPixelsComeBack() throws Exception {
        SplittableRandom random = new SplittableRandom(1);
        List<Example<Regressor>> rows = new ArrayList<>();
        for (int row = 0; row < 40; row++) {
            double[] pixels = random.doubles(64).toArray();
            Example<Regressor> example = new ArrayExample<>(new Regressor(new String[] {"first", "sum"},
                    new double[] {pixels[0], Arrays.stream(pixels).sum()}));
            for (int i = 0; i < pixels.length; i++) {
                example.add(new Feature(String.format(Locale.ROOT, "p%02d", i), pixels[i]));
            }
            rows.add(example);
        }
        Dataset<Regressor> data = TestData.dataset(new RegressionFactory(), rows);
        EmtalModel<Regressor> model = TestData.<Regressor>quickTrainer().backbone(VisionTransformer.builder()
                .image(8, 8, 1).patch(4).width(16).heads(2).depth(2).hidden(32).build()).build().train(data);
        assertSamePredictions(model, EmtalModel.loadONNX(export(model), Regressor.class), data);
        assertFusedComesBack(model, OutputTasks.of(Regressor.class), data);
    }

    /** Numbers are all there; a nominal column may lack a value, which its zeros say as well. */
    private static <T extends Output<T>> Dataset<T> withoutNumericGaps(OutputFactory<T> factory,
                                                                       Function<TestData.Row, T> output) {
        return TestData.dataset(factory, TestData.rows(60, 9, true).stream()
                .map(row -> new TestData.Row(row.x(), Double.isNaN(row.y()) ? 0 : row.y(), row.colour()))
                .map(row -> row.example(output.apply(row))).toList());
    }

    /** Of three classes the most probable one is predicted, however improbable; the columns follow the ids. */
    @Test
    void softmaxTasksComeBack() throws Exception {
        Dataset<MultiLabel> data = TestData.multiLabels(60, 1);
        OutputTasks<MultiLabel> tasks = MultiLabelTasks.separatedBy("=");
        EmtalModel<MultiLabel> model = TestData.<MultiLabel>quickTrainer().outputs(tasks).build().train(data);
        int improbable = 0;
        for (Prediction<MultiLabel> prediction : model.predict(data)) {
            double[] kinds = prediction.getOutputScores().entrySet().stream()
                    .filter(e -> e.getKey().startsWith("kind="))
                    .mapToDouble(e -> e.getValue().getLabelSet().iterator().next().getScore()).toArray();
            assertEquals(3, kinds.length);
            assertEquals(1, Arrays.stream(kinds).sum(), 1e-5);
            improbable += Arrays.stream(kinds).max().orElseThrow() < 0.5 ? 1 : 0;
        }
        assertTrue(improbable > 0);
        Path file = export(model);
        ONNXExternalModel<MultiLabel> loaded = EmtalModel.loadONNX(file, MultiLabel.class);
        assertSamePredictions(model, loaded, data);
        assertSamePredictions(model, Model.deserialize(loaded.serialize()).castModel(MultiLabel.class), data);
        assertSamePredictions(model, external(model, tasks, new MissingAwareTransformer(), file), data);
        assertFusedComesBack(model, tasks, data);
    }

    @Test
    void featuresThatNoTrainingExampleHadKeepTheirPlaceInTheInput() throws Exception {
        Dataset<Label> data = TestData.labels(60, 1);
        int[] withoutGreen = IntStream.range(0, data.size())
                .filter(i -> data.getExample(i).lookup("colour@green") == null).toArray();
        DatasetView<Label> view = new DatasetView<>(data, withoutGreen, "without green");
        EmtalModel<Label> model = TestData.<Label>quickTrainer().build().train(view);
        assertEquals(data.getFeatureIDMap().size(), model.getFeatureIDMap().size());
        Path file = export(model);
        assertSamePredictions(model, EmtalModel.loadONNX(file, Label.class), view);
        OutputTasks<Label> tasks = OutputTasks.of(Label.class);
        assertSamePredictions(model, external(model, tasks, new MissingAwareTransformer(), file), view);
    }

    @Test
    void theFileSaysWhereItComesFrom() throws Exception {
        EmtalModel<Label> model = TestData.<Label>quickTrainer().build().train(TestData.labels(30, 1));
        Path file = export(model);
        OnnxMl.ModelProto exported = OnnxMl.ModelProto.parseFrom(Files.readAllBytes(file));
        assertEquals("com.example.dense", exported.getDomain());
        assertEquals(3, exported.getModelVersion());
        assertEquals("input", exported.getGraph().getInput(0).getName());
        assertEquals("output", exported.getGraph().getOutput(0).getName());
        try (ONNXExternalModel<Label> loaded = EmtalModel.loadONNX(file, Label.class)) {
            assertEquals(model.getProvenance(), loaded.getTribuoProvenance().orElseThrow());
        }
    }

    @Test
    void whatIsNoExportIsRefused() throws Exception {
        EmtalModel<Label> model = TestData.<Label>quickTrainer().build().train(TestData.labels(30, 1));
        Path file = export(model);
        assertThrows(EmtalException.class, () -> EmtalModel.loadONNX(file, Regressor.class));
        OnnxMl.ModelProto exported = OnnxMl.ModelProto.parseFrom(Files.readAllBytes(file));
        Files.write(file, exported.toBuilder().clearMetadataProps().build().toByteArray());
        assertThrows(EmtalException.class, () -> EmtalModel.loadONNX(file, Label.class));
        Files.writeString(file, "no model");
        assertThrows(EmtalException.class, () -> EmtalModel.loadONNX(file, Label.class));
        assertThrows(UnsupportedOperationException.class, () -> model.writeONNXGraph(null));
    }

    @Test
    void outputTasksThatDoNotFitAreRefused() throws Exception {
        EmtalModel<Label> model = TestData.<Label>quickTrainer().build().train(TestData.labels(30, 1));
        OnnxMl.ModelProto exported = model.exportONNXModel("com.example.dense", 3);
        SignatureProto signature = TribuoSignature.read(exported);
        OutputTasksProto tasks = signature.getTasks();
        Map<SignatureProto.Builder, String> refused = Map.of(
                signature.toBuilder().clearTasks(), "without output tasks",
                signature.toBuilder().setTasks(tasks.toBuilder().setVersion(1)), "cannot be read",
                signature.toBuilder().setTasks(tasks.toBuilder().setClassName("com.example.Tasks")), "cannot be read",
                signature.toBuilder().setTasks(tasks.toBuilder().setClassName(MissingAwareTransformer.class.getName())),
                "cannot be read",
                signature.toBuilder().setTasks(new MultiLabelTasks().serialize()), "found output tasks of "
                        + MultiLabel.class.getName());
        for (Map.Entry<SignatureProto.Builder, String> bad : refused.entrySet()) {
            OnnxMl.ModelProto.Builder changed = exported.toBuilder();
            changed.getMetadataPropsBuilderList().stream()
                    .filter(entry -> entry.getKey().equals(TribuoSignature.METADATA)).findFirst().orElseThrow()
                    .setValue(TextFormat.printer().printToString(bad.getKey()));
            Path file = Files.write(folder.resolve("changed.onnx"), changed.build().toByteArray());
            String message = assertThrows(EmtalException.class, () -> EmtalModel.loadONNX(file, Label.class))
                    .getMessage();
            assertTrue(message.startsWith(file.toString()) && message.contains(bad.getValue()), message);
        }
    }

    @Test
    void theTransformerIsConfigurableAndSerialised() throws Exception {
        MissingAwareTransformer transformer = new MissingAwareTransformer();
        Helpers.testProtoSerialization(transformer);
        Helpers.testConfigurableRoundtrip(transformer);
        Dataset<Label> data = TestData.labels(30, 1);
        EmtalModel<Label> model = TestData.<Label>quickTrainer().build().train(data);
        ONNXExternalModel<Label> loaded = EmtalModel.loadONNX(export(model), Label.class);
        assertSamePredictions(loaded, Model.deserialize(loaded.serialize()).castModel(Label.class), data);
        float[][] rows = {{1, Float.NaN, 2}};
        try (var tensor = transformer.transform(OrtEnvironment.getEnvironment(),
                SparseVector.createSparseVector(3, new int[] {0, 2}, new double[] {1, 2}))) {
            assertArrayEquals(rows[0], ((float[][]) tensor.getValue())[0]);
        }
    }
}

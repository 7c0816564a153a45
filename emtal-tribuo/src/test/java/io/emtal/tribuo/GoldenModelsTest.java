package io.emtal.tribuo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.backbone.FeatureTransformer;
import io.emtal.onnx.train.EpochRecord;
import io.emtal.onnx.train.Recipe;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskFactory;
import io.emtal.tribuo.multitask.TaskValue;
import io.emtal.tribuo.output.MultiLabelTasks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.tribuo.Dataset;
import org.tribuo.Model;
import org.tribuo.Output;
import org.tribuo.OutputFactory;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.classification.LabelFactory;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.MultiLabelFactory;
import org.tribuo.regression.RegressionFactory;
import org.tribuo.regression.Regressor;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.TreeMap;
import java.util.function.Function;

/**
 * Models that earlier releases wrote are read and predict what they did. Every release adds a folder, which
 * {@link #main} writes; none is ever written anew.
 */
class GoldenModelsTest {

    private static final int ROWS = 20;

    /** Writes the models of this release: the argument is a new folder under {@code src/test/resources/golden}. */
    public static void main(String[] arguments) throws IOException {
        Path folder = Files.createDirectories(Path.of(arguments[0]));
        EmtalTrainer.Builder<MultiLabel> multiLabels = trainer();
        write(folder, "multilabel", multiLabels.outputs(MultiLabelTasks.separatedBy("=")).build(), data("multilabel"));
        write(folder, "regressor", GoldenModelsTest.<Regressor>trainer().build(), data("regressor"));
        write(folder, "label", GoldenModelsTest.<Label>trainer().build(), data("label"));
        write(folder, "multitask", GoldenModelsTest.<MultiTask>trainer().build(), data("multitask"));
    }

    private static <T extends Output<T>> EmtalTrainer.Builder<T> trainer() {
        return EmtalTrainer.<T>builder()
                .backbone(FeatureTransformer.builder().width(4).depth(1).heads(1).hidden(4).maxTokens(2).bins(2)
                        .build())
                .method(Emtal.builder().experts(2).rank(1).build())
                .recipe(Recipe.builder().pretrainEpochs(2).epochs(2).batchSize(16).workers(1).build());
    }

    private static <T extends Output<T>> void write(Path folder, String name, EmtalTrainer<T> trainer, Dataset<?> data)
            throws IOException {
        @SuppressWarnings("unchecked") // data and trainer have the same name
        Dataset<T> examples = (Dataset<T>) data;
        EmtalModel<T> model = trainer.train(examples);
        model.serializeToFile(folder.resolve(name + ".tribuo"));
        Files.write(folder.resolve(name + ".csv"),
                model.predict(examples).stream().map(GoldenModelsTest::line).toList());
    }

    private static Dataset<?> data(String name) {
        return switch (name) {
            case "multilabel" -> data(new MultiLabelFactory(), TestData.Row::labels);
            case "regressor" -> data(new RegressionFactory(), TestData.Row::targets);
            case "label" -> data(new LabelFactory(), TestData.Row::label);
            case "multitask" -> data(new MultiTaskFactory(), TestData.Row::tasks);
            default -> throw new IllegalArgumentException(name);
        };
    }

    private static <T extends Output<T>> Dataset<T> data(OutputFactory<T> factory, Function<TestData.Row, T> output) {
        return TestData.dataset(factory, ROWS, 2026, true, output);
    }

    private static String line(Prediction<?> prediction) {
        StringBuilder line = new StringBuilder();
        for (double value : values(prediction)) {
            line.append(line.isEmpty() ? "" : ",").append(String.format(Locale.ROOT, "%.7g", value));
        }
        return line.toString();
    }

    /** The scores in the order of their names, or the regression's values. */
    private static double[] values(Prediction<?> prediction) {
        if (prediction.getOutput() instanceof Regressor regressor) {
            return regressor.getValues();
        }
        return new TreeMap<>(prediction.getOutputScores()).values().stream().mapToDouble(GoldenModelsTest::score)
                .toArray();
    }

    private static double score(Output<?> scored) {
        if (scored instanceof MultiTask tasks) {
            TaskValue value = tasks.values().get(0);
            return value instanceof TaskValue.Category category ? category.score()
                    : value instanceof TaskValue.Binary binary ? binary.score() : ((TaskValue.Real) value).value();
        }
        return scored instanceof Label label ? label.getScore()
                : ((MultiLabel) scored).getLabelSet().iterator().next().getScore();
    }

    @ParameterizedTest
    @CsvSource({"0.1, multilabel", "0.1, regressor", "0.1, label", "0.1, multitask"})
    void modelsOfEarlierReleasesAreRead(String release, String name) throws IOException {
        Model<?> model;
        try (InputStream stream = resource(release, name + ".tribuo")) {
            model = Model.deserializeFromStream(stream);
        }
        List<String> expected;
        try (InputStream stream = resource(release, name + ".csv")) {
            expected = new String(stream.readAllBytes(), StandardCharsets.UTF_8).lines().toList();
        }
        List<? extends Prediction<?>> found = predict(model, data(name));
        assertEquals(expected.size(), found.size());
        for (int row = 0; row < expected.size(); row++) {
            double[] values = Arrays.stream(expected.get(row).split(",")).mapToDouble(Double::parseDouble).toArray();
            assertArrayEquals(values, values(found.get(row)), 1e-5 * Math.max(1, Math.abs(values[values.length - 1])),
                    "row " + row);
        }
        assertFalse(((EmtalModel<?>) model).training().history().isEmpty());
    }

    @Test
    void historiesOfBeforeTheWeightsOfQualityRetainingHaveNone() throws IOException {
        try (InputStream stream = resource("0.1", "label.tribuo")) {
            List<EpochRecord> history = ((EmtalModel<?>) Model.deserializeFromStream(stream)).training().history();
            assertFalse(history.isEmpty());
            assertTrue(history.stream().allMatch(epoch -> epoch.retainingWeights().length == 0));
        }
    }

    @SuppressWarnings("unchecked") // the model was trained on data of the same name
    private static <T extends Output<T>> List<Prediction<T>> predict(Model<?> model, Dataset<?> data) {
        return ((Model<T>) model).predict((Dataset<T>) data);
    }

    private static InputStream resource(String release, String file) {
        return GoldenModelsTest.class.getResourceAsStream("/golden/" + release + "/" + file);
    }
}

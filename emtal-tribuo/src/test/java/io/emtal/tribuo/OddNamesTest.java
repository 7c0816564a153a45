package io.emtal.tribuo;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskFactory;
import io.emtal.tribuo.output.MultiLabelTasks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.impl.ArrayExample;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.regression.RegressionFactory;
import org.tribuo.regression.Regressor;
import org.tribuo.test.Helpers;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** Faults 18, 25 and 28: names and locales that a format could trip over. */
class OddNamesTest {

    private static final String[] TARGETS = {"a=b", "<b>&amp;\"", "größe/m²", "=1+1", "%s,{0}", "\uD83D\uDE00", "\\1f600;"};
    private static final String[] FEATURES = {"x\ny", "\"quoted\\\"", "<i>", "=HYPERLINK(1)", "größe", "c@<1>", "c@=2", "@",
        "input", "output", "emtal/row"};

    @TempDir
    Path folder;

    private static Dataset<Regressor> data() {
        List<Example<Regressor>> examples = new ArrayList<>();
        for (TestData.Row row : TestData.rows(40, 3, false)) {
            double[] values = new double[TARGETS.length];
            for (int t = 0; t < values.length; t++) {
                values[t] = row.x() * (t + 1) + row.y();
            }
            ArrayExample<Regressor> example = new ArrayExample<>(new Regressor(TARGETS, values));
            for (int f = 0; f < FEATURES.length; f++) {
                if (!FEATURES[f].startsWith("c@")) {
                    example.add(FEATURES[f], row.x() + f * row.y());
                }
            }
            example.add(row.colour() > 0 ? "c@<1>" : "c@=2", 1);
            examples.add(example);
        }
        return TestData.dataset(new RegressionFactory(), examples);
    }

    @Test
    void everyFormatKeepsOddNames() throws Exception {
        Dataset<Regressor> data = data();
        EmtalModel<Regressor> model = TestData.<Regressor>quickTrainer().build().train(data);
        Helpers.testModelProtoSerialization(model, Regressor.class, data);
        Helpers.testProvenanceMarshalling(model.getProvenance());
        assertEquals(List.of(TARGETS).stream().sorted().toList(),
                model.training().tasks().tasks().stream().map(task -> task.name()).toList());
        Path file = folder.resolve("odd <names>.onnx");
        model.saveONNXModel("com.example", 1, file);
        Model<Regressor> loaded = EmtalModel.loadONNX(file, Regressor.class);
        assertEquals(model.getFeatureIDMap().keySet(), loaded.getFeatureIDMap().keySet());
        for (Example<Regressor> example : data) {
            assertArrayEquals(model.predict(example).getOutput().getValues(),
                    loaded.predict(example).getOutput().getValues(), 1e-5);
        }
    }

    @Test
    void everyFormatKeepsOddNamesOfTasksAndClasses() throws Exception {
        List<Example<MultiTask>> examples = new ArrayList<>();
        for (TestData.Row row : TestData.rows(40, 3, false)) {
            MultiTask.Builder tasks = MultiTask.builder();
            for (String name : TARGETS) {
                tasks.categorical("class " + name, row.x() > 0 ? name + "\n" : "").binary("binary " + name, row.x() > 0)
                        .real("real " + name, row.x());
            }
            examples.add(row.example(tasks.build()));
        }
        Dataset<MultiTask> data = TestData.dataset(new MultiTaskFactory(), examples);
        EmtalModel<MultiTask> model = TestData.<MultiTask>quickTrainer().build().train(data);
        Helpers.testModelProtoSerialization(model, MultiTask.class, data);
        Path file = folder.resolve("odd <tasks>.onnx");
        model.saveONNXModel("com.example", 1, file);
        Model<MultiTask> loaded = EmtalModel.loadONNX(file, MultiTask.class);
        assertTrue(model.getOutputIDInfo().domainAndIDEquals(loaded.getOutputIDInfo()));
        for (Example<MultiTask> example : data) {
            assertTrue(model.predict(example).distributionEquals(loaded.predict(example), 1e-5));
        }
    }

    @Test
    void fault25_aLocaleWithDecimalCommasChangesNothing() throws Exception {
        Locale usual = Locale.getDefault();
        Dataset<MultiLabel> data = TestData.multiLabels(40, 1);
        EmtalTrainer<MultiLabel> trainer = TestData.<MultiLabel>quickTrainer()
                .outputs(MultiLabelTasks.separatedBy("=")).build();
        EmtalModel<MultiLabel> expected = trainer.train(data);
        try {
            Locale.setDefault(Locale.GERMANY);
            ConfigurationManager manager = new ConfigurationManager();
            manager.importConfigurable(trainer, "trainer");
            Path file = folder.resolve("trainer.xml");
            manager.save(file.toFile());
            @SuppressWarnings("unchecked") // as it was saved
            EmtalTrainer<MultiLabel> read =
                    (EmtalTrainer<MultiLabel>) new ConfigurationManager(file.toString()).lookup("trainer");
            EmtalModel<MultiLabel> actual = read.train(data);
            OnnxAssertions.assertSameNetwork(expected, actual);
            Path exported = folder.resolve("dense.onnx");
            actual.saveONNXModel("com.example", 1, exported);
            assertTrue(actual.predict(data).get(0).distributionEquals(
                    EmtalModel.loadONNX(exported, MultiLabel.class).predict(data).get(0), 1e-5));
        } finally {
            Locale.setDefault(usual);
        }
    }
}

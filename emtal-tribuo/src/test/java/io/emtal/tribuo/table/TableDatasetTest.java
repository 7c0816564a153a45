package io.emtal.tribuo.table;

import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.Examples;
import io.emtal.tribuo.EmtalModel;
import io.emtal.tribuo.TestData;
import io.emtal.tribuo.Warnings;
import io.emtal.tribuo.input.FeatureEncoder;
import io.emtal.tribuo.input.RoundingCheck;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskEvaluator;
import io.emtal.tribuo.multitask.MultiTaskFactory;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.ImmutableFeatureMap;
import org.tribuo.MutableDataset;
import org.tribuo.RealInfo;
import org.tribuo.VariableInfo;
import org.tribuo.transform.TransformationMap;
import org.tribuo.transform.transformations.LinearScalingTransformation;

import java.io.IOException;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class TableDatasetTest {

    private static final long SEED = 7;

    /** One value of c and one column are never seen. */
    private static final TableSchema SCHEMA = TableSchema.builder().numeric("y").nominal("c", "red", "blue", "none", "green")
            .numeric("x", "never").realTask("r").binaryTask("b").categoricalTask("k", "lo", "hi").build();

    @TempDir
    Path folder;

    private TableSource source;

    @BeforeEach
    void writeTable() throws IOException {
        SplittableRandom random = new SplittableRandom(SEED);
        StringBuilder text = new StringBuilder("y,c,x,never,r,b,k\n");
        for (int row = 0; row < 60; row++) {
            text.append(row % 7 == 0 ? "" : random.nextInt(64) / 8.0).append(',')
                    .append(row % 5 == 0 ? "" : List.of("green", "blue", "red").get(random.nextInt(3))).append(',')
                    .append(random.nextInt(64) / 4.0).append(",,")
                    .append(row % 3 == 0 ? "" : random.nextDouble()).append(',')
                    .append(row % 4 == 0 ? "" : random.nextInt(2)).append(',')
                    .append(row % 2 == 0 ? "" : random.nextBoolean() ? "lo" : "hi").append('\n');
        }
        source = TableSource.of(Files.writeString(folder.resolve("table.csv"), text), SCHEMA);
    }

    @Test
    void examplesFeaturesAndOutputsAreThoseOfADataSetInMemory() {
        MutableDataset<MultiTask> memory = new MutableDataset<>(source);
        try (TableDataset packed = TableDataset.of(source)) {
            assertEquals(memory.size(), packed.size());
            int row = 0;
            for (Example<MultiTask> example : packed) {
                assertEquals(memory.getExample(row), example);
                assertTrue(memory.getExample(row).getOutput().fullEquals(example.getOutput()));
                assertEquals(example, packed.getExample(row));
                assertEquals(example, packed.getData().get(row));
                row++;
            }
            assertEquals(memory.size(), row);
            assertEquals(memory.getOutputIDInfo(), packed.getOutputIDInfo());
            assertEquals(memory.getOutputs(), packed.getOutputs());
            ImmutableFeatureMap features = memory.getFeatureIDMap();
            assertEquals(features.size(), packed.getFeatureIDMap().size());
            for (int id = 0; id < features.size(); id++) {
                String name = features.get(id).getName();
                VariableInfo found = packed.getFeatureMap().get(name);
                assertEquals(id, packed.getFeatureIDMap().getID(name));
                assertEquals(features.get(id).getCount(), found.getCount());
                if (name.equals("x")) {
                    double[] values = memory.getData().stream().mapToDouble(e -> e.lookup("x").getValue())
                            .filter(v -> v != 0).toArray();
                    double mean = Arrays.stream(values).average().orElseThrow();
                    RealInfo real = (RealInfo) found;
                    assertEquals(mean, real.getMean(), 1e-12);
                    assertEquals(Arrays.stream(values).map(v -> (v - mean) * (v - mean)).sum()
                            / (values.length - 1), real.getVariance(), 1e-9);
                }
            }
        }
    }

    @Test
    void columnsOfZerosAreTheFeaturesOfADataSetInMemory() throws IOException {
        TableSchema schema = TableSchema.builder().numeric("zeros", "x", "gaps").realTask("r").build();
        StringBuilder text = new StringBuilder("zeros,x,gaps,r\n");
        for (int row = 0; row < 60; row++) {
            text.append(row % 2 == 0 ? "0," : "-0.0,").append(row % 8).append(',').append(row % 3 == 0 ? "" : "0")
                    .append(',').append(row % 5).append('\n');
        }
        TableSource zeros = TableSource.of(Files.writeString(folder.resolve("zeros.csv"), text), schema);
        MutableDataset<MultiTask> memory = new MutableDataset<>(zeros);
        try (TableDataset packed = TableDataset.of(zeros);
             EmtalModel<MultiTask> fromRows = TestData.<MultiTask>quickTrainer().build().train(packed);
             EmtalModel<MultiTask> fromExamples = TestData.<MultiTask>quickTrainer().build().train(memory)) {
            ImmutableFeatureMap features = memory.getFeatureIDMap();
            assertEquals(features.keySet(), packed.getFeatureIDMap().keySet());
            for (String name : features.keySet()) {
                assertEquals(features.getID(name), packed.getFeatureIDMap().getID(name));
                assertEquals(features.get(name).getCount(), packed.getFeatureIDMap().get(name).getCount());
            }
            for (String name : List.of("zeros", "gaps")) {
                assertEquals(features.get(name), packed.getFeatureIDMap().get(name));
            }
            assertEquals(packed.getFeatureIDMap(),
                    ImmutableFeatureMap.deserialize(packed.getFeatureIDMap().serialize()));
            for (int row = 0; row < packed.size(); row++) {
                assertTrue(fromExamples.predict(memory.getExample(row)).getOutput()
                        .fullEquals(fromRows.predict(packed.getExample(row)).getOutput()), "row " + row);
            }
        }
    }

    @Test
    void rowsAreThoseThatTheEncoderMakesOfExamples() {
        MutableDataset<MultiTask> memory = new MutableDataset<>(source);
        try (TableDataset packed = TableDataset.of(source)) {
            FeatureEncoder expected = FeatureEncoder.of(memory.getFeatureIDMap(), memory.getData());
            assertEquals(expected.layout(), packed.encoder().layout());
            assertArrayEquals(expected.featureIds().orElseThrow(), packed.encoder().featureIds().orElseThrow());
            Examples rows = packed.rows(null);
            for (int row = memory.size() - 1; row >= 0; row--) {
                float[] made = new float[rows.width()];
                expected.encode("row", memory.getExample(row), made, 0);
                float[] found = new float[rows.width()];
                rows.inputs(row, FloatBuffer.wrap(found));
                assertArrayEquals(made, found, "row " + row + ", seed " + SEED);
            }
        }
    }

    @Test
    void outputsOfAnUnlabelledTableAreUnknown() {
        TableSource unlabelled = TableSource.builder(source.file()).schema(SCHEMA).unlabelled().build();
        MutableDataset<MultiTask> memory = new MutableDataset<>(unlabelled);
        MutableDataset<MultiTask> labelled = new MutableDataset<>(source);
        try (TableDataset packed = TableDataset.of(unlabelled);
             EmtalModel<MultiTask> model = TestData.<MultiTask>quickTrainer().build().train(labelled)) {
            assertEquals(60, packed.getOutputInfo().getUnknownCount());
            assertEquals(memory.getOutputIDInfo(), packed.getOutputIDInfo());
            for (int row = 0; row < packed.size(); row++) {
                assertSame(MultiTaskFactory.UNKNOWN_MULTITASK, packed.getExample(row).getOutput());
                assertEquals(memory.getExample(row), packed.getExample(row));
            }
            assertEquals(60, model.predict(packed).size());
            for (Dataset<MultiTask> data : List.of(memory, packed)) {
                assertMessage(() -> new MultiTaskEvaluator().evaluate(model, data),
                        "Unknown Output was used as a ground truth");
                assertMessage(() -> TestData.<MultiTask>quickTrainer().build().train(data),
                        "found 60 examples with an unknown output");
            }
        }
    }

    private static void assertMessage(Executable call, String part) {
        String message = assertThrows(RuntimeException.class, call).getMessage();
        assertTrue(message.contains(part), message);
    }

    /** Epoch milliseconds, a second apart, some of them missing; a file has no trace of what it rounded away. */
    @Test
    void featuresThatSinglePrecisionTakesForTheSameAreWarnedOf() throws IOException {
        TableSchema schema = TableSchema.builder().numeric("count", "time", "same").nominal("c", "red", "blue")
                .realTask("r").build();
        StringBuilder text = new StringBuilder("count,time,same,c,r\n");
        for (int row = 0; row < 50; row++) {
            text.append(16_000_000 + row).append(',').append(row % 5 == 0 ? "" : 1_700_000_000_000L + 1000 * row)
                    .append(",1.7e12,").append(row % 2 == 0 ? "red" : "blue").append(",1\n");
        }
        TableSource times = TableSource.of(Files.writeString(folder.resolve("times.csv"), text), schema);
        try (Warnings warnings = new Warnings(RoundingCheck.class); TableDataset packed = TableDataset.of(times)) {
            assertEquals(50, packed.size());
            TableDataset.of(source).close();
            assertEquals(1, warnings.messages().size(), () -> warnings.messages().toString());
            String message = warnings.messages().get(0);
            assertTrue(message.startsWith("Found 1 features") && message.endsWith(": ['time']"), message);
        }
    }

    @Test
    void shufflingIsForIteratorsOnly() {
        try (TableDataset packed = TableDataset.of(source)) {
            List<Example<MultiTask>> inOrder = packed.getData();
            packed.shuffle(true);
            List<Example<MultiTask>> shuffled = new ArrayList<>();
            packed.forEach(shuffled::add);
            assertNotEquals(inOrder, shuffled);
            assertEquals(inOrder.size(), shuffled.size());
            assertTrue(shuffled.containsAll(inOrder));
            assertEquals(inOrder.get(3), packed.getExample(3));
            packed.shuffle(false);
            shuffled.clear();
            packed.forEach(shuffled::add);
            assertEquals(inOrder, shuffled);
        }
    }

    @Test
    void provenanceIsThatOfTheSource() {
        try (TableDataset packed = TableDataset.of(source)) {
            assertEquals(source.getProvenance(), packed.getProvenance().getSourceProvenance());
            assertEquals(60, packed.getProvenance().getNumExamples());
            assertEquals(packed.getProvenance(),
                    ProvenanceUtil.unmarshalProvenance(ProvenanceUtil.marshalProvenance(packed.getProvenance())));
        }
    }

    @Test
    void whatCannotBeIsRefused() throws IOException {
        TableDataset packed = TableDataset.of(source);
        assertThrows(IllegalArgumentException.class, () -> packed.getExample(60));
        assertThrows(IllegalArgumentException.class, () -> packed.getExample(-1));
        assertThrows(UnsupportedOperationException.class, packed::serialize);
        assertThrows(UnsupportedOperationException.class, () -> packed.createTransformers(
                new TransformationMap(List.of(new LinearScalingTransformation()))));
        packed.close();
        packed.close();
        assertThrows(EmtalException.class, () -> packed.getExample(0));
        TableSource wide = TableSource.of(Files.writeString(folder.resolve("wide.csv"),
                "y,c,x,never,r,b,k\n1,red,1,,,,\n1,red,1e39,,,,\n"), SCHEMA);
        String message = assertThrows(EmtalException.class, () -> TableDataset.of(wide)).getMessage();
        assertTrue(message.contains("line 3, column 'x': found '1e39', allowed are decimal numbers"), message);
    }
}

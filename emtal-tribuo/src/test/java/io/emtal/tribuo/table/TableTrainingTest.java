package io.emtal.tribuo.table;

import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.backbone.FeatureEnsemble;
import io.emtal.onnx.train.Recipe;
import io.emtal.tribuo.EmtalModel;
import io.emtal.tribuo.EmtalTrainer;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskEvaluator;
import io.emtal.tribuo.multitask.TaskValue;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.MutableDataset;
import org.tribuo.Prediction;
import org.tribuo.evaluation.CrossValidation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class TableTrainingTest {

    private static final long SEED = 11;

    private static final TableSchema SCHEMA = TableSchema.builder().numeric("y", "x").nominal("c", "red", "blue", "none")
            .realTask("r").binaryTask("b").categoricalTask("k", "lo", "hi").build();

    @TempDir
    Path folder;

    private TableSource table() throws IOException {
        SplittableRandom random = new SplittableRandom(SEED);
        StringBuilder text = new StringBuilder("y,x,c,r,b,k\n");
        for (int row = 0; row < 120; row++) {
            // Eighths are the same numbers in single and double precision.
            double x = random.nextInt(-16, 17) / 8.0;
            double y = random.nextInt(-16, 17) / 8.0;
            text.append(row % 9 == 0 ? "" : y).append(',').append(x).append(',')
                    .append(row % 7 == 0 ? "" : row % 2 == 0 ? "red" : "blue").append(',')
                    .append(row % 5 == 0 ? "" : 10 * x + row % 2).append(',')
                    .append(row % 4 == 0 ? "" : x > 0 ? 1 : 0).append(',')
                    .append(row % 3 == 0 ? "" : row % 2 == 0 ? "lo" : "hi").append('\n');
        }
        return TableSource.of(Files.writeString(folder.resolve("table.csv"), text), SCHEMA);
    }

    private static EmtalModel<MultiTask> train(Dataset<MultiTask> data) {
        return trainer().train(data);
    }

    private static EmtalTrainer<MultiTask> trainer() {
        return EmtalTrainer.<MultiTask>builder().backbone(FeatureEnsemble.builder().members(4).width(16).hidden(32).build())
                .method(Emtal.builder().experts(4).rank(2).build())
                .recipe(Recipe.builder().pretrainEpochs(40).epochs(4).workers(1).build()).seed(SEED).build();
    }

    /** Packed rows train the same network, bit by bit, as examples in memory do. */
    @Test
    void packedRowsTrainTheSameNetwork() throws IOException {
        TableSource source = table();
        try (TableDataset packed = TableDataset.of(source); EmtalModel<MultiTask> fromRows = train(packed);
             EmtalModel<MultiTask> fromExamples = train(new MutableDataset<>(source))) {
            List<Prediction<MultiTask>> a = fromRows.predict(packed);
            List<Prediction<MultiTask>> b = fromExamples.predict(packed);
            int right = 0;
            int labels = 0;
            for (int row = 0; row < packed.size(); row++) {
                assertTrue(b.get(row).getOutput().fullEquals(a.get(row).getOutput()), "row " + row + ", seed " + SEED);
                Example<MultiTask> example = packed.getExample(row);
                for (TaskValue truth : example.getOutput().values()) {
                    if (!(truth instanceof TaskValue.Real)) {
                        labels++;
                        right += MultiTask.of(List.of(truth)).equals(MultiTask.of(List.of(
                                a.get(row).getOutput().value(truth.task()).orElseThrow()))) ? 1 : 0;
                    }
                }
            }
            assertEquals(120 * 3 / 4 + 120 * 2 / 3, labels);
            assertTrue(right > 0.85 * labels, right + " of " + labels + " labels are right, seed " + SEED);
        }
    }

    /** Views of packed rows are data sets as any other. */
    @Test
    void packedRowsAreCrossValidated() throws IOException {
        try (TableDataset packed = TableDataset.of(table())) {
            var results = new CrossValidation<>(trainer(), packed, new MultiTaskEvaluator(), 2, SEED).evaluate();
            assertEquals(2, results.size());
            assertEquals(packed.size(), results.stream().mapToInt(result -> result.getA().getPredictions().size()).sum());
        }
    }
}

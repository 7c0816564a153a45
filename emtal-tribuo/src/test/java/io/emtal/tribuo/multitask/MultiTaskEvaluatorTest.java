package io.emtal.tribuo.multitask;

import io.emtal.onnx.EmtalException;
import org.junit.jupiter.api.Test;
import org.tribuo.Example;
import org.tribuo.MutableDataset;
import org.tribuo.evaluation.metrics.MetricTarget;
import org.tribuo.impl.ArrayExample;
import org.tribuo.provenance.SimpleDataSourceProvenance;

import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalDouble;

import static io.emtal.tribuo.multitask.MultiTaskMetrics.ACCURACY;
import static io.emtal.tribuo.multitask.MultiTaskMetrics.AUC;
import static io.emtal.tribuo.multitask.MultiTaskMetrics.BALANCED_ACCURACY;
import static io.emtal.tribuo.multitask.MultiTaskMetrics.LOG_LOSS;
import static io.emtal.tribuo.multitask.MultiTaskMetrics.MAE;
import static io.emtal.tribuo.multitask.MultiTaskMetrics.R2;
import static io.emtal.tribuo.multitask.MultiTaskMetrics.RMSE;
import static io.emtal.tribuo.multitask.MultiTaskMetrics.RRMSE;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class MultiTaskEvaluatorTest {

    private static final MultiTaskFactory FACTORY = new MultiTaskFactory();

    private static final MutableDataset<MultiTask> TRAINING = dataset(
            output("a", "x", true, 1.0), output("b", "y", false, 3.0), output("c", null, null, null));

    // Columns a, b, c | x, y | true | number, one row an example.
    private static final double[][] PREDICTED = {
        {0.7, 0.2, 0.1, 0.9, 0.1, 0.8, 1.5},
        {0.5, 0.3, 0.2, 0.4, 0.6, 0.3, 2.0},
        {0.1, 0.8, 0.1, 0.3, 0.7, 0.6, 4.0},
        {0.4, 0.3, 0.3, 0.2, 0.8, 0.5, 9.0}};

    private static final MultiTask[] TRUTHS = {output("a", "x", true, 1.0), output("b", null, null, 4.0),
        output(null, "y", false, null), output(null, null, null, null)};

    private static MultiTask output(String shape, String colour, Boolean round, Double weight) {
        MultiTask.Builder output = MultiTask.builder();
        if (shape != null) {
            output.categorical("shape", shape);
        }
        if (colour != null) {
            output.categorical("colour", colour);
        }
        if (round != null) {
            output.binary("round", round);
        }
        if (weight != null) {
            output.real("weight", weight);
        }
        return output.build();
    }

    private static MutableDataset<MultiTask> dataset(MultiTask... outputs) {
        MutableDataset<MultiTask> dataset = new MutableDataset<>(new SimpleDataSourceProvenance("rows",
                OffsetDateTime.of(2024, 1, 1, 0, 0, 0, 0, ZoneOffset.UTC), FACTORY), FACTORY);
        for (int row = 0; row < outputs.length; row++) {
            dataset.add(new ArrayExample<>(outputs[row], new String[] {"row"}, new double[] {row}));
        }
        return dataset;
    }

    private static List<TaskValue> columns(Example<MultiTask> example) {
        double[] row = PREDICTED[FixedModel.row(example)];
        return List.of(new TaskValue.Category("shape", "a", row[0]), new TaskValue.Category("shape", "b", row[1]),
                new TaskValue.Category("shape", "c", row[2]), new TaskValue.Category("colour", "x", row[3]),
                new TaskValue.Category("colour", "y", row[4]),
                new TaskValue.Binary("round", row[5] > 0.5, Math.max(row[5], 1 - row[5])),
                new TaskValue.Real("weight", row[6]));
    }

    private static FixedModel model() {
        return new FixedModel(TRAINING, MultiTaskEvaluatorTest::columns);
    }

    @Test
    void eachTaskIsScoredOnItsLabelledRows() {
        MultiTaskEvaluation evaluation = FACTORY.getEvaluator().evaluate(model(), dataset(TRUTHS));
        assertEquals(4, evaluation.scores().rows());
        assertEquals(2, evaluation.scores().labelled("shape"));
        assertEquals(OptionalDouble.of(0.5), evaluation.value(ACCURACY, "shape"));
        assertEquals(OptionalDouble.of(1), evaluation.value(ACCURACY, "colour"));
        assertEquals(OptionalDouble.of(0.5), evaluation.value(ACCURACY, "round"));
        assertEquals(2 / 3.0, evaluation.average(ACCURACY).orElseThrow(), 1e-12);
        assertEquals(-(Math.log(0.7) + Math.log(0.3)) / 2, evaluation.value(LOG_LOSS, "shape").orElseThrow(), 1e-12);
        // Of round, 0.8 is true and 0.6 is false.
        assertEquals(-(Math.log(0.8) + Math.log(0.4)) / 2, evaluation.value(LOG_LOSS, "round").orElseThrow(), 1e-12);
        assertEquals(OptionalDouble.of(1), evaluation.value(AUC, "round"));
        // Errors 0.5 and -2; the training mean 2 is off by 1 and 2, the mean 2.5 by 1.5 and 1.5.
        assertEquals(Math.sqrt(4.25 / 2), evaluation.value(RMSE, "weight").orElseThrow(), 1e-12);
        assertEquals(1.25, evaluation.value(MAE, "weight").orElseThrow(), 1e-12);
        assertEquals(Math.sqrt(4.25 / 5), evaluation.value(RRMSE, "weight").orElseThrow(), 1e-12);
        assertEquals(1 - 4.25 / 4.5, evaluation.value(R2, "weight").orElseThrow(), 1e-12);
        assertEquals(OptionalDouble.of(0.5), evaluation.scores().binaryTasks().hamming());
        assertEquals(2, evaluation.scores().binaryTasks().rows());
        assertTrue(evaluation.value(RMSE, "shape").isEmpty() && evaluation.value(ACCURACY, "weight").isEmpty());
    }

    @Test
    void theMapHoldsWhatIsDefinedAndNoNaN() {
        MultiTaskEvaluation evaluation = new MultiTaskEvaluator().evaluate(model(), dataset(TRUTHS));
        assertEquals(0.5, evaluation.get(ACCURACY.forTask("shape").getID()));
        assertEquals(2 / 3.0, evaluation.get(ACCURACY.average().getID()), 1e-12);
        assertTrue(evaluation.asMap().values().stream().noneMatch(value -> value.isNaN()));
        MultiTaskEvaluation empty = new MultiTaskEvaluator().evaluate(model(), dataset(TRUTHS[3], TRUTHS[3]));
        assertEquals(0, empty.asMap().size(), empty.asMap().toString());
        assertTrue(empty.average(ACCURACY).isEmpty());
        assertThrows(IllegalArgumentException.class, () -> empty.get(ACCURACY.average().getID()));
        // One class of shape, one row of round, a constant weight: no area, no R2, and no part in their averages.
        MultiTaskEvaluation single = new MultiTaskEvaluator().evaluate(model(),
                dataset(output("a", "x", true, 5.0), output("a", "y", null, 5.0)));
        assertTrue(single.value(AUC, "shape").isEmpty() && single.value(AUC, "round").isEmpty());
        assertTrue(single.value(R2, "weight").isEmpty() && single.average(R2).isEmpty());
        assertEquals(single.value(AUC, "colour"), single.average(AUC));
        assertTrue(single.asMap().values().stream().noneMatch(value -> value.isNaN()));
        assertEquals(2, single.asMap().keySet().stream().filter(id -> id.getB().equals("AUC")).count(),
                "of colour and of the average, none of the cells of binary tasks: " + single.asMap());
    }

    @Test
    void inTheJointSpaceTheHighestClassOfAllTasksIsPredicted() {
        // Row 0: x of colour at 0.9; row 1: y at 0.6; row 2: b of shape at 0.8.
        MultiTask[] truths = {output("a", null, null, null), output(null, "y", null, null),
            output("b", null, null, null)};
        MultiTaskEvaluation joint = new MultiTaskEvaluator(LabelSpace.JOINT).evaluate(model(), dataset(truths));
        MultiTaskEvaluation task = new MultiTaskEvaluator(LabelSpace.TASK).evaluate(model(), dataset(truths));
        assertEquals(OptionalDouble.of(1), task.value(ACCURACY, "shape"));
        assertEquals(OptionalDouble.of(0.5), joint.value(ACCURACY, "shape"));
        assertEquals(OptionalDouble.of(1), joint.value(ACCURACY, "colour"));
        assertTrue(joint.toString().contains("  joint accuracy  "), joint.toString());
        assertFalse(task.toString().contains("joint"), task.toString());
        assertEquals(task.value(BALANCED_ACCURACY, "shape"), joint.value(BALANCED_ACCURACY, "shape"));
    }

    @Test
    void aClassThatTheModelDoesNotKnowIsARowOnWhichItIsWrong() {
        MultiTaskEvaluation evaluation = new MultiTaskEvaluator().evaluate(model(),
                dataset(output("a", null, null, null), output("new", null, null, null)));
        assertEquals(OptionalDouble.of(0.5), evaluation.value(ACCURACY, "shape"));
        assertEquals(OptionalDouble.of(0.5), evaluation.value(BALANCED_ACCURACY, "shape"));
        assertEquals((-Math.log(0.7) - Math.log(1e-7)) / 2, evaluation.value(LOG_LOSS, "shape").orElseThrow(), 1e-12);
    }

    @Test
    void aTaskThatTheModelDoesNotHaveIsAnError() {
        MutableDataset<MultiTask> data = dataset(TRUTHS[0], MultiTask.builder().categorical("size", "big").build());
        EmtalException unknown = assertThrows(EmtalException.class,
                () -> new MultiTaskEvaluator().evaluate(model(), data));
        assertTrue(unknown.getMessage().startsWith("row 1: found the label size=\"big\""), unknown.getMessage());
        MutableDataset<MultiTask> other = dataset(MultiTask.builder().real("shape", 1).build());
        assertThrows(EmtalException.class, () -> new MultiTaskEvaluator().evaluate(model(), other));
    }

    @Test
    void theOrderOfRowsDoesNotMatterNorWhoPredictedThem() {
        MultiTaskScores inOrder = new MultiTaskScorer().add(model(), model().predict(dataset(TRUTHS))).scores();
        var predictions = model().predict(dataset(TRUTHS));
        MultiTaskScores pooled = new MultiTaskScorer()
                .add(model(), List.of(predictions.get(3), predictions.get(1)))
                .add(model(), List.of(predictions.get(0), predictions.get(2))).scores();
        for (MultiTaskMetrics metric : MultiTaskMetrics.values()) {
            for (String task : inOrder.kinds().keySet()) {
                assertEquals(inOrder.value(metric, task).orElse(-9), pooled.value(metric, task).orElse(-9), 1e-12,
                        metric + " of " + task);
            }
        }
        assertEquals(inOrder.binaryTasks().asMap(), pooled.binaryTasks().asMap());
    }

    @Test
    void scorersOfPartsAddUpToOneOfTheWhole() {
        var predictions = model().predict(dataset(TRUTHS));
        MultiTaskScorer last = new MultiTaskScorer().add(model(), predictions.subList(1, 4));
        MultiTaskScorer whole = new MultiTaskScorer().add(model(), predictions.subList(0, 1)).add(last);
        assertEquals(new MultiTaskScorer().add(model(), predictions).scores().toString(), whole.scores().toString());
        assertEquals(last.scores().toString(), new MultiTaskScorer().add(last).scores().toString());
        MultiTaskScorer joint = new MultiTaskScorer(LabelSpace.JOINT);
        assertThrows(EmtalException.class, () -> whole.add(joint));
        FixedModel other = new FixedModel(dataset(MultiTask.builder().binary("weight", true).build()),
                example -> List.of());
        MultiTaskScorer otherKind = new MultiTaskScorer().add(other, List.of());
        assertThrows(EmtalException.class, () -> whole.add(otherKind));
    }

    @Test
    void pooledRowsKeepTheTrainingMeanOfTheirOwnModel() {
        FixedModel other = new FixedModel(dataset(output(null, null, null, 10.0)),
                example -> List.of(new TaskValue.Real("weight", 9)));
        MultiTaskScores scores = new MultiTaskScorer()
                .add(model(), model().predict(dataset(output(null, null, null, 1.0))))
                .add(other, other.predict(dataset(output(null, null, null, 8.0)))).scores();
        // Errors 0.5 and 1; the means 2 and 10 are off by 1 and 2.
        assertEquals(Math.sqrt(1.25 / 5), scores.value(RRMSE, "weight").orElseThrow(), 1e-12);
    }

    @Test
    void theProvenanceIsOfModelAndData() {
        MutableDataset<MultiTask> data = dataset(TRUTHS);
        FixedModel model = model();
        MultiTaskEvaluation evaluation = new MultiTaskEvaluator().evaluate(model, data);
        assertEquals(model.getProvenance(), evaluation.getProvenance().getModelProvenance());
        assertEquals(data.getProvenance(), evaluation.getProvenance().getTestDatasetProvenance());
        assertEquals(4, evaluation.getPredictions().size());
        assertSame(MetricTarget.macroAverageTarget(), ACCURACY.average().getTarget());
    }

    @Test
    void tablesShowTheUndefinedAndEscapeNames() {
        MutableDataset<MultiTask> training = dataset(
                MultiTask.builder().real("<b>", 1).real("line\nend", 2).binary("p", true).binary("q", false).build());
        FixedModel model = new FixedModel(training, example -> List.of(new TaskValue.Real("<b>", 1),
                new TaskValue.Real("line\nend", 2), new TaskValue.Binary("p", true, 0.75),
                new TaskValue.Binary("q", true, 0.75)));
        MultiTaskEvaluation evaluation = new MultiTaskEvaluator().evaluate(model, training);
        assertEquals(Arrays.stream("""
                task    kind  rows  accuracy  balanced  macro F1  log-loss  AUC  calibration
                p     binary     1    1.0000    1.0000    1.0000    0.2877    -       0.2500
                q     binary     1    0.0000    0.0000    0.0000    1.3863    -       0.7500
                mean                  0.5000    0.5000    0.5000    0.8370    -       0.5000

                task           kind  rows    RMSE     MAE  R2  RRMSE
                <b>            real     1  0.0000  0.0000   -      -
                line\\u000aend  real     1  0.0000  0.0000   -      -
                mean                       0.0000  0.0000   -      -

                binary tasks together
                hamming                0.5000
                subset accuracy        0.0000
                micro f1               0.6667
                macro f1               0.5000
                example f1             0.6667
                ranking loss           1.0000
                micro auc              0.5000
                """.split("\n")).toList(), Arrays.stream(evaluation.toString().split("\n")).toList());
        assertFalse(evaluation.toHTML().contains("<b>"), evaluation.toHTML());
        assertTrue(evaluation.toHTML().contains("<td>&lt;b&gt;</td>"), evaluation.toHTML());
    }
}

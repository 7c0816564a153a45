package io.emtal.tribuo.comparison;

import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.train.Checkpoints;
import io.emtal.onnx.train.Phase;
import io.emtal.onnx.train.StepEvent;
import io.emtal.onnx.train.TrainingListener;
import io.emtal.tribuo.EmtalTrainer;
import io.emtal.tribuo.TestData;
import io.emtal.tribuo.multitask.FixedModel;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskFactory;
import io.emtal.tribuo.multitask.MultiTaskInfo;
import io.emtal.tribuo.multitask.MultiTaskMetrics;
import io.emtal.tribuo.multitask.TaskKind;
import io.emtal.tribuo.multitask.TaskValue;
import io.emtal.tribuo.output.MultiTaskTasks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Dataset;
import org.tribuo.MutableDataset;
import org.tribuo.Trainer;
import org.tribuo.dataset.DatasetView;
import org.tribuo.evaluation.KFoldSplitter;
import org.tribuo.impl.ArrayExample;
import org.tribuo.provenance.SimpleDataSourceProvenance;
import org.tribuo.provenance.TrainerProvenance;
import org.tribuo.provenance.impl.EmptyTrainerProvenance;

import java.nio.file.Path;
import java.time.OffsetDateTime;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.LongFunction;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class TaskComparisonTest {

    private static final MultiTaskFactory FACTORY = new MultiTaskFactory();

    private final List<String> trained = new ArrayList<>();

    /** Predicts class b, and numbers that are off by the seed with several tasks and by twice the seed with one. */
    private final class Offset implements Trainer<MultiTask> {

        private final long seed;

        private Offset(long seed) {
            this.seed = seed;
        }

        @Override
        public FixedModel train(Dataset<MultiTask> examples, Map<String, Provenance> runProvenance) {
            return train(examples, runProvenance, 0);
        }

        @Override
        public FixedModel train(Dataset<MultiTask> examples, Map<String, Provenance> runProvenance, int count) {
            MultiTaskInfo domain = (MultiTaskInfo) examples.getOutputInfo();
            trained.add(seed + " " + domain.kinds().keySet() + " on " + examples.size());
            double off = domain.kinds().size() > 1 ? seed : 2 * seed;
            return new FixedModel(examples, example -> {
                List<TaskValue> columns = new ArrayList<>();
                domain.kinds().forEach((task, kind) -> {
                    if (kind == TaskKind.REAL) {
                        double truth = ((TaskValue.Real) example.getOutput().value(task)
                                .orElse(new TaskValue.Real(task, 0))).value();
                        columns.add(new TaskValue.Real(task, truth + off));
                    } else {
                        columns.add(new TaskValue.Category(task, "a", 0.5 - 0.01 * off));
                        columns.add(new TaskValue.Category(task, "b", 0.5 + 0.01 * off));
                    }
                });
                return columns;
            });
        }

        @Override
        public int getInvocationCount() {
            return 0;
        }

        @Override
        public void setInvocationCount(int invocationCount) {
        }

        @Override
        public TrainerProvenance getProvenance() {
            return new EmptyTrainerProvenance();
        }
    }

    private static MutableDataset<MultiTask> dataset(MultiTask... outputs) {
        MutableDataset<MultiTask> dataset = new MutableDataset<>(new SimpleDataSourceProvenance("rows",
                OffsetDateTime.of(2024, 1, 1, 0, 0, 0, 0, ZoneOffset.UTC), FACTORY), FACTORY);
        for (MultiTask output : outputs) {
            dataset.add(new ArrayExample<>(output, new String[] {"x"}, new double[] {1}));
        }
        return dataset;
    }

    private static MultiTask output(String letter, double... number) {
        MultiTask.Builder output = MultiTask.builder();
        if (letter != null) {
            output.categorical("letter", letter);
        }
        if (number.length > 0) {
            output.real("number", number[0]);
        }
        return output.build();
    }

    private static final MutableDataset<MultiTask> TRAIN =
            dataset(output("a", 1), output("b"), output(null, 3), output(null, 2));

    private static final MutableDataset<MultiTask> TEST = dataset(output("b", 4), output("a"), output("b", 6));

    @Test
    void gainsHaveTheDirectionOfTheirMetric() {
        TaskGains gains = TaskComparison.builder().joint(Offset::new).separate(Offset::new).seeds(1, 3)
                .metric(TaskKind.REAL, MultiTaskMetrics.RMSE).metric(TaskKind.CATEGORICAL, MultiTaskMetrics.LOG_LOSS)
                .build().compare(TRAIN, TEST);
        TaskGain number = gains.task("number").orElseThrow();
        assertEquals(2, number.rows());
        assertEquals(List.of(new TaskGain.Score(1, OptionalDouble.of(1), OptionalDouble.of(2)),
                new TaskGain.Score(3, OptionalDouble.of(3), OptionalDouble.of(6))), number.scores());
        assertEquals(50, number.gain().mean().orElseThrow(), 1e-12);
        assertEquals(0, number.gain().deviation().orElseThrow(), 1e-12);
        assertEquals(2, number.joint().mean().orElseThrow(), 1e-12);
        assertEquals(Math.sqrt(2), number.joint().deviation().orElseThrow(), 1e-12);
        // With seed 1, b of letter is predicted with 0.51 and, alone, with 0.52.
        double joint = -(2 * Math.log(0.51) + Math.log(0.49)) / 3;
        double separate = -(2 * Math.log(0.52) + Math.log(0.48)) / 3;
        assertEquals(100 * (separate - joint) / separate,
                gains.task("letter").orElseThrow().gains().get(0).orElseThrow(), 1e-9);
        assertEquals((50 + 100 * (separate - joint) / separate) / 2, gains.deltaMs().get(0).orElseThrow(), 1e-9);
        assertEquals(2, gains.deltaM().count());
    }

    @Test
    void aMetricOfWhichMoreIsBetterGainsByRising() {
        TaskGain accuracy = new TaskGain("t", TaskKind.CATEGORICAL, MultiTaskMetrics.ACCURACY, 10,
                List.of(new TaskGain.Score(1, OptionalDouble.of(0.9), OptionalDouble.of(0.8))));
        assertEquals(12.5, accuracy.gain().mean().orElseThrow(), 1e-12);
        assertTrue(accuracy.gain().deviation().isEmpty());
        TaskGain r2 = new TaskGain("t", TaskKind.REAL, MultiTaskMetrics.R2, 10,
                List.of(new TaskGain.Score(1, OptionalDouble.of(-0.1), OptionalDouble.of(-0.2))));
        assertEquals(50, r2.gain().mean().orElseThrow(), 1e-12, "less below zero is more");
    }

    @Test
    void whatIsNotDefinedHasNoGainAndNoPartInTheMean() {
        List<TaskGain.Score> undefined = List.of(new TaskGain.Score(1, OptionalDouble.of(0.5), OptionalDouble.of(0)),
                new TaskGain.Score(2, OptionalDouble.empty(), OptionalDouble.of(1)));
        List<TaskGain.Score> defined = List.of(new TaskGain.Score(1, OptionalDouble.of(1), OptionalDouble.of(2)),
                new TaskGain.Score(2, OptionalDouble.of(3), OptionalDouble.of(2)));
        TaskGains gains = new TaskGains(List.of(1L, 2L), List.of(
                new TaskGain("a", TaskKind.CATEGORICAL, MultiTaskMetrics.ACCURACY, 3, undefined),
                new TaskGain("b", TaskKind.REAL, MultiTaskMetrics.RMSE, 4, defined)));
        assertEquals(new Spread(0, OptionalDouble.empty(), OptionalDouble.empty()), gains.tasks().get(0).gain());
        assertEquals(List.of(OptionalDouble.of(50), OptionalDouble.of(-50)), gains.deltaMs());
        assertEquals("""
                task    metric  rows            joint         separate         gain %  seeds ahead
                a     accuracy     3           0.5000  0.5000 (0.7071)              -       0 of 2
                b         RMSE     4  2.0000 (1.4142)  2.0000 (0.0000)  +0.00 (70.71)       1 of 2
                mean                                                    +0.00 (70.71)       1 of 2
                """, gains.toString());
    }

    @Test
    void eachTaskIsTrainedAloneOnItsLabelledRowsAndFoldsArePooled() {
        List<TaskComparison.Fit> fits = new ArrayList<>();
        TaskGains gains = TaskComparison.builder().joint(Offset::new).separate(Offset::new).seeds(5, 7)
                .listener(fits::add).build()
                .compare(List.of(new TaskComparison.Fold(TRAIN, TEST), new TaskComparison.Fold(TEST, TRAIN)));
        assertEquals(List.of("5 [letter, number] on 4", "5 [letter] on 2", "5 [number] on 3",
                "5 [letter, number] on 3", "5 [letter] on 3", "5 [number] on 2",
                "7 [letter, number] on 4", "7 [letter] on 2", "7 [number] on 3",
                "7 [letter, number] on 3", "7 [letter] on 3", "7 [number] on 2"), trained);
        assertEquals(List.of(Optional.empty(), Optional.of("letter"), Optional.of("number")),
                fits.subList(3, 6).stream().map(TaskComparison.Fit::task).toList());
        assertEquals(List.of(5L, 7L), gains.seeds());
        TaskGain number = gains.task("number").orElseThrow();
        assertEquals(5, number.rows());
        // Training means 2 and 5; the first fold tests 4 and 6, the second 1, 3 and 2.
        double constant = 4 + 16 + 16 + 4 + 9;
        assertEquals(Math.sqrt(5 * 25 / constant), number.scores().get(0).joint().orElseThrow(), 1e-12);
        assertEquals(Math.sqrt(5 * 100 / constant), number.scores().get(0).separate().orElseThrow(), 1e-12);
        assertEquals(3 / 5.0, gains.task("letter").orElseThrow().joint().mean().orElseThrow(), 1e-12);
    }

    @Test
    void trainersWithCheckpointsNeedADirectoryEach(@TempDir Path folder) {
        Dataset<MultiTask> data = TestData.multiTasks(50, 1);
        int[] made = new int[1];
        LongFunction<EmtalTrainer<MultiTask>> numbered = seed -> TestData.<MultiTask>quickTrainer().seed(seed)
                .checkpoints(Checkpoints.in(folder.resolve("training-" + made[0]++))).build();
        TaskComparison.builder().joint(numbered).separate(numbered).build().compare(data, data);
        assertEquals(1 + 3, made[0]);
        LongFunction<EmtalTrainer<MultiTask>> same = seed -> TestData.<MultiTask>quickTrainer().seed(seed)
                .checkpoints(Checkpoints.in(folder.resolve("same"))).build();
        var e = assertThrows(EmtalException.class,
                () -> TaskComparison.builder().joint(same).separate(same).build().compare(data, data));
        assertTrue(e.getMessage().contains("another directory is needed"), e.getMessage());
    }

    @Test
    void viewsAreJudgedByTheirOwnMeans() {
        DatasetView<MultiTask> view = new DatasetView<>(TRAIN, new int[] {0, 1, 2}, "without the last");
        TaskGains gains = TaskComparison.builder().joint(Offset::new).separate(Offset::new).build()
                .compare(view, TEST);
        assertEquals(List.of("1 [letter, number] on 3", "1 [letter] on 2", "1 [number] on 2"), trained);
        // The view's mean is 2 and the whole data set's too; the first row's alone is 1.
        assertEquals(Math.sqrt(2 / 20.0), gains.task("number").orElseThrow().joint().mean().orElseThrow(), 1e-12);
        TaskGains first = TaskComparison.builder().joint(Offset::new).separate(Offset::new).build()
                .compare(new DatasetView<>(TRAIN, new int[] {0, 1}, "the first two"), TEST);
        assertEquals(Math.sqrt(2 / 34.0), first.task("number").orElseThrow().joint().mean().orElseThrow(), 1e-12);
    }

    @Test
    void aTaskOfSomeFoldsIsComparedOnThese() {
        MutableDataset<MultiTask> numbers = dataset(output(null, 1), output(null, 5));
        TaskGains gains = TaskComparison.builder().joint(Offset::new).separate(Offset::new).build()
                .compare(List.of(new TaskComparison.Fold(numbers, numbers), new TaskComparison.Fold(TRAIN, TEST)));
        assertEquals(List.of("1 [number] on 2", "1 [number] on 2", "1 [letter, number] on 4", "1 [letter] on 2",
                "1 [number] on 3"), trained);
        assertEquals(List.of(3, 4), gains.tasks().stream().map(TaskGain::rows).toList());
        var e = assertThrows(EmtalException.class, () -> TaskComparison.builder().build()
                .compare(List.of(new TaskComparison.Fold(TRAIN, TEST), new TaskComparison.Fold(numbers, TEST))));
        assertTrue(e.getMessage().startsWith("fold 1, task 'letter': found a label in the test rows and none"),
                e.getMessage());
        MutableDataset<MultiTask> other = dataset(MultiTask.builder().binary("number", true).build());
        e = assertThrows(EmtalException.class, () -> TaskComparison.builder().build()
                .compare(List.of(new TaskComparison.Fold(TRAIN, TEST), new TaskComparison.Fold(other, other))));
        assertTrue(e.getMessage().startsWith("fold 1, task 'number': found a BINARY one"), e.getMessage());
    }

    @Test
    void aFailureTellsWhichTrainingItIs() {
        LongFunction<EmtalTrainer<MultiTask>> numbersOnly = seed -> TestData.<MultiTask>quickTrainer()
                .outputs(new MultiTaskTasks(false)).seed(seed).build();
        MutableDataset<MultiTask> single = dataset(output("a", 1), output("a", 2), output("a", 3));
        var e = assertThrows(EmtalException.class, () -> TaskComparison.builder().joint(Offset::new).seeds(4)
                .separate(numbersOnly).build().compare(single, single));
        assertTrue(e.getMessage().startsWith("fold 0, seed 4, the model of task 'letter': "), e.getMessage());
    }

    @Test
    void aTrainingThatAnInterruptCutsOffIsNoneToCompare() {
        Dataset<MultiTask> data = TestData.multiTasks(50, 1);
        List<TaskComparison.Fit> fits = new ArrayList<>();
        LongFunction<EmtalTrainer<MultiTask>> interrupted = seed -> TestData.<MultiTask>quickTrainer().seed(seed)
                .listener(new TrainingListener() {
                    @Override
                    public void step(StepEvent event) {
                        if (event.phase() == Phase.ADAPT && event.step() == 2) {
                            Thread.currentThread().interrupt();
                        }
                    }
                }).build();
        TaskComparison comparison = TaskComparison.builder().joint(TaskComparisonTest::quick).separate(interrupted)
                .listener(fits::add).build();
        var e = assertThrows(EmtalException.class, () -> comparison.compare(data, data));
        assertTrue(Thread.interrupted(), "the thread has forgotten the interrupt");
        assertTrue(e.getMessage().matches("fold 0, seed 1, the model of task '.*': comparison: interrupted.*"),
                e.getMessage());
        assertEquals(1, fits.size());
    }

    @Test
    void gainsOfTrainingsSideBySideAreTheSame() {
        List<TaskComparison.Fold> folds = folds();
        List<TaskComparison.Fit> fits = new ArrayList<>();
        TaskComparison.Builder builder = TaskComparison.builder().joint(TaskComparisonTest::quick)
                .separate(TaskComparisonTest::quick).seeds(1, 2);
        TaskGains alone = builder.build().compare(folds);
        assertEquals(alone, builder.parallelism(3).listener(fits::add).build().compare(folds));
        assertEquals(2 * 2 * (1 + alone.tasks().size()), fits.size());
        assertEquals(fits.size(), fits.stream().map(fit -> List.of(fit.seed(), fit.fold(), fit.task())).distinct().count());
    }

    @Test
    void anInterruptEndsTrainingsSideBySide() {
        Dataset<MultiTask> data = TestData.multiTasks(50, 1);
        Thread caller = Thread.currentThread();
        TaskComparison comparison = TaskComparison.builder().joint(TaskComparisonTest::quick)
                .separate(TaskComparisonTest::quick).seeds(1, 2, 3).parallelism(2).listener(fit -> caller.interrupt())
                .build();
        var e = assertThrows(EmtalException.class, () -> comparison.compare(data, data));
        assertTrue(Thread.interrupted(), "the thread has forgotten the interrupt");
        assertTrue(e.getMessage().contains(": interrupted"), e.getMessage());
    }

    private static List<TaskComparison.Fold> folds() {
        List<TaskComparison.Fold> folds = new ArrayList<>();
        new KFoldSplitter<MultiTask>(2, 1).split(TestData.multiTasks(80, 3), true)
                .forEachRemaining(fold -> folds.add(new TaskComparison.Fold(fold.train, fold.test)));
        return folds;
    }

    @Test
    void emtalIsComparedOnFoldsOfMixedTasksWithGaps() {
        List<TaskComparison.Fold> folds = folds();
        TaskGains gains = TaskComparison.builder().joint(TaskComparisonTest::quick).separate(TaskComparisonTest::quick)
                .build().compare(folds);
        assertEquals(folds.get(0).train().getOutputInfo().getDomain().stream()
                .flatMap(column -> column.values().stream()).map(TaskValue::task).distinct().toList(),
                gains.tasks().stream().map(TaskGain::task).toList());
        for (TaskGain task : gains.tasks()) {
            assertTrue(task.joint().mean().isPresent() && task.separate().mean().isPresent(), gains.toString());
            assertEquals(folds.stream().flatMap(fold -> fold.test().getData().stream())
                    .filter(example -> example.getOutput().value(task.task()).isPresent()).count(), task.rows());
        }
    }

    private static EmtalTrainer<MultiTask> quick(long seed) {
        return TestData.<MultiTask>quickTrainer().seed(seed).build();
    }

    @Test
    void wrongSettingsAreRefused() {
        TaskComparison.Builder builder = TaskComparison.builder();
        assertThrows(EmtalException.class, builder::seeds);
        assertThrows(EmtalException.class, () -> builder.seeds(1, 1));
        assertThrows(EmtalException.class, () -> builder.metric(TaskKind.REAL, MultiTaskMetrics.ACCURACY));
        assertThrows(EmtalException.class, () -> builder.parallelism(-1));
        assertThrows(EmtalException.class, () -> builder.build().compare(List.of()));
    }
}

package io.emtal.onnx.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.adapt.FullDense;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.FeatureEnsemble;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.HeadScope;
import io.emtal.onnx.task.Heads;
import io.emtal.onnx.task.Losses;
import io.emtal.onnx.task.QualityRetaining;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;

class RetentionTest {

    private static final int MEMBERS = 2;
    private static final Recipe RETAINED = new Recipe();
    private static final int[] ALL = {0, 1, 2, 3};
    private static final List<Task> TASKS =
            List.of(new RealTask("r", 0, 1, 1), new BinaryTask("b"), new CategoricalTask("c", 2));
    private static final List<String> NAMES = TASKS.stream().map(Task::name).toList();
    private static final PackedExamples ROWS = PackedExamples.pack(ALL.length, 1, TASKS.size(), (row, inputs, labels) -> {
        inputs[0] = row;
        labels[0] = 10 + row;
        labels[1] = row % 2;
        labels[2] = row == 3 ? Float.NaN : row % 2;
    });

    private static NetworkCompiler compiler(PackedExamples rows, TaskLayout tasks, int members) {
        Backbone backbone = FeatureEnsemble.builder().members(members).width(8).depth(1).hidden(8).build()
                .create(SmallTraining.layout(rows.width()), tasks, rows, 1);
        Heads heads = new Heads(tasks, backbone.pooledWidth(), backbone.members());
        return new NetworkCompiler(backbone, new FullDense().adapt(backbone, 1), heads, heads.parameters(1), tasks,
                Losses.builder().headScope(tasks.headScope()).labelSmoothing(0).build(), QualityRetaining.off());
    }

    /** Four rows of some of the tasks, with two members, or four where both kinds are learnt. */
    private static final class Case {

        private final TaskLayout tasks;
        private final NetworkCompiler compiler;
        private final HeldOut heldOut;

        private Case(HeadScope scope, Task... tasks) {
            this.tasks = new TaskLayout(List.of(tasks), scope);
            PackedExamples rows = rows();
            compiler = compiler(rows, this.tasks, MEMBERS);
            heldOut = HeldOut.of(rows, ALL, 0, 0.5, compiler.heads().memberWeights());
        }

        private PackedExamples rows() {
            return PackedExamples.pack(ALL.length, 1, tasks.size(), (row, inputs, labels) -> {
                inputs[0] = row;
                for (int t = 0; t < labels.length; t++) {
                    labels[t] = ROWS.label(row, NAMES.indexOf(tasks.task(t).name()));
                }
            });
        }

        private Retention start() {
            return Retention.of(Phase.PRETRAIN, RETAINED, compiler, heldOut, ALL.length).orElseThrow();
        }

        /** An epoch in which each member says the same number in all columns of a row. */
        private void epoch(Retention retention, double[] losses, float said) {
            int columns = tasks.columns();
            int members = compiler.heads().members();
            float[] memberLogits = new float[ALL.length * members * columns];
            for (int i = 0; i < memberLogits.length; i++) {
                int member = i / columns % members;
                memberLogits[i] = said + member + 0.25f * (i / columns / members);
            }
            retention.said(ALL, memberLogits);
            retention.judge(losses);
        }

        /** The targets of rows 2 and 0. */
        private float[] targets(Retention retention) {
            Batch batch = Batch.of(tasks, rows(), new int[] {2, 0}, new Batch.Noise(1, 0, 0), heldOut, 2);
            batch.fill(compiler.losses());
            retention.teach(batch);
            return batch.targets();
        }
    }

    private static float[] probabilities(double... logits) {
        float[] all = new float[logits.length];
        for (int i = 0; i < all.length; i++) {
            all[i] = (float) (1 / (1 + Math.exp(-logits[i])));
        }
        return all;
    }

    @Test
    void membersLearnWhatTheySaidThemselvesWhileATaskIsWorseThanItHasBeen() {
        Case one = new Case(HeadScope.PER_TASK, TASKS.get(1));
        Retention retention = one.start();
        float[] labels = {0, 0, 0, 0};
        assertArrayEquals(labels, one.targets(retention));
        one.epoch(retention, new double[] {0.5}, 1);
        assertArrayEquals(labels, one.targets(retention), "the first epoch is the best so far");
        assertArrayEquals(new double[] {0}, retention.weights());
        one.epoch(retention, new double[] {0.6}, 2);
        assertArrayEquals(probabilities(1.5, 2.5, 1, 2), one.targets(retention), 1e-6f);
        assertArrayEquals(new double[] {1}, retention.weights());
        one.epoch(retention, new double[] {0.5}, 3);
        assertArrayEquals(labels, one.targets(retention), "as good as ever");
        one.epoch(retention, new double[] {0.4}, 4);
        one.epoch(retention, new double[] {0.45}, 5);
        assertArrayEquals(probabilities(4.5, 5.5, 4, 5), one.targets(retention), 1e-6f);
        one.epoch(retention, new double[] {Double.NaN}, 6);
        assertArrayEquals(labels, one.targets(retention), "a task that nothing is known of learns its labels");
    }

    @Test
    void nothingIsRetainedBesideNumbersThatAreLearnt() {
        Case mixed = new Case(HeadScope.PER_TASK, TASKS.get(0), TASKS.get(1));
        assertTrue(Retention.of(Phase.PRETRAIN, RETAINED, mixed.compiler, mixed.heldOut, ALL.length).isEmpty());
        Case numbers = new Case(HeadScope.PER_TASK, TASKS.get(0));
        assertTrue(Retention.of(Phase.PRETRAIN, RETAINED, numbers.compiler, numbers.heldOut, ALL.length).isEmpty());
        Case notLearnt = new Case(HeadScope.PER_TASK, new RealTask("r", 0, 1, 0), TASKS.get(1));
        Retention retention = notLearnt.start();
        notLearnt.epoch(retention, new double[] {0.5, 0.5}, 0);
        notLearnt.epoch(retention, new double[] {0.6, 0.6}, 0);
        assertArrayEquals(new double[] {Double.NaN, 1}, retention.weights());
        float[] targets = notLearnt.targets(retention);
        for (int i = 0; i < targets.length / 2; i++) {
            assertEquals(0, targets[2 * i], "of a weight of 0 no target is filled");
        }
    }

    @Test
    void tasksThatShareASoftmaxAreNotRetained() {
        Case joint = new Case(HeadScope.JOINT, TASKS.get(2), TASKS.get(1));
        Retention retention = joint.start();
        float[] labels = joint.targets(retention);
        joint.epoch(retention, new double[] {0.5, 0.5}, 0);
        joint.epoch(retention, new double[] {0.6, 0.6}, 0);
        float[] targets = joint.targets(retention);
        for (int i = 0; i < 4; i++) {
            assertArrayEquals(Arrays.copyOfRange(labels, 3 * i, 3 * i + 2), Arrays.copyOfRange(targets, 3 * i, 3 * i + 2));
        }
        assertArrayEquals(new double[] {Double.NaN, 1}, retention.weights());
    }

    @Test
    void onlyEnsemblesInDenseTrainingRetain() {
        Case one = new Case(HeadScope.PER_TASK, TASKS.get(1));
        assertEquals(ALL.length * MEMBERS, Retention.numbers(Phase.PRETRAIN, RETAINED, one.compiler, one.heldOut, 4));
        assertTrue(Retention.of(Phase.ADAPT, RETAINED, one.compiler, one.heldOut, 4).isEmpty());
        assertTrue(Retention.of(Phase.PRETRAIN, Recipe.builder().retained(false).build(), one.compiler, one.heldOut, 4)
                .isEmpty());
        HeldOut all = HeldOut.of(one.rows(), ALL, 0, 0, one.compiler.heads().memberWeights());
        assertTrue(Retention.of(Phase.PRETRAIN, RETAINED, one.compiler, all, 4).isEmpty(), "no row is judged");
        assertEquals(0, Retention.numbers(Phase.PRETRAIN, RETAINED, one.compiler, one.heldOut, 1 << 24));
    }

    @Test
    void whatIsWrittenIsRead() throws IOException {
        Case one = new Case(HeadScope.PER_TASK, TASKS.get(1));
        Retention retention = one.start();
        one.epoch(retention, new double[] {0.5}, 1);
        one.epoch(retention, new double[] {0.6}, 2);
        byte[] written = bytes(retention);
        Retention read = one.start();
        try (StateInput input = new StateInput(new ByteArrayInputStream(written), written.length,
                CheckpointFile.VERSION, "state")) {
            read.read(input);
            input.end();
        }
        assertArrayEquals(one.targets(retention), one.targets(read));
        assertArrayEquals(written, bytes(read));
    }

    private static byte[] bytes(Retention retention) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        StateOutput output = new StateOutput(Channels.newChannel(bytes));
        retention.write(output);
        output.finish();
        return bytes.toByteArray();
    }

    /** Whatever the other member learns: its own head has no gradient. */
    @Test
    void aMemberThatLearnsWhatItSaysHasNothingToLearn() throws Exception {
        Case one = new Case(HeadScope.PER_TASK, TASKS.get(0));
        HeldOut nothing = HeldOut.of(one.rows(), ALL, 0, 0, one.compiler.heads().memberWeights());
        Batch batch = Batch.of(one.tasks, one.rows(), ALL, new Batch.Noise(1, 0, 0), nothing, ALL.length);
        batch.fill(one.compiler.losses());
        ExecutorService threads = Executors.newCachedThreadPool();
        try (ParameterBuffer buffer = new ParameterBuffer(one.compiler.parameters(), "");
             Evaluator members = new Evaluator(one.compiler.forwardApart(ALL.length, MEMBERS), one.rows(), ALL.length,
                     buffer.tensors());
             StepExecutor executor = new StepExecutor(one.compiler, false, false, ALL.length, 1, threads, buffer)) {
            float[] values = ParameterBuffer.initial(one.compiler.parameters());
            buffer.set(values);
            float[] says = members.outputs(ALL);
            for (int row = 0; row < ALL.length; row++) {
                batch.targets()[row * MEMBERS + 1] = says[row * MEMBERS + 1];
            }
            float[] gradient = new float[values.length];
            executor.run(batch, 1, gradient);
            Map<String, Tensor> gradients = ParameterBuffer.tensors(one.compiler.parameters(), gradient);
            float[] head = gradients.get(Heads.weightName(TASKS.get(0))).floats();
            double[] squares = new double[MEMBERS];
            for (int i = 0; i < head.length; i++) {
                squares[i * MEMBERS / head.length] += head[i] * head[i];
            }
            assertTrue(squares[0] > 1e-3, Arrays.toString(squares));
            assertEquals(0, squares[1], 1e-9);
        } finally {
            threads.shutdownNow();
        }
    }

    /** Labels that have nothing to do with their rows: soon tasks are past their best. */
    private static TrainedNetwork train(boolean retained, Optional<Checkpoints> checkpoints, TrainingListener listener) {
        SplittableRandom random = new SplittableRandom(5);
        PackedExamples rows = PackedExamples.pack(48, 3, 2, (row, inputs, labels) -> {
            IntStream.range(0, inputs.length).forEach(i -> inputs[i] = (float) random.nextGaussian());
            labels[0] = random.nextInt(3);
            labels[1] = random.nextInt(2);
        });
        TaskLayout tasks = new TaskLayout(List.of(new CategoricalTask("c", 3), new BinaryTask("b")));
        Backbone backbone = FeatureEnsemble.builder().members(4).width(8).depth(1).hidden(8).build()
                .create(SmallTraining.layout(rows.width()), tasks, rows, 1);
        Recipe recipe = Recipe.builder().pretrainEpochs(40).epochs(1).batchSize(8).workers(2).retained(retained).build();
        return new Learner(new FullDense(), recipe, checkpoints).train(backbone, false, tasks, rows, 7, listener);
    }

    @Test
    void tasksPastTheirBestAreRetainedFromTheNextEpochOn() {
        List<EpochRecord> history = train(true, Optional.empty(), TrainingListener.NONE).history().stream()
                .filter(epoch -> epoch.phase() == Phase.PRETRAIN).toList();
        double[] best = {Double.POSITIVE_INFINITY, Double.POSITIVE_INFINITY};
        double[] retained = new double[2];
        for (EpochRecord epoch : history.subList(1, history.size())) {
            for (int t = 0; t < best.length; t++) {
                double loss = epoch.validationLosses()[t];
                assertEquals(loss > best[t] ? 1 : 0, epoch.retainingWeights()[t], "epoch " + epoch.epoch());
                best[t] = Math.min(best[t], loss);
                retained[t] += epoch.retainingWeights()[t];
            }
        }
        assertTrue(retained[0] > 3 && retained[1] > 3, Arrays.toString(retained));
        List<EpochRecord> labels = train(false, Optional.empty(), TrainingListener.NONE).history();
        assertTrue(labels.stream().allMatch(epoch -> epoch.retainingWeights().length == 0));
        List<EpochRecord> dense = labels.stream().filter(epoch -> epoch.phase() == Phase.PRETRAIN).toList();
        int last = Math.min(history.size(), dense.size()) - 1;
        for (int t = 0; t < best.length; t++) {
            double kept = history.get(last).validationLosses()[t];
            double spoilt = dense.get(last).validationLosses()[t];
            assertTrue(kept < spoilt, kept + ", with labels " + spoilt);
        }
    }

    @Test
    void aResumedTrainingRetainsTheSame(@TempDir Path directory) {
        TrainedNetwork alone = train(true, Optional.empty(), TrainingListener.NONE);
        Optional<Checkpoints> checkpoints = Optional.of(Checkpoints.in(directory));
        train(true, checkpoints, SmallTraining.interruptAfter(Phase.PRETRAIN, 201));
        assertTrue(Thread.interrupted());
        TrainedNetwork resumed = train(true, checkpoints, TrainingListener.NONE);
        assertArrayEquals(alone.model().toByteArray(), resumed.model().toByteArray());
        // The epoch that is chosen may be one before any task was retained.
        for (int i = 0; i < alone.history().size(); i++) {
            assertArrayEquals(alone.history().get(i).validationLosses(), resumed.history().get(i).validationLosses(),
                    "epoch " + i);
        }
    }
}

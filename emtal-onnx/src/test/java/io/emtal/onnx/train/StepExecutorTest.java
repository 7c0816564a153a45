package io.emtal.onnx.train;

import io.emtal.onnx.adapt.Adaptation;
import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.adapt.FullDense;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.FeatureEnsemble;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.task.Heads;
import io.emtal.onnx.task.Losses;
import io.emtal.onnx.task.QualityRetaining;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class StepExecutorTest {

    private static final int ROWS = 20;

    private static NetworkCompiler compiler(PackedExamples rows) {
        TaskLayout tasks = SmallTraining.tasks();
        Backbone backbone = SmallTraining.backbone(rows, 1);
        Adaptation adaptation = Emtal.builder().experts(4).rank(2).build().adapt(backbone, 1);
        Heads heads = new Heads(tasks, backbone.pooledWidth(), backbone.members());
        return new NetworkCompiler(backbone, adaptation, heads, heads.parameters(1), tasks, new Losses(),
                QualityRetaining.off());
    }

    private static Batch batch(NetworkCompiler compiler, PackedExamples rows, int microBatch) {
        int[] some = IntStream.range(0, ROWS).toArray();
        return Batch.of(compiler.tasks(), rows, some, new Batch.Noise(1, 0, 0),
                HeldOut.of(rows, some, 0, 0, compiler.heads().memberWeights()), microBatch);
    }

    /** Whatever rows are padded, however many workers have some: the losses are those of the batch's logits. */
    @ParameterizedTest
    @CsvSource({"20, 1", "16, 2", "6, 2", "6, 3", "16, 4"})
    void theLossesAreThoseOfTheLogits(int microBatch, int workers) throws Exception {
        PackedExamples rows = unlabelled(SmallTraining.rows(1), 1);
        NetworkCompiler compiler = compiler(rows);
        Batch batch = batch(compiler, rows, microBatch);
        ExecutorService threads = Executors.newCachedThreadPool();
        try (ParameterBuffer buffer = new ParameterBuffer(compiler.parameters(), "");
             StepExecutor executor = new StepExecutor(compiler, true, false, microBatch, workers, threads, buffer)) {
            float[] values = ParameterBuffer.initial(compiler.parameters());
            buffer.set(values);
            for (int step = 0; step < 2; step++) {
                batch.fill(compiler.losses());
                double[] losses = executor.run(batch, 0.5, new float[values.length]).losses();
                double[] expected = compiler.losses().means(batch.labels(), batch.logits());
                assertTrue(Double.isNaN(losses[1]), "the second task has no label");
                for (int t = 0; t < losses.length; t++) {
                    assertEquals(expected[t], losses[t], 1e-12, "step " + step + ", " + Arrays.toString(losses));
                }
            }
        } finally {
            threads.shutdownNow();
        }
    }

    /** Of one worker for all five micro-batches, and of one for each: either adds them in order. */
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void theGradientIsThatOfTheMicroBatchesInOrder(boolean gated) throws Exception {
        PackedExamples rows = SmallTraining.rows(1);
        NetworkCompiler compiler = compiler(rows);
        Batch batch = batch(compiler, rows, 4);
        batch.fill(compiler.losses());
        ExecutorService threads = Executors.newCachedThreadPool();
        try (ParameterBuffer buffer = new ParameterBuffer(compiler.parameters(), "");
             StepExecutor alone = new StepExecutor(compiler, gated, false, 4, 1, threads, buffer);
             StepExecutor together = new StepExecutor(compiler, gated, false, 4, 5, threads, buffer)) {
            float[] values = ParameterBuffer.initial(compiler.parameters());
            buffer.set(values);
            for (int step = 0; step < 2; step++) {
                float[] one = new float[values.length];
                float[] five = new float[values.length];
                Arrays.fill(one, Float.NaN);
                Arrays.fill(five, Float.NaN);
                alone.run(batch, 1, one);
                together.run(batch, 1, five);
                assertArrayEquals(one, five);
                Map<String, Tensor> gradients = ParameterBuffer.tensors(compiler.parameters(), one);
                List<String> trained = compiler.step(4, gated, false).trained().stream().map(Parameter::name).toList();
                assertEquals(gated, trained.size() == gradients.size());
                gradients.forEach((name, gradient) -> {
                    for (float g : gradient.floats()) {
                        assertTrue(trained.contains(name) ? Float.isFinite(g) : g == 0, name);
                    }
                });
            }
        } finally {
            threads.shutdownNow();
        }
    }

    /** At the start members' heads have gradients of about the same size, but for what tasks count for them. */
    @Test
    void membersLearnTheirKind() throws Exception {
        PackedExamples rows = SmallTraining.rows(1);
        TaskLayout tasks = SmallTraining.tasks();
        Backbone backbone = FeatureEnsemble.builder().members(3).width(16).depth(1).hidden(32).build()
                .create(SmallTraining.layout(), tasks, rows, 1);
        Heads heads = new Heads(tasks, backbone.pooledWidth(), backbone.members());
        NetworkCompiler compiler = new NetworkCompiler(backbone, new FullDense().adapt(backbone, 1), heads,
                heads.parameters(1), tasks, new Losses(), QualityRetaining.off());
        int[] some = IntStream.range(0, ROWS).toArray();
        Batch batch = Batch.of(tasks, rows, some, new Batch.Noise(1, 0, 0),
                HeldOut.of(rows, some, 0, 0, heads.memberWeights()), ROWS);
        batch.fill(compiler.losses());
        ExecutorService threads = Executors.newCachedThreadPool();
        try (ParameterBuffer buffer = new ParameterBuffer(compiler.parameters(), "");
             StepExecutor executor = new StepExecutor(compiler, false, false, ROWS, 1, threads, buffer)) {
            float[] values = ParameterBuffer.initial(compiler.parameters());
            buffer.set(values);
            float[] gradient = new float[values.length];
            executor.run(batch, 1, gradient);
            Map<String, Tensor> gradients = ParameterBuffer.tensors(compiler.parameters(), gradient);
            for (Task task : tasks.tasks()) {
                float[] weights = gradients.get(Heads.weightName(task)).floats();
                double[] halves = new double[2];
                for (int i = 0; i < weights.length; i++) {
                    halves[2 * i / weights.length] += weights[i] * weights[i];
                }
                double ratio = Math.sqrt(halves[0] / halves[1]);
                assertEquals(20, task instanceof RealTask ? ratio : 1 / ratio, 10, task.name());
            }
        } finally {
            threads.shutdownNow();
        }
    }

    private static PackedExamples unlabelled(PackedExamples rows, int task) {
        return PackedExamples.pack(rows.size(), rows.width(), SmallTraining.tasks().size(), (row, inputs, labels) -> {
            rows.inputs(row, FloatBuffer.wrap(inputs));
            for (int t = 0; t < labels.length; t++) {
                labels[t] = t == task ? Float.NaN : rows.label(row, t);
            }
        });
    }
}

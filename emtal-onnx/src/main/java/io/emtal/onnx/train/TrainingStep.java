package io.emtal.onnx.train;

import ai.onnxruntime.OrtException;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.adapt.Adaptation;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.task.Heads;
import io.emtal.onnx.task.MemberWeights;
import io.emtal.onnx.task.QualityRetaining;
import io.emtal.onnx.task.TaskLayout;

import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/**
 * Takes single steps of an adaptation's training, of rows that the caller chooses: forward and backward in
 * micro-batches on the recipe's workers, clipping, optimiser. {@link Learner} is what trains; this is for measuring,
 * and for training loops of one's own. Without dropout and Quality Retaining. Not thread-safe.
 */
public final class TrainingStep implements AutoCloseable {

    private final NetworkCompiler compiler;
    private final Recipe recipe;
    private final MemberWeights memberWeights;
    private final Examples rows;
    private final int batchSize;
    private final int microBatch;
    private final List<Parameter> parameters;
    private final float[] values;
    private final float[] gradient;
    private final AdamW.State optimizer;
    private final ParameterBuffer buffer;
    private final ExecutorService threads;
    private StepExecutor executor;
    private boolean gated;

    /**
     * Prepares steps.
     *
     * @param backbone the backbone
     * @param adaptation its adaptation
     * @param tasks the tasks; laid out by the recipe's losses
     * @param recipe batch size, micro-batch size, workers, optimiser and losses; the rest of it is not used
     * @param rows the rows
     * @param seed decides the heads' first values
     */
    public TrainingStep(Backbone backbone, Adaptation adaptation, TaskLayout tasks, Recipe recipe, Examples rows,
                        long seed) {
        EmtalException.check(rows.size() > 0, "step: found no rows, at least one is needed");
        Heads heads = new Heads(tasks, backbone.pooledWidth(), backbone.members());
        this.compiler = new NetworkCompiler(backbone, adaptation, heads, heads.parameters(seed), tasks, recipe.losses(),
                QualityRetaining.off());
        this.recipe = recipe;
        this.memberWeights = heads.memberWeights();
        this.rows = rows;
        batchSize = recipe.batchSize(rows.size());
        microBatch = recipe.microBatchSize(batchSize, compiler.widestRow());
        parameters = compiler.parameters();
        values = ParameterBuffer.initial(parameters);
        gradient = new float[values.length];
        optimizer = recipe.optimizer().start(parameters);
        try {
            buffer = new ParameterBuffer(parameters, "");
        } catch (OrtException e) {
            throw NativeSession.failed("step", e);
        }
        threads = Executors.newFixedThreadPool(recipe.workers(), runnable -> {
            Thread thread = new Thread(runnable, "emtal-worker");
            thread.setDaemon(true);
            return thread;
        });
    }

    /**
     * What is trained, the heads last.
     *
     * @return the parameters with their first values
     */
    public List<Parameter> parameters() {
        return parameters;
    }

    /**
     * What the parameters are now.
     *
     * @return copies by name
     */
    public Map<String, Tensor> values() {
        return ParameterBuffer.tensors(parameters, values);
    }

    /**
     * How many rows a worker computes at a time.
     *
     * @return 1 or more
     */
    public int microBatchSize() {
        return microBatch;
    }

    /**
     * The network as it is trained, with its adapters beside the backbone's layers.
     *
     * @param rows the number of rows
     * @param gated whether the routers are part of it, and the fade an input; without them a = 1
     * @return takes rows, the fade if gated, and all {@link #parameters()} that it reads by their names; gives logits
     *     [rows, C]
     */
    public Graph forward(int rows, boolean gated) {
        return compiler.forward(rows, gated);
    }

    /**
     * Takes a step.
     *
     * @param batch positions of rows, at least one, at most the recipe's batch size
     * @param fade the fade a, from 0 to 1; at 1 the routers are no part of the graph
     * @param learningRate the learning rate
     * @return the mean loss of each task before the step, without label smoothing; NaN for a task without labelled row
     */
    public double[] run(int[] batch, double fade, double learningRate) {
        EmtalException.check(batch.length >= 1 && batch.length <= batchSize,
                "step: found %d rows, allowed are 1 to %d", batch.length, batchSize);
        HeldOut nothing = HeldOut.of(rows, batch, 0, 0, memberWeights);
        Batch fed = Batch.of(compiler.tasks(), rows, batch, new Batch.Noise(0, 0, 0), nothing, microBatch);
        fed.fill(compiler.losses());
        buffer.set(values);
        double[] losses = executor(fade < 1).run(fed, fade, gradient).losses();
        optimizer.step(values, gradient, learningRate);
        return losses;
    }

    private StepExecutor executor(boolean wanted) {
        if (executor == null || gated != wanted) {
            closeExecutor();
            executor = new StepExecutor(compiler, wanted, false, microBatch, recipe.workers(), threads, buffer);
            gated = wanted;
        }
        return executor;
    }

    private void closeExecutor() {
        if (executor != null) {
            executor.close();
            executor = null;
        }
    }

    @Override
    public void close() {
        closeExecutor();
        buffer.close();
        threads.shutdownNow();
    }
}

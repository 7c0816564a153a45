package io.emtal.onnx.train;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.task.Losses;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;

/**
 * Runs a compiled step. A batch is cut into micro-batches; worker w takes the micro-batches w, w + n, w + 2n, … and
 * adds up their gradients and losses; the workers' sums are added in order. So the bits depend on the number of
 * workers and the size of a micro-batch, never on timing.
 */
final class StepExecutor implements AutoCloseable {

    private final Losses losses;
    private final Graph graph;
    private final int microBatch;
    private final int tasks;
    private final int columns;
    private final ExecutorService threads;
    private final NativeSession session;
    private final ParameterBuffer parameters;
    private final List<Worker> workers = new ArrayList<>();
    private final int[] targetsOfGradient;
    private final int[] sizesOfGradient;
    private double inputSeconds;

    /**
     * Prepares a step.
     *
     * @param compiler compiles the step's graph
     * @param gated whether the fade is an input
     * @param dropout whether channels are dropped
     * @param microBatch the number of rows of a micro-batch
     * @param workerCount the number of workers
     * @param threads runs the workers
     * @param parameters the parameters' values, which the step reads
     */
    StepExecutor(NetworkCompiler compiler, boolean gated, boolean dropout, int microBatch, int workerCount,
                 ExecutorService threads, ParameterBuffer parameters) {
        NetworkCompiler.Step step = compiler.step(microBatch, gated, dropout);
        this.losses = compiler.losses();
        this.graph = step.graph();
        this.microBatch = microBatch;
        this.tasks = compiler.tasks().size();
        this.columns = compiler.tasks().columns();
        this.threads = threads;
        this.parameters = parameters;
        List<Parameter> trained = step.trained();
        targetsOfGradient = new int[trained.size()];
        sizesOfGradient = new int[trained.size()];
        int position = 0;
        int next = 0;
        for (Parameter parameter : compiler.parameters()) {
            if (next < trained.size() && trained.get(next).name().equals(parameter.name())) {
                targetsOfGradient[next] = position;
                sizesOfGradient[next++] = parameter.size();
            }
            position += parameter.size();
        }
        this.session = new NativeSession(graph, "step", 1);
        try {
            for (int i = 0; i < workerCount; i++) {
                workers.add(new Worker(trained));
            }
        } catch (OrtException e) {
            close();
            throw NativeSession.failed("step", e);
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /**
     * What a step comes to besides its gradient.
     *
     * @param losses the mean loss of each task without label smoothing; not-a-number for a task without labelled row
     * @param reports the reports by name, averaged over the micro-batches
     */
    record Result(double[] losses, Map<String, double[]> reports) {
    }

    /**
     * Computes gradient, logits and reports of a batch.
     *
     * @param batch the batch; its logits are filled
     * @param fade the fade a
     * @param gradient overwritten with the gradient of all parameters; 0 for those without one
     * @return losses and reports
     */
    Result run(Batch batch, double fade, float[] gradient) {
        int microBatches = (batch.rows().length + microBatch - 1) / microBatch;
        int active = Math.min(workers.size(), microBatches);
        runWorkers(batch, fade, active, microBatches);
        inputSeconds = workers.stream().limit(active).mapToLong(worker -> worker.inputNanos).sum() * 1e-9 / active;
        sumGradients(active, gradient);
        double[] means = new double[tasks];
        Map<String, double[]> reports = new LinkedHashMap<>();
        for (int w = 0; w < active; w++) {
            workers.get(w).addTo(means, reports, microBatches);
        }
        for (int t = 0; t < means.length; t++) {
            means[t] /= batch.labels().count(t);
        }
        return new Result(means, reports);
    }

    /** Adds the workers' gradients parameter by parameter, while it is in the processor's cache. */
    private void sumGradients(int active, float[] gradient) {
        int position = 0;
        int end = 0;
        for (int p = 0; p < sizesOfGradient.length; p++) {
            int target = targetsOfGradient[p];
            int size = sizesOfGradient[p];
            Arrays.fill(gradient, end, target, 0);
            workers.get(0).gradients.get(position, gradient, target, size);
            for (int w = 1; w < active; w++) {
                workers.get(w).gradients.addTo(position, gradient, target, size);
            }
            position += size;
            end = target + size;
        }
        Arrays.fill(gradient, end, gradient.length, 0);
    }

    /** Runs workers side by side. Whatever fails, none of them is left running with memory that is freed then. */
    private void runWorkers(Batch batch, double fade, int active, int microBatches) {
        List<Future<?>> others = new ArrayList<>();
        Throwable failure = null;
        try {
            for (int w = 1; w < active; w++) {
                Worker worker = workers.get(w);
                int first = w;
                others.add(threads.submit(() -> worker.run(batch, fade, first, active, microBatches)));
            }
            workers.get(0).run(batch, fade, 0, active, microBatches);
        } catch (RuntimeException | Error e) {
            failure = e;
        }
        for (Future<?> other : others) {
            failure = await(other, failure);
        }
        if (failure instanceof Error error) {
            throw error;
        }
        if (failure != null) {
            throw (RuntimeException) failure;
        }
    }

    /** How long the last batch's workers took to read its inputs, on average. */
    double inputSeconds() {
        return inputSeconds;
    }

    /** Waits for a worker without leaving it running, whatever interrupts. */
    private static Throwable await(Future<?> worker, Throwable failure) {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    worker.get();
                    return failure;
                } catch (InterruptedException e) {
                    interrupted = true;
                } catch (ExecutionException e) {
                    return failure != null ? failure : e.getCause() instanceof RuntimeException r ? r
                            : new EmtalException("step: a worker failed: " + e.getCause(), e.getCause());
                } catch (CancellationException e) {
                    return failure != null ? failure : new EmtalException("step: a worker was cancelled", e);
                }
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    @Override
    public void close() {
        workers.forEach(Worker::close);
        session.close();
    }

    /** The buffers of one thread. */
    private final class Worker implements AutoCloseable {

        private final Map<String, OnnxTensor> inputs = new HashMap<>();
        private final Map<String, OnnxTensor> outputs = new HashMap<>();
        private final List<OnnxTensor> owned = new ArrayList<>();
        private final Map<String, FloatBuffer> memory = new HashMap<>();
        private final Map<String, double[]> reports = new LinkedHashMap<>();
        /** The gradient of a micro-batch; after a run the sum of all. */
        private final ParameterBuffer gradients;
        private final float[] sum;
        private final double[] lossSums;
        private long inputNanos;
        /** Whether the first run has planned the memory of later ones. */
        private boolean planned;

        private Worker(List<Parameter> trained) throws OrtException {
            sum = new float[trained.stream().mapToInt(Parameter::size).sum()];
            lossSums = new double[tasks];
            gradients = new ParameterBuffer(trained, NetworkCompiler.gradientName(""));
            try {
                Map<String, OnnxTensor> values = parameters.tensors();
                for (Value input : graph.inputs()) {
                    OnnxTensor value = values.get(input.name());
                    inputs.put(input.name(), value == null ? tensor(input) : value);
                }
                for (Value output : graph.outputs()) {
                    OnnxTensor window = gradients.tensors().get(output.name());
                    outputs.put(output.name(), window == null ? tensor(output) : window);
                    if (window == null) {
                        String report = NetworkCompiler.reportName("");
                        if (output.name().startsWith(report)) {
                            reports.put(output.name().substring(report.length()), new double[output.shape().size()]);
                        }
                    }
                }
            } catch (OrtException | RuntimeException | Error e) {
                close();
                throw e;
            }
        }

        private OnnxTensor tensor(Value value) throws OrtException {
            FloatBuffer buffer = ParameterBuffer.direct(value.shape().size());
            memory.put(value.name(), buffer);
            OnnxTensor tensor = OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), buffer, value.shape().extents());
            owned.add(tensor);
            return tensor;
        }

        private void run(Batch batch, double fade, int first, int stride, int microBatches) {
            Arrays.fill(lossSums, 0);
            inputNanos = 0;
            reports.values().forEach(r -> Arrays.fill(r, 0));
            if (memory.containsKey(NetworkCompiler.FADE)) {
                memory.get(NetworkCompiler.FADE).put(0, (float) fade);
            }
            String input = graph.inputs().get(0).name();
            for (int m = first; m < microBatches; m += stride) {
                int start = m * microBatch;
                FloatBuffer shares = memory.get(NetworkCompiler.SHARES);
                for (int i = 0; shares != null && i < microBatch; i++) {
                    shares.put(i, start + i < batch.rows().length ? 1f / batch.rows().length : 0);
                }
                SplittableRandom random = new SplittableRandom(batch.noise().seed() + m);
                FloatBuffer rows = memory.get(input).clear();
                long begun = System.nanoTime();
                for (int i = 0; i < microBatch; i++) {
                    // Padding repeats the batch's last row, with weight 0.
                    batch.examples().inputs(batch.rows()[Math.min(start + i, batch.rows().length - 1)], rows);
                }
                inputNanos += System.nanoTime() - begun;
                dropInputs(rows, batch.noise().inputs(), random);
                dropChannels(batch.noise().channels(), random);
                feed(NetworkCompiler.TARGETS, batch.targets(), start);
                feed(NetworkCompiler.WEIGHTS, batch.weights(), start);
                feed(NetworkCompiler.BAGS, batch.bags(), start);
                feed(NetworkCompiler.TEACHER, batch.teacher(), start);
                feed(NetworkCompiler.TEACHER_WEIGHT, batch.teacherWeight(), start);
                session.run(inputs, outputs, !planned);
                planned = true;
                memory.get(NetworkCompiler.LOGITS).get(0, batch.logits(), start * columns, microBatch * columns);
                losses.addSums(batch.labels(), batch.logits(), start, Math.min(start + microBatch, batch.rows().length),
                        lossSums);
                addGradient(m == first, m + stride >= microBatches);
                reports.forEach((name, total) -> {
                    FloatBuffer values = memory.get(NetworkCompiler.reportName(name));
                    for (int i = 0; i < total.length; i++) {
                        total[i] += values.get(i);
                    }
                });
            }
        }

        /** Only what has several micro-batches is added up beside the native memory, and written back at the end. */
        private void addGradient(boolean first, boolean last) {
            if (first && last) {
                return;
            }
            if (first) {
                gradients.get(sum);
            } else {
                gradients.addTo(0, sum, 0, sum.length);
            }
            if (last) {
                gradients.set(sum);
            }
        }

        private static void dropInputs(FloatBuffer rows, double rate, SplittableRandom random) {
            for (int i = 0; rate > 0 && i < rows.capacity(); i++) {
                if (random.nextDouble() < rate) {
                    rows.put(i, Float.NaN);
                }
            }
        }

        /** Channels are kept with probability 1 − p and scaled by 1 / (1 − p). */
        private void dropChannels(double dropout, SplittableRandom random) {
            for (Value input : graph.inputs()) {
                if (input.name().startsWith(NetworkCompiler.DROPOUT)) {
                    FloatBuffer mask = memory.get(input.name());
                    for (int i = 0; i < mask.capacity(); i++) {
                        mask.put(i, random.nextDouble() < dropout ? 0 : (float) (1 / (1 - dropout)));
                    }
                }
            }
        }

        private void feed(String name, float[] values, int start) {
            FloatBuffer buffer = memory.get(name);
            if (buffer != null) {
                buffer.put(0, values, start * (buffer.capacity() / microBatch), buffer.capacity());
            }
        }

        private void addTo(double[] totalLosses, Map<String, double[]> means, int microBatches) {
            for (int t = 0; t < totalLosses.length; t++) {
                totalLosses[t] += lossSums[t];
            }
            reports.forEach((name, values) -> {
                double[] mean = means.computeIfAbsent(name, n -> new double[values.length]);
                for (int i = 0; i < values.length; i++) {
                    mean[i] += values[i] / microBatches;
                }
            });
        }

        @Override
        public void close() {
            owned.forEach(OnnxTensor::close);
            gradients.close();
        }
    }
}

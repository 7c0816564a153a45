package io.emtal.onnx.train;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.task.BatchLabels;
import io.emtal.onnx.task.RetainingState;
import io.emtal.onnx.task.TaskLayout;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.concurrent.ExecutorService;

/**
 * One phase of a training: epochs of steps on training rows, looks at held-out rows once the fade has reached 1, and
 * the weights that were best there, or the last.
 */
final class PhaseRun {

    /** The prefix of an adaptation's reports of mean gates [K], with the block's name behind it. */
    private static final String GATE = "gate.";
    /** The prefix of an adaptation's reports of the gates' mean entropy. */
    private static final String ENTROPY = "routerEntropy.";
    private static final int EVALUATION_ROWS = 64;

    // Positions below the seed of an epoch.
    private static final int ORDER = 0;
    private static final int AUGMENTATION = 1;
    private static final int NOISE = 2;

    private final Phase phase;
    private final NetworkCompiler compiler;
    private final Recipe recipe;
    private final Examples examples;
    private final HeldOut heldOut;
    private final TrainingListener listener;
    private final List<EpochRecord> history = new ArrayList<>();
    private final Map<String, double[]> expertLoad = new LinkedHashMap<>();

    PhaseRun(Phase phase, NetworkCompiler compiler, Recipe recipe, Examples examples, HeldOut heldOut,
             TrainingListener listener) {
        this.phase = phase;
        this.compiler = compiler;
        this.recipe = recipe;
        this.examples = examples;
        this.heldOut = heldOut;
        this.listener = listener;
    }

    /**
     * What a phase came to.
     *
     * @param values all parameters' values, flat
     * @param bestEpoch the epoch that they are from
     * @param history one record an epoch
     * @param expertLoad the mean gates by block over the last routed epoch
     */
    record Outcome(float[] values, int bestEpoch, List<EpochRecord> history, Map<String, double[]> expertLoad) {
    }

    /**
     * Trains.
     *
     * @param seed decides the order of the rows, what they look like and what is dropped, epoch by epoch
     * @param threads runs the workers
     */
    Outcome run(Seed seed, ExecutorService threads) throws Exception {
        List<Parameter> parameters = compiler.parameters();
        TaskLayout tasks = compiler.tasks();
        int batchSize = recipe.batchSize(heldOut.training().length);
        int microBatch = recipe.microBatchSize(batchSize);
        int stepsPerEpoch = (heldOut.training().length + batchSize - 1) / batchSize;
        int epochs = recipe.epochs(phase);
        int steps = epochs * stepsPerEpoch;
        double inputDropout = compiler.backbone().learnsMissing() ? recipe.inputDropout() : 0;
        double dropout = recipe.dropout();

        float[] values = ParameterBuffer.initial(parameters);
        float[] gradient = new float[values.length];
        AdamW.State optimizer = recipe.optimizer().start(parameters);
        WeightAverage average = new WeightAverage(recipe.averageDecay(), values.length);
        Selection selection = new Selection(values);
        RetainingState retaining = compiler.qualityRetaining().appliesTo(tasks)
                ? compiler.qualityRetaining().start(tasks, examples.size()) : null;
        long begun = System.nanoTime();

        try (ParameterBuffer buffer = new ParameterBuffer(parameters, "");
             Steps gatedOrNot = new Steps(dropout > 0, microBatch, threads, buffer);
             Judge judge = new Judge(buffer)) {
            selection.score = start(judge.losses(values), tasks.size());
            int step = 0;
            for (int epoch = 1; epoch <= epochs; epoch++) {
                long epochBegun = System.nanoTime();
                Seed epochSeed = seed.at(epoch);
                int[] rows = heldOut.training().clone();
                shuffle(rows, epochSeed.at(ORDER).random());
                Examples read = examples.augmented(epochSeed.at(AUGMENTATION).value()).inOrder(rows);
                EpochSums sums = new EpochSums(tasks.size());
                double rate = 0;
                double fade = 1;
                for (int start = 0; start < rows.length; start += batchSize) {
                    step++;
                    rate = recipe.schedule(phase).rate(step, steps);
                    fade = compiler.adaptation().fade((double) step / steps);
                    Batch batch = Batch.of(tasks, read, Arrays.copyOfRange(rows, start, Math.min(start + batchSize,
                            rows.length)), new Batch.Noise(epochSeed.at(NOISE).at(step).value(), inputDropout, dropout),
                            heldOut, microBatch);
                    compiler.losses().fill(batch.labels(), batch.targets(), batch.weights());
                    if (retaining != null) {
                        retaining.teach(batch.labels(), batch.rows(), batch.teacher(), batch.teacherWeight());
                    }
                    buffer.set(values);
                    StepExecutor executor = gatedOrNot.at(fade);
                    Map<String, double[]> reports = executor.run(batch, fade, gradient);
                    double[] losses = compiler.losses().means(batch.labels(), batch.logits());
                    checkFinite(losses, batch.labels(), step);
                    if (retaining != null) {
                        retaining.record(batch.labels(), batch.rows(), batch.logits(), losses);
                    }
                    double norm = optimizer.step(values, gradient, rate);
                    EmtalException.check(Double.isFinite(norm), "%s, step %d: the gradient is not finite; a lower learning rate"
                            + " than %s may help", phase, step, rate);
                    if (fade >= 1) {
                        average.add(values);
                    }
                    sums.add(batch.labels(), losses, reports, executor.inputSeconds());
                    double secondsLeft = (System.nanoTime() - begun) * 1e-9 * (steps - step) / step;
                    listener.step(new StepEvent(phase, step, steps, rate, fade, losses, reports, secondsLeft));
                }
                // The blocks report in every routed epoch: the last one overwrites the others.
                expertLoad.putAll(sums.gates());
                double[] validationLosses = new double[0];
                if (fade >= 1) {
                    float[] candidate = average.valuesOr(values);
                    validationLosses = judge.losses(candidate);
                    selection.offer(epoch, mean(validationLosses), candidate);
                }
                EpochRecord record = new EpochRecord(phase, epoch, step, rate, fade, sums.means(), validationLosses,
                        sums.entropy(), (System.nanoTime() - epochBegun) * 1e-9, sums.inputSeconds);
                history.add(record);
                listener.epoch(record);
                if (phase == Phase.PRETRAIN && recipe.patience() > 0 && epoch - selection.epoch >= recipe.patience()) {
                    break;
                }
            }
        }
        return new Outcome(selection.values, selection.epoch, history, expertLoad);
    }

    /** Records what the phase starts from, where there are rows to judge it: training need not make it better. */
    private double start(double[] losses, int tasks) {
        if (losses.length > 0) {
            double[] untrained = new double[tasks];
            Arrays.fill(untrained, Double.NaN);
            history.add(new EpochRecord(phase, 0, 0, 0, 1, untrained, losses, Double.NaN, 0, 0));
        }
        return losses.length > 0 ? mean(losses) : Double.POSITIVE_INFINITY;
    }

    /** The mean over the tasks that have a loss; below every other without held-out rows, so that the last epoch is best. */
    private static double mean(double[] losses) {
        return losses.length == 0 ? Double.NEGATIVE_INFINITY
                : Arrays.stream(losses).filter(l -> !Double.isNaN(l)).average().orElseThrow();
    }

    /** Computes the losses on the held-out rows. */
    private final class Judge implements AutoCloseable {

        private final ParameterBuffer buffer;
        private final BatchLabels labels = Batch.labels(compiler.tasks(), examples, heldOut.judged());
        private final Evaluator evaluator;

        private Judge(ParameterBuffer buffer) {
            this.buffer = buffer;
            if (heldOut.judged().length == 0) {
                evaluator = null;
                return;
            }
            EmtalException.check(IntStream.range(0, compiler.tasks().size()).anyMatch(t -> labels.count(t) > 0),
                    "%s: found no label on the %d held-out rows, at least one of them needs one", phase,
                    heldOut.judged().length);
            evaluator = new Evaluator(heldOut.outOfBag() ? compiler.forwardApart(EVALUATION_ROWS)
                    : compiler.forward(EVALUATION_ROWS), examples, EVALUATION_ROWS, buffer.tensors());
        }

        /** The losses of all tasks with these weights, not-a-number for a task without labels; none without rows. */
        private double[] losses(float[] values) {
            if (evaluator == null) {
                return new double[0];
            }
            buffer.set(values);
            return compiler.losses().means(labels,
                    heldOut.outOfBag() ? unseen(heldOut.judged()) : evaluator.outputs(heldOut.judged()));
        }

        /** Some rows at a time: the members' logits of all of them together would be many times as large. */
        private float[] unseen(int[] rows) {
            FloatBuffer logits = FloatBuffer.allocate(rows.length * compiler.tasks().columns());
            int[] first = {0};
            evaluator.forEachBatch(rows, batch -> {
                float[] memberLogits = new float[batch.remaining()];
                batch.get(memberLogits);
                int[] some = Arrays.copyOfRange(rows, first[0], first[0] + memberLogits.length / evaluator.columns());
                logits.put(heldOut.unseen(some, memberLogits));
                first[0] += some.length;
            });
            return logits.array();
        }

        @Override
        public void close() {
            if (evaluator != null) {
                evaluator.close();
            }
        }
    }

    private void checkFinite(double[] losses, BatchLabels labels, int step) {
        for (int t = 0; t < losses.length; t++) {
            EmtalException.check(labels.count(t) == 0 || Double.isFinite(losses[t]), "%s, step %d, task '%s': the loss is %s;"
                    + " a lower learning rate may help", phase, step, compiler.tasks().task(t).name(), losses[t]);
        }
    }

    static void shuffle(int[] rows, SplittableRandom random) {
        for (int i = rows.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int row = rows[i];
            rows[i] = rows[j];
            rows[j] = row;
        }
    }

    /** The step with gates while the fade is below 1, and without from then on. */
    private final class Steps implements AutoCloseable {

        private final boolean dropout;
        private final int microBatch;
        private final ExecutorService threads;
        private final ParameterBuffer buffer;
        private StepExecutor executor;
        private boolean gated;

        private Steps(boolean dropout, int microBatch, ExecutorService threads, ParameterBuffer buffer) {
            this.dropout = dropout;
            this.microBatch = microBatch;
            this.threads = threads;
            this.buffer = buffer;
        }

        private StepExecutor at(double fade) {
            boolean wanted = fade < 1;
            if (executor == null || gated != wanted) {
                close();
                executor = new StepExecutor(compiler, wanted, dropout, microBatch, recipe.workers(), threads, buffer);
                gated = wanted;
            }
            return executor;
        }

        @Override
        public void close() {
            if (executor != null) {
                executor.close();
                executor = null;
            }
        }
    }

    /** Sums of an epoch. */
    private static final class EpochSums {

        private final double[] losses;
        private final long[] counts;
        private final Map<String, double[]> reports = new LinkedHashMap<>();
        private int steps;
        private double inputSeconds;

        private EpochSums(int tasks) {
            losses = new double[tasks];
            counts = new long[tasks];
        }

        private void add(BatchLabels labels, double[] means, Map<String, double[]> reported, double inputSeconds) {
            for (int t = 0; t < losses.length; t++) {
                if (labels.count(t) > 0) {
                    losses[t] += means[t] * labels.count(t);
                    counts[t] += labels.count(t);
                }
            }
            reported.forEach((name, values) -> {
                double[] sum = reports.computeIfAbsent(name, n -> new double[values.length]);
                for (int i = 0; i < values.length; i++) {
                    sum[i] += values[i];
                }
            });
            steps += reported.isEmpty() ? 0 : 1;
            this.inputSeconds += inputSeconds;
        }

        private double[] means() {
            double[] means = new double[losses.length];
            for (int t = 0; t < means.length; t++) {
                means[t] = counts[t] == 0 ? Double.NaN : losses[t] / counts[t];
            }
            return means;
        }

        private Map<String, double[]> gates() {
            Map<String, double[]> gates = new LinkedHashMap<>();
            reports.forEach((name, sum) -> {
                if (name.startsWith(GATE)) {
                    gates.put(name.substring(GATE.length()), Arrays.stream(sum).map(s -> s / steps).toArray());
                }
            });
            return gates;
        }

        private double entropy() {
            return reports.entrySet().stream().filter(e -> e.getKey().startsWith(ENTROPY))
                    .mapToDouble(e -> e.getValue()[0] / steps).average().orElse(Double.NaN);
        }
    }

    /** The best weights so far; among equals the latest. */
    private static final class Selection {

        private final float[] values;
        private double score = Double.POSITIVE_INFINITY;
        private int epoch;

        private Selection(float[] start) {
            values = start.clone();
        }

        private void offer(int epoch, double score, float[] candidate) {
            if (score <= this.score) {
                this.score = score;
                this.epoch = epoch;
                System.arraycopy(candidate, 0, values, 0, values.length);
            }
        }
    }
}

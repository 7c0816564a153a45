package io.emtal.onnx.train;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.task.BatchLabels;

import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutorService;

/**
 * One phase of a training: epochs of steps on training rows, looks at held-out rows once the fade has reached 1, and
 * the weights that were best there, or the last.
 */
final class PhaseRun {

    // Positions below the seed of an epoch.
    private static final int ORDER = 0;
    private static final int AUGMENTATION = 1;
    private static final int NOISE = 2;

    /** What an array can hold. */
    private static final int MOST_NUMBERS = Integer.MAX_VALUE - 8;

    private final Phase phase;
    private final NetworkCompiler compiler;
    private final Recipe recipe;
    private final Examples examples;
    private final HeldOut heldOut;
    private final TrainingListener listener;
    private final int batchSize;
    private final int microBatch;
    private final int stepsOfEpoch;
    private final int epochs;
    private final int steps;

    PhaseRun(Phase phase, NetworkCompiler compiler, Recipe recipe, Examples examples, HeldOut heldOut,
             TrainingListener listener) {
        this.phase = phase;
        this.compiler = compiler;
        this.recipe = recipe;
        this.examples = examples;
        this.heldOut = heldOut;
        this.listener = listener;
        EmtalException.check(recipe.headPatience() == 0 || heldOut.judged().length > 0, "%s: found a head patience of %d"
                + " epochs and no held-out rows, allowed is a recipe with a validation fraction above 0", phase,
                recipe.headPatience());
        batchSize = recipe.batchSize(heldOut.training().length);
        microBatch = recipe.microBatchSize(batchSize, compiler.widestRow());
        long columns = compiler.tasks().columns();
        checkArray("batches", paddedBatch(), compiler.heads().members() * columns);
        checkArray("the rows that judge", heldOut.judged().length, columns);
        stepsOfEpoch = (heldOut.training().length + batchSize - 1) / batchSize;
        epochs = recipe.epochs(phase);
        EmtalException.check((long) epochs * stepsOfEpoch <= Integer.MAX_VALUE, "%s: found %d epochs of %d steps,"
                + " allowed are %d steps in all", phase, epochs, stepsOfEpoch, Integer.MAX_VALUE);
        steps = epochs * stepsOfEpoch;
    }

    /**
     * What a phase came to.
     *
     * @param values all parameters' values, flat
     * @param bestEpoch the epoch that they are from
     * @param history one record an epoch
     * @param expertLoad the mean gates by block over the last routed epoch
     * @param stop where it was stopped; empty if it has ended
     */
    record Outcome(float[] values, int bestEpoch, List<EpochRecord> history, Map<String, double[]> expertLoad,
                   Optional<Stop> stop) {

        /** The losses of the epoch that the values are from on held-out rows; none without such rows. */
        double[] bestLosses() {
            return history.stream().filter(e -> e.epoch() == bestEpoch).findFirst()
                    .map(EpochRecord::validationLosses).orElse(new double[0]);
        }
    }

    /**
     * Trains, from the beginning or the latest checkpoint, to the end or an interrupt. Where an interrupt ends it at
     * a = 1, the unfinished epoch counts like a finished one.
     *
     * @param seed decides the order of the rows, what they look like and what is dropped, epoch by epoch
     * @param threads runs the workers
     * @param checkpoints where the state is saved
     * @param interrupts end the training after the step in progress
     */
    Outcome run(Seed seed, ExecutorService threads, PhaseCheckpoints checkpoints, Interrupts interrupts)
            throws Exception {
        int retained = Retention.numbers(phase, recipe, compiler, heldOut, examples.size());
        Optional<Graph> judging = heldOut.judged().length == 0 ? Optional.empty()
                : Optional.of(Judge.graph(compiler, heldOut, retained > 0));
        MemoryEstimate estimate = MemoryEstimate.of(compiler, recipe, microBatch, judging).with(retained)
                .withBank(compiler.qualityRetaining().bytes(compiler.tasks(), examples.size()), checkpoints.wanted())
                .withRows(compiler.tasks(), compiler.heads().members(), paddedBatch(), heldOut.judged().length);
        estimate.check(phase);
        checkpoints.checkRoom(estimate.checkpoint());
        PhaseState state = new PhaseState(phase, compiler, recipe, examples.size(),
                Retention.of(phase, recipe, compiler, heldOut, examples.size()));
        try (ParameterBuffer buffer = new ParameterBuffer(compiler.parameters(), "");
             Steps executors = new Steps(threads, buffer);
             Judge judge = new Judge(phase, compiler, examples, heldOut, buffer, state.retention())) {
            if (!checkpoints.restore(state)) {
                state.begin(judge.losses(state.values()));
            }
            boolean ended;
            try {
                ended = train(state, seed, executors, judge, checkpoints, interrupts);
            } catch (RuntimeException e) {
                checkpoints.keep(state, e);
                throw e;
            }
            checkpoints.save(state);
            if (ended) {
                return state.outcome(Optional.empty());
            }
            Stop stop = new Stop(phase, state.steps(), steps);
            if (state.stepsOfEpoch() > 0 && fade(state.steps()) >= 1) {
                endEpoch(state, judge);
            }
            return state.outcome(Optional.of(stop));
        }
    }

    private void checkArray(String what, long rows, long numbers) {
        EmtalException.check(rows * numbers <= MOST_NUMBERS, "%s: found %s of %d rows with %d numbers each, allowed are"
                + " %d numbers in all; a smaller batch or fewer held-out rows help", phase, what, rows, numbers,
                MOST_NUMBERS);
    }

    /** The rows of a batch of micro-batches that are all full. */
    private long paddedBatch() {
        return ((long) batchSize + microBatch - 1) / microBatch * microBatch;
    }

    /** Trains to the end, or to an interrupt: false then. Whatever happens, the state is whole. */
    private boolean train(PhaseState state, Seed seed, Steps executors, Judge judge, PhaseCheckpoints checkpoints,
                          Interrupts interrupts) {
        Pace pace = new Pace();
        while (state.epochs() < epochs && !patienceIsOver(state)) {
            Epoch epoch = new Epoch(seed.at(state.epochs() + 1), state.stepsOfEpoch());
            while (state.stepsOfEpoch() < stepsOfEpoch) {
                if (interrupts.arrived()) {
                    return false;
                }
                step(state, epoch, executors, pace);
                checkpoints.stepped(state);
            }
            endEpoch(state, judge);
        }
        return true;
    }

    private void endEpoch(PhaseState state, Judge judge) {
        listener.epoch(state.endEpoch(rate(state.steps()), fade(state.steps()), judge));
    }

    private boolean patienceIsOver(PhaseState state) {
        return phase == Phase.PRETRAIN && recipe.patience() > 0 && state.epochsSinceBest() >= recipe.patience();
    }

    private double rate(int step) {
        return recipe.schedule(phase).rate(step, steps);
    }

    private double fade(int step) {
        return compiler.adaptation().fade((double) step / steps);
    }

    /** Takes a step. Nothing of one that fails goes into the state. */
    private void step(PhaseState state, Epoch epoch, Steps executors, Pace pace) {
        long begun = System.nanoTime();
        int step = state.steps() + 1;
        double rate = rate(step);
        double fade = fade(step);
        Batch batch = epoch.batch(state.stepsOfEpoch());
        batch.fill(compiler.losses());
        state.retention().ifPresent(retention -> retention.teach(batch));
        state.retaining().ifPresent(retaining ->
                retaining.teach(batch.labels(), batch.rows(), batch.teacher(), batch.teacherWeight()));
        executors.buffer.set(state.values());
        StepExecutor executor = executors.at(fade);
        StepExecutor.Result result = executor.run(batch, fade, executors.gradient);
        double[] losses = result.losses();
        checkFinite(losses, batch.labels(), step);
        EmtalException.check(state.step(executors.gradient, rate, fade >= 1), "%s, step %d: the gradient is not finite; a"
                + " lower learning rate than %s may help", phase, step, rate);
        state.retaining().ifPresent(retaining ->
                retaining.record(batch.labels(), batch.rows(), batch.logits(), losses));
        state.add(batch.labels(), losses, result.reports(), (System.nanoTime() - begun) * 1e-9,
                executor.inputSeconds());
        listener.step(new StepEvent(phase, step, steps, rate, fade, losses, result.reports(), pace.secondsLeft(step)));
    }

    private void checkFinite(double[] losses, BatchLabels labels, int step) {
        for (int t = 0; t < losses.length; t++) {
            EmtalException.check(labels.count(t) == 0 || Double.isFinite(losses[t]), "%s, step %d, task '%s': the loss is %s;"
                    + " a lower learning rate may help", phase, step, compiler.tasks().task(t).name(), losses[t]);
        }
    }

    /** The batches of one epoch. */
    private final class Epoch {

        private final Seed seed;
        private final int[] rows;
        private final Examples read;
        private final double inputDropout = compiler.backbone().learnsMissing() ? recipe.inputDropout() : 0;

        /**
         * Puts the rows in order.
         *
         * @param seed the epoch's
         * @param stepsDone the number of batches that are not asked for again
         */
        private Epoch(Seed seed, int stepsDone) {
            this.seed = seed;
            rows = recipe.sampler().epoch(heldOut.training(), examples, compiler.tasks().size(), seed.at(ORDER).value());
            read = examples.augmented(seed.at(AUGMENTATION).value())
                    .inOrder(Arrays.copyOfRange(rows, Math.min(stepsDone * batchSize, rows.length), rows.length));
        }

        /** The batch of a step, from 0. */
        private Batch batch(int step) {
            int[] ofStep = Arrays.copyOfRange(rows, step * batchSize, Math.min((step + 1) * batchSize, rows.length));
            Batch.Noise noise = new Batch.Noise(seed.at(NOISE).at(step).value(), inputDropout, recipe.dropout());
            return Batch.of(compiler.tasks(), read, ofStep, noise, heldOut, microBatch);
        }
    }

    /** How fast steps follow each other. */
    private final class Pace {

        private final long begun = System.nanoTime();
        private int first;

        /** The seconds until the phase ends, as far as this run of it can tell. */
        private double secondsLeft(int step) {
            if (first == 0) {
                first = step;
            }
            return (System.nanoTime() - begun) * 1e-9 * (steps - step) / (step - first + 1);
        }
    }

    /** The step with gates while the fade is below 1, and without from then on. */
    private final class Steps implements AutoCloseable {

        private final ExecutorService threads;
        private final ParameterBuffer buffer;
        private final float[] gradient;
        private StepExecutor executor;
        private boolean gated;

        private Steps(ExecutorService threads, ParameterBuffer buffer) {
            this.threads = threads;
            this.buffer = buffer;
            this.gradient = new float[compiler.parameters().stream().mapToInt(p -> p.size()).sum()];
        }

        private StepExecutor at(double fade) {
            boolean wanted = fade < 1;
            if (executor == null || gated != wanted) {
                close();
                executor = new StepExecutor(compiler, wanted, recipe.dropout() > 0, microBatch, recipe.workers(), threads,
                        buffer);
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
}

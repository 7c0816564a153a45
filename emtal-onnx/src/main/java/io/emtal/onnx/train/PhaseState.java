package io.emtal.onnx.train;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.task.BatchLabels;
import io.emtal.onnx.task.RetainingState;
import io.emtal.onnx.task.Task;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;

/** Everything that changes while a phase is trained. What else a step needs follows from the configuration and the seed. */
final class PhaseState {

    private final Phase phase;
    private final List<Task> tasks;
    private final float[] values;
    private final AdamW.State optimizer;
    private final WeightAverage average;
    private final HeadFreezing freezing;
    private final Selection selection;
    private final Optional<RetainingState> retaining;
    private final Optional<Retention> retention;
    private final List<EpochRecord> history = new ArrayList<>();
    private final Map<String, double[]> expertLoad = new LinkedHashMap<>();
    private EpochSums sums;
    private int epochs;
    private int steps;

    /**
     * The state before the first step.
     *
     * @param phase the phase
     * @param compiler parameters, tasks and quality retaining
     * @param recipe the optimiser and the average
     * @param rows the number of all rows
     * @param retention what members of an ensemble learn where a task is past its best; empty for the labels
     */
    PhaseState(Phase phase, NetworkCompiler compiler, Recipe recipe, int rows, Optional<Retention> retention) {
        this.phase = phase;
        this.retention = retention;
        tasks = compiler.tasks().tasks();
        values = ParameterBuffer.initial(compiler.parameters());
        optimizer = recipe.optimizer().start(compiler.parameters());
        average = new WeightAverage(recipe.averageDecay(), values.length);
        freezing = new HeadFreezing(compiler, recipe.headPatience());
        selection = new Selection(values);
        retaining = compiler.qualityRetaining().appliesTo(compiler.tasks())
                ? Optional.of(compiler.qualityRetaining().start(compiler.tasks(), rows)) : Optional.empty();
        sums = new EpochSums(tasks.size());
    }

    /** All parameters' values, flat. */
    float[] values() {
        return values;
    }

    /** The bank of earlier logits; empty where none is kept. */
    Optional<RetainingState> retaining() {
        return retaining;
    }

    /** What members of an ensemble learn where a task is past its best; empty for the labels. */
    Optional<Retention> retention() {
        return retention;
    }

    /** The number of epochs that are finished. */
    int epochs() {
        return epochs;
    }

    /** The number of steps of the epoch that is not. */
    int stepsOfEpoch() {
        return sums.steps();
    }

    /** The number of all steps. */
    int steps() {
        return steps;
    }

    /** Records what the phase starts from, where there are rows to judge it: training need not make it better. */
    void begin(double[] losses) {
        if (losses.length > 0) {
            double[] untrained = new double[tasks.size()];
            Arrays.fill(untrained, Double.NaN);
            add(new EpochRecord(phase, 0, 0, 0, 1, untrained, losses, Double.NaN, 0, 0)
                    .withRetainingWeights(retainingWeights()));
            selection.offer(0, score(losses), values);
        }
    }

    /**
     * Takes a step, unless the gradient is not finite.
     *
     * @param gradient the gradient; what belongs to frozen heads is set to zero
     * @param rate the learning rate
     * @param averaged whether the new values go into the average
     * @return whether the step was taken; nothing has changed otherwise
     */
    boolean step(float[] gradient, double rate, boolean averaged) {
        if (!freezing.step(values, gradient, (v, g) -> Double.isFinite(optimizer.step(v, g, rate)))) {
            return false;
        }
        if (averaged) {
            average.add(values);
        }
        steps++;
        return true;
    }

    /** Adds a step to the epoch's sums. */
    void add(BatchLabels labels, double[] losses, Map<String, double[]> reports, double seconds, double inputSeconds) {
        sums.add(labels, losses, reports, seconds, inputSeconds);
    }

    /**
     * Ends an epoch.
     *
     * @param rate the learning rate of its last step
     * @param fade the fade a of its last step
     * @param judge judges the weights if the fade is 1
     * @return what the epoch came to
     */
    EpochRecord endEpoch(double rate, double fade, Judge judge) {
        long begun = System.nanoTime();
        float[] candidate = average.valuesOr(values);
        double[] judged = fade >= 1 ? judge.losses(candidate) : new double[0];
        epochs++;
        // The blocks report in every routed epoch: the last one overwrites the others.
        expertLoad.putAll(sums.gates());
        if (fade >= 1) {
            selection.offer(epochs, score(judged), candidate);
            retention.ifPresent(r -> r.judge(judged));
        }
        EpochRecord record = new EpochRecord(phase, epochs, steps, rate, fade, sums.means(), judged, sums.entropy(),
                sums.seconds() + (System.nanoTime() - begun) * 1e-9, sums.inputSeconds());
        sums = new EpochSums(tasks.size());
        return add(record.withRetainingWeights(retainingWeights()));
    }

    /** The weight of each task's terms of quality retaining in the next step; none where none is kept. */
    private double[] retainingWeights() {
        return retention.map(Retention::weights).or(() -> retaining.map(state ->
                IntStream.range(0, tasks.size()).mapToDouble(state::weight).toArray())).orElse(new double[0]);
    }

    private EpochRecord add(EpochRecord record) {
        freezing.judge(record.validationLosses());
        EpochRecord complete = record.withFrozenHeads(freezing.frozen());
        history.add(complete);
        return complete;
    }

    /** How many epochs have passed since the one with the best weights. */
    int epochsSinceBest() {
        return epochs - selection.epoch();
    }

    /**
     * What the phase has come to.
     *
     * @param stop where it was stopped; empty if it has ended
     */
    PhaseRun.Outcome outcome(Optional<Stop> stop) {
        return new PhaseRun.Outcome(selection.values(), selection.epoch(), List.copyOf(history), expertLoad, stop);
    }

    /** The mean over the tasks; below every other without held-out rows, so that the last epoch is best. */
    private double score(double[] losses) {
        return losses.length == 0 ? Double.NEGATIVE_INFINITY : TaskMean.of(tasks, losses).orElseThrow();
    }

    /** Writes all of it. */
    void write(StateOutput output) throws IOException {
        output.write(epochs);
        output.write(steps);
        output.write(values);
        optimizer.write(output);
        average.write(output);
        selection.write(output);
        sums.write(output);
        output.write(history.size());
        for (EpochRecord record : history) {
            record.write(output);
        }
        output.write(expertLoad);
        output.write(retaining.isPresent() ? 1 : 0);
        if (retaining.isPresent()) {
            RetainingState.Snapshot snapshot = retaining.get().snapshot();
            output.write(snapshot.bank());
            output.write(snapshot.visits());
            output.write(snapshot.means());
            output.write(snapshot.meanCounts());
            output.write(snapshot.best());
            output.write(snapshot.bestError());
        }
        output.write(retention.isPresent() ? 1 : 0);
        if (retention.isPresent()) {
            retention.get().write(output);
        }
    }

    /**
     * Takes over what was written, into a state before the first step.
     *
     * @throws EmtalException if it is the state of something else
     */
    void read(StateInput input) throws IOException {
        epochs = input.readInt();
        steps = input.readInt();
        input.readInto("weights", values);
        optimizer.read(input);
        average.read(input);
        selection.read(input);
        sums.read(input);
        for (int left = input.length(1); left > 0; left--) {
            add(EpochRecord.read(phase, input));
        }
        // What errors of several tasks are together has not been the same in all versions.
        history.stream().filter(e -> e.epoch() == selection.epoch() && e.validationLosses().length > 0)
                .forEach(e -> selection.judge(TaskMean.of(tasks, e.validationLosses()).orElseThrow(
                        () -> new EmtalException(input.name() + ": found no loss of the best epoch, allowed is one at"
                                + " least"))));
        expertLoad.clear();
        expertLoad.putAll(input.readMap());
        EmtalException.check(input.readInt() == (retaining.isPresent() ? 1 : 0), "%s: found quality retaining in either the"
                + " checkpoint or the training, allowed is both or none", input.name());
        if (retaining.isPresent()) {
            retaining.get().restore(new RetainingState.Snapshot(input.readFloats(), input.readInts(), input.readDoubles(),
                    input.readInts(), input.readFloats(), input.readFloats()));
        }
        int retained = input.version() >= 3 ? input.readInt() : 0;
        EmtalException.check(retained == (retention.isPresent() ? 1 : 0), "%s: found what members of an ensemble said in"
                + " either the checkpoint or the training, allowed is both or none", input.name());
        if (retention.isPresent()) {
            retention.get().read(input);
        }
        input.end();
    }
}

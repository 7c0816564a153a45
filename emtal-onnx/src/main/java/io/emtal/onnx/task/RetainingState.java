package io.emtal.onnx.task;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.task.QualityRetaining.StoreWhen;
import io.emtal.onnx.task.QualityRetaining.Weighting;
import java.util.Arrays;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * What {@link QualityRetaining} remembers during one training: the bank of logits with its visit counts, and the
 * running losses. A step first calls {@link #teach}, which reads, and after its logits are known {@link #record},
 * which writes. Nothing of it depends on micro-batches or threads.
 *
 * <p>Not thread-safe: one thread owns the steps.
 */
public final class RetainingState {

    private static final double FIRST_MEAN = 10;
    private static final int[] NO_ROWS = {};

    private final QualityRetaining settings;
    private final TaskLayout layout;
    /** Columns of a task's logit vectors in the bank; empty for a task that has none there. */
    private final int[][] columns;
    private final int[] firstFloat;
    private final int[] firstClass;
    /** Place of a real task among those that take part, or −1. */
    private final int[] realTask;
    private final int realTasks;

    /** Logit vectors [slots, columns] of each class of each task. */
    private final float[] bank;
    /** How many batches have written a class. */
    private final int[] visits;
    private final double[] means;
    private final int[] meanCounts;
    /** Best prediction and its error of each example, [examples, real tasks]. */
    private final float[] best;
    private final float[] bestError;

    RetainingState(QualityRetaining settings, TaskLayout layout, int examples) {
        this.settings = settings;
        this.layout = layout;
        int tasks = layout.size();
        columns = new int[tasks][];
        firstFloat = new int[tasks + 1];
        firstClass = new int[tasks + 1];
        realTask = new int[tasks];
        int real = 0;
        for (int t = 0; t < tasks; t++) {
            Task task = layout.task(t);
            int classes = classes(settings, task);
            columns[t] = columns(settings, layout, t);
            long floats = firstFloat[t] + (long) classes * settings.slots() * columns[t].length;
            EmtalException.check(floats <= Integer.MAX_VALUE - 8, "task '%s': found %d classes with %d slots of %d"
                    + " logits for quality retaining, allowed are %d numbers in all; fewer slots or none help",
                    task.name(), classes, settings.slots(), columns[t].length, Integer.MAX_VALUE - 8);
            firstFloat[t + 1] = (int) floats;
            firstClass[t + 1] = firstClass[t] + classes;
            realTask[t] = task instanceof RealTask && settings.appliesTo(task) ? real++ : -1;
        }
        realTasks = real;
        bank = new float[firstFloat[tasks]];
        visits = new int[firstClass[tasks]];
        means = new double[tasks];
        Arrays.fill(means, settings.weighting() == Weighting.MEAN_FROM_TEN ? FIRST_MEAN : 0);
        meanCounts = new int[tasks];
        best = new float[Math.multiplyExact(examples, real)];
        bestError = new float[best.length];
        Arrays.fill(bestError, Float.POSITIVE_INFINITY);
    }

    /** How many classes of a task have logit vectors in the bank. */
    private static int classes(QualityRetaining settings, Task task) {
        return !settings.appliesTo(task) || task instanceof RealTask ? 0
                : task instanceof CategoricalTask categorical ? categorical.classes() : 2;
    }

    /** The columns of these vectors. */
    private static int[] columns(QualityRetaining settings, TaskLayout layout, int t) {
        return classes(settings, layout.task(t)) == 0 ? new int[0]
                : layout.task(t) instanceof CategoricalTask ? layout.softmaxColumns(t) : new int[] {layout.offset(t)};
    }

    /** How many bytes the arrays of a state take. */
    static long bytes(QualityRetaining settings, TaskLayout layout, int examples) {
        long bytes = 0;
        for (int t = 0; t < layout.size(); t++) {
            Task task = layout.task(t);
            long classes = classes(settings, task);
            long floats = (long) settings.slots() * columns(settings, layout, t).length;
            bytes += classes * (floats * Float.BYTES + Integer.BYTES);
            bytes += task instanceof RealTask && settings.appliesTo(task) ? 2L * examples * Float.BYTES : 0;
            bytes += Double.BYTES + Integer.BYTES;
        }
        return bytes;
    }

    /**
     * Reads the bank: fills what {@link QualityRetaining#loss} needs for a batch. The teacher holds Σ_j w·p_j, its
     * weight Σ_j w, with w = T² / (B · L̄_t); both are 0 where no slot is filled.
     *
     * @param labels the batch
     * @param rows the training examples of its rows, each below the number of examples; only real tasks need them
     * @param teacher [at least B, C], row after row; overwritten, 0 beyond the batch
     * @param teacherWeight the same shape; overwritten
     * @return what the graph's loss lacks to QR: Σ w·p·log p of the teachers
     */
    public double teach(BatchLabels labels, int[] rows, float[] teacher, float[] teacherWeight) {
        check(labels);
        Arrays.fill(teacher, 0);
        Arrays.fill(teacherWeight, 0);
        double constant = 0;
        for (int t = 0; t < layout.size(); t++) {
            double weight = weight(t) / labels.rows();
            if (realTask[t] >= 0) {
                constant += teachReal(t, labels, rows, weight, teacher, teacherWeight);
            } else if (columns[t].length > 0) {
                double square = settings.temperature() * settings.temperature();
                constant += teachClasses(t, labels, weight * square, teacher, teacherWeight);
            }
        }
        return constant;
    }

    private double teachClasses(int t, BatchLabels labels, double weight, float[] teacher, float[] teacherWeight) {
        int[][] members = members(t, labels);
        double constant = 0;
        double[] sums = new double[columns[t].length];
        for (int label = 0; label < members.length; label++) {
            int filled = filled(t, label);
            if (members[label].length == 0 || filled == 0) {
                continue;
            }
            Arrays.fill(sums, 0);
            double negativeEntropy = 0;
            for (int slot = 0; slot < filled; slot++) {
                negativeEntropy += addProbabilities(t, slot(t, label, slot), sums);
            }
            for (int row : members[label]) {
                for (int i = 0; i < sums.length; i++) {
                    int at = row * layout.columns() + columns[t][i];
                    teacher[at] += (float) (weight * sums[i]);
                    teacherWeight[at] += (float) (weight * filled);
                }
            }
            constant += weight * negativeEntropy * members[label].length;
        }
        return constant;
    }

    /** Adds the probabilities p of one slot and returns Σ p·log p; of a binary task p is that of yes. */
    private double addProbabilities(int t, float[] logits, double[] sums) {
        if (layout.task(t) instanceof BinaryTask) {
            double cool = logits[0] / settings.temperature();
            double p = Math.exp(-Softmax.softplus(-cool));
            sums[0] += p;
            return -p * Softmax.softplus(-cool) - (1 - p) * Softmax.softplus(cool);
        }
        double logSum = Softmax.logSumExp(logits, 0, IntStream.range(0, logits.length).toArray(),
                settings.temperature());
        double negativeEntropy = 0;
        for (int i = 0; i < logits.length; i++) {
            double logP = logits[i] / settings.temperature() - logSum;
            double p = Math.exp(logP);
            sums[i] += p;
            negativeEntropy += p * logP;
        }
        return negativeEntropy;
    }

    private double teachReal(int t, BatchLabels labels, int[] rows, double weight, float[] teacher,
            float[] teacherWeight) {
        double constant = 0;
        for (int row = 0; row < labels.rows(); row++) {
            int i = rows[row] * realTasks + realTask[t];
            if (Task.isLabelled(labels.label(row, t)) && bestError[i] < Float.POSITIVE_INFINITY) {
                int at = row * layout.columns() + layout.offset(t);
                teacher[at] = (float) (weight * best[i]);
                teacherWeight[at] = (float) weight;
                constant += weight * best[i] * best[i] / 2;
            }
        }
        return constant;
    }

    /**
     * Writes after a step. The running mean of a task's loss moves if the batch had a label for it. The mean logits of
     * the batch's examples of a class enter the bank once, with the settings' choice of examples.
     *
     * @param labels the batch
     * @param rows the training examples of its rows, each below the number of examples; only real tasks need them
     * @param logits [at least B, C], row after row; finite
     * @param losses the mean unsmoothed loss of each task, as {@link Losses#means} gives it; NaN for a task without
     *     labelled row
     */
    public void record(BatchLabels labels, int[] rows, float[] logits, double[] losses) {
        check(labels);
        for (int t = 0; t < layout.size(); t++) {
            if (labels.count(t) == 0) {
                continue;
            }
            means[t] = settings.lossDecay() * means[t] + (1 - settings.lossDecay()) * losses[t];
            meanCounts[t]++;
            if (realTask[t] >= 0) {
                recordReal(t, labels, rows, logits);
            } else if (columns[t].length > 0) {
                recordClasses(t, labels, logits);
            }
        }
    }

    private void recordClasses(int t, BatchLabels labels, float[] logits) {
        int[][] members = members(t, labels);
        double[] sums = new double[columns[t].length];
        for (int label = 0; label < members.length; label++) {
            int stored = 0;
            Arrays.fill(sums, 0);
            for (int row : members[label]) {
                int from = row * layout.columns();
                if (settings.storeWhen() == StoreWhen.ALWAYS || isCorrect(t, label, logits, from)) {
                    stored++;
                    for (int i = 0; i < sums.length; i++) {
                        sums[i] += logits[from + columns[t][i]];
                    }
                }
            }
            if (stored == 0) {
                continue;
            }
            int visit = visits[firstClass[t] + label]++;
            int to = floatIndex(t, label, visit % settings.slots());
            double decay = settings.averageDecay();
            for (int i = 0; i < sums.length; i++) {
                bank[to + i] = (float) (decay * bank[to + i] + (1 - decay) * sums[i] / stored);
            }
        }
    }

    /** The rows of each class of a task, ascending. */
    private int[][] members(int t, BatchLabels labels) {
        int[] counts = new int[firstClass[t + 1] - firstClass[t]];
        for (int row = 0; row < labels.rows(); row++) {
            if (Task.isLabelled(labels.label(row, t))) {
                counts[(int) labels.label(row, t)]++;
            }
        }
        int[][] members = new int[counts.length][];
        for (int label = 0; label < counts.length; label++) {
            members[label] = counts[label] == 0 ? NO_ROWS : new int[counts[label]];
        }
        for (int row = labels.rows() - 1; row >= 0; row--) {
            if (Task.isLabelled(labels.label(row, t))) {
                int label = (int) labels.label(row, t);
                members[label][--counts[label]] = row;
            }
        }
        return members;
    }

    private boolean isCorrect(int t, int label, float[] logits, int from) {
        int own = from + layout.offset(t);
        if (layout.task(t) instanceof BinaryTask) {
            return logits[own] > 0 == (label == 1);
        }
        for (int column : columns[t]) {
            if (logits[from + column] > logits[own + label]) {
                return false;
            }
        }
        return true;
    }

    private void recordReal(int t, BatchLabels labels, int[] rows, float[] logits) {
        for (int row = 0; row < labels.rows(); row++) {
            float prediction = logits[row * layout.columns() + layout.offset(t)];
            float error = Math.abs(prediction - labels.label(row, t));
            int i = rows[row] * realTasks + realTask[t];
            if (error < bestError[i]) {
                best[i] = prediction;
                bestError[i] = error;
            }
        }
    }

    /**
     * The running mean of a task's loss, L̄.
     *
     * @param t the task's index
     * @return the mean; NaN before the first label, if it is bias-corrected
     */
    public double runningLoss(int t) {
        return settings.weighting() == Weighting.MEAN_FROM_TEN
                ? means[t]
                : means[t] / (1 - Math.pow(settings.lossDecay(), meanCounts[t]));
    }

    /**
     * The weight of a task's KL terms in the next step, before their sum is divided by the batch's rows: 1/L̄ with its
     * bound, or the constant.
     *
     * @param t the task's index
     * @return the weight; 1/L̄ is taken as 0 before the first label; NaN for a task that takes no part
     */
    public double weight(int t) {
        if (!settings.appliesTo(layout.task(t))) {
            return Double.NaN;
        }
        if (settings.weighting() == Weighting.CONSTANT) {
            return settings.constantWeight();
        }
        return meanCounts[t] == 0 ? 0 : Math.min(1 / runningLoss(t), settings.maximumWeight());
    }

    /**
     * How many batches have written a class of a task.
     *
     * @param t the task's index
     * @param label the class; 0 or 1 of a binary task
     * @return the number; 0 for a task that takes no part
     */
    public int visits(int t, int label) {
        return firstClass[t] == firstClass[t + 1] ? 0 : visits[firstClass[t] + label];
    }

    private int filled(int t, int label) {
        return Math.min(visits(t, label), settings.slots());
    }

    private int floatIndex(int t, int label, int slot) {
        return firstFloat[t] + (label * settings.slots() + slot) * columns[t].length;
    }

    /** The logits in a filled slot, the bias of an average's start corrected. */
    float[] slot(int t, int label, int slot) {
        int from = floatIndex(t, label, slot);
        float[] logits = Arrays.copyOfRange(bank, from, from + columns[t].length);
        if (settings.averageDecay() > 0) {
            double factor = 1 / (1 - Math.pow(settings.averageDecay(), visits(t, label)));
            for (int i = 0; i < logits.length; i++) {
                logits[i] = (float) (logits[i] * factor);
            }
        }
        return logits;
    }

    private void check(BatchLabels labels) {
        EmtalException.check(labels.layout().equals(layout), "quality retaining: found labels of %s, allowed are those"
                + " of %s", labels.layout(), layout);
    }

    /**
     * The state as plain arrays, for a checkpoint.
     *
     * @param bank logit vectors, task by task, class by class, slot by slot
     * @param visits how many batches have written a class, task by task
     * @param means running losses by task, before any correction
     * @param meanCounts how many batches have moved them
     * @param best best predictions of real tasks, [examples, real tasks]; empty where none takes part
     * @param bestError their errors, infinite before the first
     */
    public record Snapshot(float[] bank, int[] visits, double[] means, int[] meanCounts, float[] best,
            float[] bestError) {

        /** Checks that no array is missing. */
        public Snapshot {
            Objects.requireNonNull(bank, "bank");
            Objects.requireNonNull(visits, "visits");
            Objects.requireNonNull(means, "means");
            Objects.requireNonNull(meanCounts, "meanCounts");
            Objects.requireNonNull(best, "best");
            Objects.requireNonNull(bestError, "bestError");
        }
    }

    /**
     * Copies the state.
     *
     * @return the copy
     */
    public Snapshot snapshot() {
        return new Snapshot(bank.clone(), visits.clone(), means.clone(), meanCounts.clone(), best.clone(),
                bestError.clone());
    }

    /**
     * Takes a state over, so that training goes on as if it had not been interrupted.
     *
     * @param snapshot a state of the same settings, tasks and number of examples
     * @throws EmtalException if its arrays have other lengths
     */
    public void restore(Snapshot snapshot) {
        checkLength("bank", snapshot.bank.length, bank.length);
        checkLength("visits", snapshot.visits.length, visits.length);
        checkLength("running losses", snapshot.means.length, means.length);
        checkLength("loss counts", snapshot.meanCounts.length, meanCounts.length);
        checkLength("best predictions", snapshot.best.length, best.length);
        checkLength("best errors", snapshot.bestError.length, bestError.length);
        System.arraycopy(snapshot.bank, 0, bank, 0, bank.length);
        System.arraycopy(snapshot.visits, 0, visits, 0, visits.length);
        System.arraycopy(snapshot.means, 0, means, 0, means.length);
        System.arraycopy(snapshot.meanCounts, 0, meanCounts, 0, meanCounts.length);
        System.arraycopy(snapshot.best, 0, best, 0, best.length);
        System.arraycopy(snapshot.bestError, 0, bestError, 0, bestError.length);
    }

    private static void checkLength(String what, int found, int allowed) {
        EmtalException.check(found == allowed, "quality retaining, %s: found %d numbers, allowed are the %d of the"
                + " same settings, tasks and examples", what, found, allowed);
    }
}

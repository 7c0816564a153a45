package io.emtal.onnx.task;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenancable;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Value;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * The losses of tasks: softmax cross-entropy with label smoothing, sigmoid cross-entropy, and Huber's loss or half the
 * squared error. The total is the sum over tasks of the task's weight times the mean loss of the rows of the batch
 * that have a label for it; {@link #balance} says which weights real tasks have.
 *
 * <p>{@link #fill} computes targets and weights of a whole batch in Java; {@link #loss} writes the loss of any of its
 * rows into the training graph, so micro-batches add up to the batch's loss.
 */
public final class Losses implements Configurable, Provenancable<ConfiguredObjectProvenance> {

    /** Below it the shape of Huber's loss is that of absolute errors, above the largest one that of squares. */
    private static final double SMALLEST_DELTA = 1e-6;
    private static final double LARGEST_DELTA = 1e6;

    /**
     * The threshold by kurtosis. Most targets (a normal distribution has 3, Laplace's 6) are learnt nearly as by
     * absolute errors: rows that do not fit count little. Where single rows are most of the variance they are what is
     * to be predicted, and count more.
     */
    private static final double LEAST_BY_KURTOSIS = 0.3;
    private static final double MOST_BY_KURTOSIS = 1;
    private static final double KURTOSIS_OF_MOST = 18;

    /** A task that a linear map predicts even better counts no more for that. */
    private static final double LEAST_LINEAR_ERROR = 0.1;

    /** The loss of a real task, of the difference d of the logit to the standardised target. */
    public enum RealLoss {
        /** Huber's loss divided by its threshold δ: d²/(2δ) up to δ, beyond it |d| − δ/2. */
        HUBER,
        /** d²/2: half the squared error, Huber's loss of the threshold 1 where d is small. */
        SQUARED
    }

    @Config(description = "Part of a class label's probability that is spread evenly over all classes;"
            + " from 0 up to, not including, 1.")
    private double labelSmoothing = 0.1;

    @Config(description = "Loss of real tasks on standardised targets: HUBER or SQUARED (half the squared error).")
    private RealLoss realLoss = RealLoss.HUBER;

    @Config(description = "Threshold of Huber's loss in standard deviations of the target; 0, the default, for one from"
            + " 0.3 to 1 that grows with the target's kurtosis.")
    private double huberDelta;

    @Config(description = "Whether real predictions are calibrated after the training: right in the mean over the"
            + " training rows, and, of an ensemble, scaled by what its members predict out-of-bag.")
    private boolean calibrated = true;

    @Config(description = "Whether real tasks count by one over the error that a linear map leaves of them, where a backbone"
            + " knows it: what is noise anyway does not drown what can be learnt.")
    private boolean balanced = true;

    @Config(description = "PER_TASK: a softmax per categorical task; JOINT: one over all categorical columns.")
    private HeadScope headScope = HeadScope.PER_TASK;

    /** The default losses. */
    public Losses() {
    }

    private Losses(Builder builder) {
        labelSmoothing = builder.labelSmoothing;
        realLoss = builder.realLoss;
        huberDelta = builder.huberDelta;
        calibrated = builder.calibrated;
        balanced = builder.balanced;
        headScope = builder.headScope;
        check();
    }

    /**
     * Starts from the defaults.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Collects settings; {@link #build} checks them. */
    public static final class Builder {

        private static final Losses DEFAULTS = new Losses();

        private double labelSmoothing = DEFAULTS.labelSmoothing;
        private RealLoss realLoss = DEFAULTS.realLoss;
        private double huberDelta = DEFAULTS.huberDelta;
        private boolean calibrated = DEFAULTS.calibrated;
        private boolean balanced = DEFAULTS.balanced;
        private HeadScope headScope = DEFAULTS.headScope;

        private Builder() {
        }

        /**
         * Sets the label smoothing of categorical tasks.
         *
         * @param labelSmoothing from 0 up to, not including, 1; default 0.1
         * @return this
         */
        public Builder labelSmoothing(double labelSmoothing) {
            this.labelSmoothing = labelSmoothing;
            return this;
        }

        /**
         * Sets the loss of real tasks.
         *
         * @param realLoss default {@link RealLoss#HUBER}
         * @return this
         */
        public Builder realLoss(RealLoss realLoss) {
            this.realLoss = realLoss;
            return this;
        }

        /**
         * Sets the threshold of Huber's loss. The loss is divided by it, so that an error far beyond it counts the same
         * whatever the threshold; for squares without one there is {@link RealLoss#SQUARED}.
         *
         * @param huberDelta in standard deviations of the target, 1e-6 to 1e6; or 0, the default, for an eighteenth of
         *     the kurtosis of the task's training targets, but at least 0.3 and at most 1
         * @return this
         */
        public Builder huberDelta(double huberDelta) {
            this.huberDelta = huberDelta;
            return this;
        }

        /**
         * Sets whether real predictions are calibrated after the training. Those of an ensemble are scaled, or mixed
         * with those of other tasks, by least squares on predictions out-of-bag; then the mean residual over the training
         * rows is added to each real task's bias. The heads take it up. Best left on where errors are squared or
         * predictions summed, off where the targets have outliers that predictions should not follow.
         *
         * @param calibrated default true
         * @return this
         */
        public Builder calibrated(boolean calibrated) {
            this.calibrated = calibrated;
            return this;
        }

        /**
         * Sets whether real tasks count by one over the error that a linear map leaves of them, as {@link #balance} says.
         * It is known of tables of up to 1000 rows that a {@code FeatureEnsemble} learns, for tasks with 20 labels and
         * more. The epoch is still chosen by the tasks' losses as they are.
         *
         * @param balanced default true
         * @return this
         */
        public Builder balanced(boolean balanced) {
            this.balanced = balanced;
            return this;
        }

        /**
         * Sets which columns share a softmax.
         *
         * @param headScope default {@link HeadScope#PER_TASK}
         * @return this
         */
        public Builder headScope(HeadScope headScope) {
            this.headScope = headScope;
            return this;
        }

        /**
         * Makes the losses.
         *
         * @return the losses
         * @throws EmtalException for a setting out of its range
         */
        public Losses build() {
            return new Losses(this);
        }
    }

    @Override
    public void postConfig() {
        try {
            check();
        } catch (EmtalException e) {
            throw new PropertyException(e, "", e.getMessage());
        }
    }

    private void check() {
        EmtalException.check(labelSmoothing >= 0 && labelSmoothing < 1,
                "losses: found labelSmoothing %s, allowed is 0 up to, not including, 1", labelSmoothing);
        EmtalException.check(huberDelta == 0 || huberDelta >= SMALLEST_DELTA && huberDelta <= LARGEST_DELTA,
                "losses: found huberDelta %s, allowed are %s to %s, or 0 for one by the target's kurtosis", huberDelta,
                SMALLEST_DELTA, LARGEST_DELTA);
        EmtalException.check(realLoss != null && headScope != null, "losses: found no realLoss or no headScope");
    }

    /**
     * Whether real predictions are calibrated after the training.
     *
     * @return true for a linear correction and adding the mean residual to the biases
     */
    public boolean calibrated() {
        return calibrated;
    }

    /**
     * The columns of tasks under these losses' head scope.
     *
     * @param tasks the tasks
     * @return the layout
     */
    public TaskLayout layout(List<Task> tasks) {
        return new TaskLayout(tasks, headScope);
    }

    /**
     * Balances the weights of those real tasks of which is known what a linear map leaves: each is divided by that error,
     * or by 0.1 if it is less, and then all by what keeps their sum. So losses of absolute errors count as the tasks' joint
     * likelihood has them, with an error for the scale of each one's noise (Kendall, Gal and Cipolla 2018,
     * arXiv 1705.07115, there for squares and scales that are learnt).
     *
     * @param tasks the tasks
     * @param linearErrors of tasks by name, relative to that of the mean; those of other tasks are not known
     * @return the tasks with other weights, or as they are if they are not to be balanced, or fewer than two can be
     */
    public TaskLayout balance(TaskLayout tasks, Map<String, Double> linearErrors) {
        List<Task> known = tasks.learnt().stream()
                .filter(task -> task instanceof RealTask && linearErrors.containsKey(task.name())).toList();
        if (!balanced || known.size() < 2) {
            return tasks;
        }
        ToDoubleFunction<Task> factor = task -> 1 / Math.max(LEAST_LINEAR_ERROR, linearErrors.get(task.name()));
        double kept = known.stream().mapToDouble(Task::weight).sum()
                / known.stream().mapToDouble(task -> task.weight() * factor.applyAsDouble(task)).sum();
        return new TaskLayout(tasks.tasks().stream().map(task -> task instanceof RealTask real && known.contains(real)
                ? real.weighted(kept * factor.applyAsDouble(real)) : task).toList(), tasks.headScope());
    }

    /**
     * Fills targets and weights of a batch. The weight of a labelled row is the task's weight divided by the number of
     * labelled rows in the whole batch; rows without label and rows of padding have weight 0.
     *
     * @param labels the batch
     * @param targets [at least B, C], row after row; overwritten, 0 beyond the batch
     * @param weights the same shape; overwritten
     */
    public void fill(BatchLabels labels, float[] targets, float[] weights) {
        TaskLayout layout = labels.layout();
        check(layout);
        Arrays.fill(targets, 0);
        Arrays.fill(weights, 0);
        int width = layout.columns();
        for (int t = 0; t < layout.size(); t++) {
            Task task = layout.task(t);
            int offset = layout.offset(t);
            int[] columns = task instanceof CategoricalTask ? layout.softmaxColumns(t) : new int[] {offset};
            for (int row = 0; row < labels.rows(); row++) {
                float label = labels.label(row, t);
                double weight = weight(labels, row, t);
                if (weight == 0) {
                    continue;
                }
                int from = row * width;
                if (task instanceof CategoricalTask) {
                    // Tasks that share a softmax share its row: a distribution mixed by their weights.
                    double sum = jointWeight(labels, row, t);
                    double share = weight / sum;
                    for (int column : columns) {
                        targets[from + column] += (float) (share * labelSmoothing / columns.length);
                        weights[from + column] = (float) sum;
                    }
                    targets[from + offset + (int) label] += (float) (share * (1 - labelSmoothing));
                } else {
                    targets[from + offset] = label;
                    weights[from + offset] = (float) weight;
                }
            }
        }
    }

    /**
     * The probabilities of a task's classes, which can be targets.
     *
     * @param layout the tasks
     * @param task the position of a categorical or binary one; if it is categorical, its softmax is its own
     * @param logits [rows, C]
     * @param targets the same shape; overwritten in the task's columns
     */
    public void probabilities(TaskLayout layout, int task, float[] logits, float[] targets) {
        check(layout);
        int[] columns = layout.softmaxColumns(task);
        for (int row = 0; row < logits.length; row += layout.columns()) {
            if (layout.task(task) instanceof CategoricalTask) {
                double logSum = Softmax.logSumExp(logits, row, columns, 1);
                for (int column : columns) {
                    targets[row + column] = (float) Math.exp(logits[row + column] - logSum);
                }
            } else {
                int own = row + layout.offset(task);
                targets[own] = (float) Math.exp(-Softmax.softplus(-logits[own]));
            }
        }
    }

    private static double weight(BatchLabels labels, int row, int t) {
        return Task.isLabelled(labels.label(row, t)) ? labels.layout().task(t).weight() / labels.count(t) : 0;
    }

    private double jointWeight(BatchLabels labels, int row, int task) {
        if (headScope == HeadScope.PER_TASK) {
            return weight(labels, row, task);
        }
        double sum = 0;
        for (int t = 0; t < labels.layout().size(); t++) {
            if (labels.layout().task(t) instanceof CategoricalTask) {
                sum += weight(labels, row, t);
            }
        }
        return sum;
    }

    /**
     * The mean loss of each task over the batch's labelled rows, without label smoothing and task weight.
     *
     * @param labels the batch
     * @param logits [at least B, C], row after row
     * @return one loss per task; NaN for a task without labelled row
     */
    public double[] means(BatchLabels labels, float[] logits) {
        double[] means = new double[labels.layout().size()];
        addSums(labels, logits, 0, labels.rows(), means);
        for (int t = 0; t < means.length; t++) {
            means[t] /= labels.count(t);
        }
        return means;
    }

    /**
     * Adds the losses of each task over some labelled rows, without label smoothing and task weight.
     *
     * @param labels the batch
     * @param logits [at least B, C], row after row
     * @param from the first row
     * @param to the row behind the last
     * @param sums one a task, added to
     */
    public void addSums(BatchLabels labels, float[] logits, int from, int to, double[] sums) {
        TaskLayout layout = labels.layout();
        check(layout);
        for (int t = 0; t < sums.length; t++) {
            Task task = layout.task(t);
            int[] columns = task instanceof CategoricalTask ? layout.softmaxColumns(t) : null;
            for (int row = from; row < to; row++) {
                float label = labels.label(row, t);
                if (Task.isLabelled(label)) {
                    int start = row * layout.columns();
                    int own = start + layout.offset(t);
                    sums[t] += task instanceof CategoricalTask
                            ? Softmax.logSumExp(logits, start, columns, 1) - logits[own + (int) label]
                            : task instanceof BinaryTask
                            ? Softmax.softplus(logits[own]) - label * (double) logits[own]
                            : realLoss((RealTask) task, logits[own] - (double) label);
                }
            }
        }
    }

    private double realLoss(RealTask task, double difference) {
        if (realLoss == RealLoss.SQUARED) {
            return difference * difference / 2;
        }
        double delta = delta(task);
        double size = Math.abs(difference);
        return size <= delta ? difference * difference / (2 * delta) : size - delta / 2;
    }

    private double delta(RealTask task) {
        return huberDelta > 0 ? huberDelta
                : Math.max(LEAST_BY_KURTOSIS, Math.min(MOST_BY_KURTOSIS, task.kurtosis() / KURTOSIS_OF_MOST));
    }

    /**
     * Writes the loss of rows: with W the weights and Y the targets of {@link #fill}, the sum over rows and columns of
     * −W·Y·log softmax(z) for categorical, W·(softplus(z) − Y·z) for binary and W·h(z − Y) for real columns.
     *
     * @param graph where
     * @param layout the tasks
     * @param logits z, [B, C]
     * @param targets Y, [B, C]
     * @param weights W, [B, C]
     * @return the loss, of shape []
     */
    public Value loss(GraphBuilder graph, TaskLayout layout, Value logits, Value targets, Value weights) {
        check(layout);
        Value sum = null;
        for (ColumnGroup group : layout.groups()) {
            Value z = group.of(graph, logits);
            Value y = group.of(graph, targets);
            Value w = group.of(graph, weights);
            Value losses = switch (group.kind()) {
                case CATEGORICAL -> graph.neg(graph.mul(y, group.logSoftmax(graph, z)));
                case BINARY -> graph.sub(graph.softplus(z), graph.mul(y, z));
                case REAL -> realLoss(graph, layout, graph.sub(z, y));
            };
            Value part = graph.reduceSum(graph.mul(w, losses), false);
            sum = sum == null ? part : graph.add(sum, part);
        }
        return sum;
    }

    /** Of the differences of all real tasks, [B, n]. */
    private Value realLoss(GraphBuilder graph, TaskLayout layout, Value difference) {
        if (realLoss == RealLoss.SQUARED) {
            return graph.mul(graph.mul(difference, difference), 0.5);
        }
        double[] deltas = layout.realTasks().stream().mapToDouble(this::delta).toArray();
        // With c = min(|d|, δ) both branches are c/δ·(|d| − c/2), without a choice and without an overflowing square.
        Value size = graph.abs(difference);
        Value clipped = graph.min(size, graph.vector(deltas));
        Value share = graph.mul(clipped, graph.vector(Arrays.stream(deltas).map(delta -> 1 / delta).toArray()));
        return graph.mul(share, graph.sub(size, graph.mul(clipped, 0.5)));
    }

    private void check(TaskLayout layout) {
        EmtalException.check(layout.headScope() == headScope, "losses: found tasks laid out for head scope %s, allowed is"
                + " %s; Losses.layout makes the right one", layout.headScope(), headScope);
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "Losses");
    }
}

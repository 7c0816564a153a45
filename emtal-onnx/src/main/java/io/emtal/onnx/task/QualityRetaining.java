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

/**
 * Quality Retaining (QR; arXiv 2501.06884): pulls a task that is already good towards logits that it produced when it
 * was good, so that later training of other tasks does not spoil it.
 *
 * <p>A bank keeps the last logits of each class. For an example of class y of task t with logits z, slot j of the bank
 * holding Z, the temperature T, p = softmax(Z/T) and q = softmax(z/T),
 * <pre>
 *   KL_j = T² Σ_c p_c · log(p_c / q_c)
 *   QR   = 1/B · Σ over examples, tasks and filled slots of KL_j / L̄_t
 * </pre>
 * where L̄_t is the running mean of the task's unsmoothed loss through the step before. A binary task is the same
 * with the two logits (0, z). Tasks of weight 0 take no part.
 *
 * <p>This class holds the settings; {@link #start} makes the state of one training.
 */
public final class QualityRetaining implements Configurable, Provenancable<ConfiguredObjectProvenance> {

    /** How KL terms of a task are weighted. */
    public enum Weighting {
        /** 1/L̄ with the bias of the running mean's start corrected: this project's default. */
        CORRECTED_MEAN,
        /** 1/L̄ with the running mean started at 10, as in the authors' release. */
        MEAN_FROM_TEN,
        /** The same constant for all tasks: an ablation. */
        CONSTANT
    }

    /** Which logits enter the bank. */
    public enum StoreWhen {
        /** All. */
        ALWAYS,
        /** Those of examples whose prediction was correct. */
        CORRECT
    }

    @Config(description = "Whether Quality Retaining takes place.")
    private boolean enabled = true;

    @Config(description = "Last logit vectors kept of each class; at least 1. Not used with an average.")
    private int slots = 2;

    @Config(description = "Decay of an exponential average of each class's logits, kept instead of the last ones;"
            + " from 0 (none) up to, not including, 1.")
    private double averageDecay = 0;

    @Config(description = "Which logits enter the bank: ALWAYS or CORRECT.")
    private StoreWhen storeWhen = StoreWhen.ALWAYS;

    @Config(description = "Temperature of the distillation; above 0.")
    private double temperature = 2;

    @Config(description = "Weight of a task's terms: CORRECTED_MEAN or MEAN_FROM_TEN (one over its running loss),"
            + " or CONSTANT.")
    private Weighting weighting = Weighting.CORRECTED_MEAN;

    @Config(description = "Decay of the running losses; from 0 up to, not including, 1.")
    private double lossDecay = 0.95;

    @Config(description = "Upper bound of one over the running loss; above 0.")
    private double maximumWeight = 10;

    @Config(description = "The weight when it is constant; at least 0.")
    private double constantWeight = 1;

    @Config(description = "Whether binary tasks take part.")
    private boolean binaryTasks = false;

    @Config(description = "Experimental: whether real tasks take part, each example pulled to its best prediction.")
    private boolean realTasks = false;

    /** The default settings. */
    public QualityRetaining() {
    }

    private QualityRetaining(Builder builder) {
        enabled = builder.enabled;
        slots = builder.slots;
        averageDecay = builder.averageDecay;
        storeWhen = builder.storeWhen;
        temperature = builder.temperature;
        weighting = builder.weighting;
        lossDecay = builder.lossDecay;
        maximumWeight = builder.maximumWeight;
        constantWeight = builder.constantWeight;
        binaryTasks = builder.binaryTasks;
        realTasks = builder.realTasks;
        check();
    }

    /**
     * Training without Quality Retaining.
     *
     * @return the settings
     */
    public static QualityRetaining off() {
        return builder().enabled(false).build();
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

        private static final QualityRetaining DEFAULTS = new QualityRetaining();

        private boolean enabled = DEFAULTS.enabled;
        private int slots = DEFAULTS.slots;
        private double averageDecay = DEFAULTS.averageDecay;
        private StoreWhen storeWhen = DEFAULTS.storeWhen;
        private double temperature = DEFAULTS.temperature;
        private Weighting weighting = DEFAULTS.weighting;
        private double lossDecay = DEFAULTS.lossDecay;
        private double maximumWeight = DEFAULTS.maximumWeight;
        private double constantWeight = DEFAULTS.constantWeight;
        private boolean binaryTasks = DEFAULTS.binaryTasks;
        private boolean realTasks = DEFAULTS.realTasks;

        private Builder() {
        }

        /**
         * Switches it on or off.
         *
         * @param enabled default true
         * @return this
         */
        public Builder enabled(boolean enabled) {
            this.enabled = enabled;
            return this;
        }

        /**
         * Sets how many of a class's last logit vectors are kept.
         *
         * @param slots S, at least 1; default 2
         * @return this
         */
        public Builder slots(int slots) {
            this.slots = slots;
            return this;
        }

        /**
         * Keeps one bias-corrected exponential average per class instead of the last logit vectors.
         *
         * @param decay above 0 and below 1; 0, the default, keeps the last ones
         * @return this
         */
        public Builder averageDecay(double decay) {
            this.averageDecay = decay;
            return this;
        }

        /**
         * Sets which logits enter the bank.
         *
         * @param storeWhen default {@link StoreWhen#ALWAYS}
         * @return this
         */
        public Builder storeWhen(StoreWhen storeWhen) {
            this.storeWhen = storeWhen;
            return this;
        }

        /**
         * Sets the distillation's temperature.
         *
         * @param temperature above 0; default 2
         * @return this
         */
        public Builder temperature(double temperature) {
            this.temperature = temperature;
            return this;
        }

        /**
         * Sets how tasks are weighted.
         *
         * @param weighting default {@link Weighting#CORRECTED_MEAN}
         * @return this
         */
        public Builder weighting(Weighting weighting) {
            this.weighting = weighting;
            return this;
        }

        /**
         * Sets the decay of the running losses.
         *
         * @param lossDecay from 0 up to, not including, 1; default 0.95
         * @return this
         */
        public Builder lossDecay(double lossDecay) {
            this.lossDecay = lossDecay;
            return this;
        }

        /**
         * Sets the upper bound of 1/L̄.
         *
         * @param maximumWeight above 0; default 10
         * @return this
         */
        public Builder maximumWeight(double maximumWeight) {
            this.maximumWeight = maximumWeight;
            return this;
        }

        /**
         * Sets the weight that {@link Weighting#CONSTANT} uses.
         *
         * @param constantWeight at least 0; default 1
         * @return this
         */
        public Builder constantWeight(double constantWeight) {
            this.constantWeight = constantWeight;
            return this;
        }

        /**
         * Sets whether binary tasks take part.
         *
         * @param binaryTasks default false: the bank knows but two classes of a binary task, and pulls all examples of
         *     each to one point; six labels of music were learnt worse with it
         * @return this
         */
        public Builder binaryTasks(boolean binaryTasks) {
            this.binaryTasks = binaryTasks;
            return this;
        }

        /**
         * Sets whether real tasks take part: an extension of this project, no part of the published method. Each
         * example is pulled towards the best prediction that it had, by half the squared difference over L̄.
         *
         * @param realTasks default false
         * @return this
         */
        public Builder realTasks(boolean realTasks) {
            this.realTasks = realTasks;
            return this;
        }

        /**
         * Makes the settings.
         *
         * @return the settings
         * @throws EmtalException for one out of its range
         */
        public QualityRetaining build() {
            return new QualityRetaining(this);
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
        EmtalException.check(slots >= 1, "quality retaining: found %d slots, at least 1 is needed", slots);
        EmtalException.check(averageDecay >= 0 && averageDecay < 1,
                "quality retaining: found averageDecay %s, allowed is 0 up to, not including, 1", averageDecay);
        EmtalException.check(temperature > 0 && Double.isFinite(temperature),
                "quality retaining: found temperature %s, allowed is a finite number above 0", temperature);
        EmtalException.check(lossDecay >= 0 && lossDecay < 1,
                "quality retaining: found lossDecay %s, allowed is 0 up to, not including, 1", lossDecay);
        EmtalException.check(maximumWeight > 0 && Double.isFinite(maximumWeight),
                "quality retaining: found maximumWeight %s, allowed is a finite number above 0", maximumWeight);
        EmtalException.check(constantWeight >= 0 && Double.isFinite(constantWeight),
                "quality retaining: found constantWeight %s, allowed is a finite number of at least 0", constantWeight);
        EmtalException.check(storeWhen != null && weighting != null,
                "quality retaining: found no storeWhen or no weighting");
    }

    /**
     * Whether any of some tasks takes part. If none does, a step needs no teacher.
     *
     * @param layout the tasks
     * @return false if Quality Retaining changes nothing for them
     */
    public boolean appliesTo(TaskLayout layout) {
        return layout.tasks().stream().anyMatch(this::appliesTo);
    }

    boolean appliesTo(Task task) {
        return enabled && task.weight() > 0
                && (task instanceof CategoricalTask || task instanceof BinaryTask && binaryTasks
                || task instanceof RealTask && realTasks);
    }

    /**
     * Makes the state of one training: an empty bank and no running losses.
     *
     * @param layout the tasks
     * @param examples the number of training examples
     * @return the state
     */
    public RetainingState start(TaskLayout layout, int examples) {
        return new RetainingState(this, layout, examples);
    }

    /**
     * How much memory the state of one training takes.
     *
     * @param layout the tasks
     * @param examples the number of training examples
     * @return the bytes of its arrays; 0 if no task takes part
     */
    public long bytes(TaskLayout layout, int examples) {
        return appliesTo(layout) ? RetainingState.bytes(this, layout, examples) : 0;
    }

    /**
     * Writes the part of the loss that depends on the logits: with P the teacher and V its weights of
     * {@link RetainingState#teach}, the sum over rows and columns of −P·log softmax(z/T) for categorical,
     * V·softplus(z/T) − P·z/T for binary, and V·z²/2 − P·z for real columns. What is missing to QR itself has no
     * gradient; {@code teach} returns it.
     *
     * @param graph where
     * @param layout the tasks; {@link #appliesTo(TaskLayout)} holds
     * @param logits z, [B, C]
     * @param teacher P, [B, C]
     * @param teacherWeight V, [B, C]
     * @return the loss, of shape []
     */
    public Value loss(GraphBuilder graph, TaskLayout layout, Value logits, Value teacher, Value teacherWeight) {
        EmtalException.check(appliesTo(layout), "quality retaining: found no task that takes part, one is needed");
        Value sum = null;
        for (ColumnGroup group : layout.groups()) {
            if (group.kind() == ColumnGroup.Kind.BINARY && !binaryTasks
                    || group.kind() == ColumnGroup.Kind.REAL && !realTasks) {
                continue;
            }
            Value z = group.of(graph, logits);
            Value p = group.of(graph, teacher);
            Value losses = switch (group.kind()) {
                case CATEGORICAL -> graph.neg(
                        graph.mul(p, group.logSoftmax(graph, graph.mul(z, 1 / temperature))));
                case BINARY -> {
                    Value cool = graph.mul(z, 1 / temperature);
                    Value v = group.of(graph, teacherWeight);
                    yield graph.sub(graph.mul(v, graph.softplus(cool)), graph.mul(p, cool));
                }
                case REAL -> {
                    Value v = group.of(graph, teacherWeight);
                    yield graph.mul(z, graph.sub(graph.mul(graph.mul(v, z), 0.5), p));
                }
            };
            Value part = graph.reduceSum(losses, false);
            sum = sum == null ? part : graph.add(sum, part);
        }
        return sum;
    }

    int slots() {
        return averageDecay > 0 ? 1 : slots;
    }

    double averageDecay() {
        return averageDecay;
    }

    StoreWhen storeWhen() {
        return storeWhen;
    }

    double temperature() {
        return temperature;
    }

    Weighting weighting() {
        return weighting;
    }

    double lossDecay() {
        return lossDecay;
    }

    double maximumWeight() {
        return maximumWeight;
    }

    double constantWeight() {
        return constantWeight;
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "QualityRetaining");
    }
}

package io.emtal.onnx.train;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenancable;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.task.Losses;

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

/** How a network is trained, whatever is adapted in it: lengths, batches, optimiser, schedule, losses, selection. */
public final class Recipe implements Configurable, Provenancable<ConfiguredObjectProvenance> {

    @Config(description = "The most epochs of dense training that a fresh backbone gets first.")
    private int pretrainEpochs = 200;

    @Config(description = "Epochs of adaptation.")
    private int epochs = 10;

    @Config(description = "Rows of a step; 0 for about a twentieth of the training rows, a power of two from 8 to 256.")
    private int batchSize = 0;

    @Config(description = "Rows that a worker computes at a time; 0 for as many as processors' caches hold the widest"
            + " values of, at most an equal part of the batch for each worker.")
    private int microBatchSize = 0;

    @Config(description = "Threads that compute micro-batches side by side; 0 for one a processor. Results repeat bit by"
            + " bit for the same number of workers and size of micro-batches.")
    private int workers = 0;

    @Config(description = "The optimiser.")
    private AdamW optimizer = new AdamW().withWeightDecay(0.1);

    @Config(description = "The learning rate of dense training: constant after a warm-up, for it ends when the held-out rows"
            + " say so.")
    private CosineSchedule pretrainSchedule = new CosineSchedule(2e-3, 2e-3, 0.01);

    @Config(description = "The learning rate of the adaptation.")
    private CosineSchedule schedule = new CosineSchedule(5e-3, 1e-5, 0.1);

    @Config(description = "The losses of the tasks.")
    private Losses losses = new Losses();

    @Config(description = "The probability that a channel of an attention's or feed-forward network's inner values is"
            + " dropped for a row, in all its tokens.")
    private double dropout = 0;

    @Config(description = "The probability that an input value goes missing while it is trained on. Only where the backbone"
            + " learns of missing values.")
    private double inputDropout = 0;

    @Config(description = "Decay per step of the average of the weights that is kept instead of the last; 0 for the last.")
    private double averageDecay = 0.98;

    @Config(description = "The fraction of the training rows that is held out to choose the best epoch, of each member of an"
            + " ensemble another; 0 for none, the last epoch is taken then.")
    private double validationFraction = 0.125;

    @Config(description = "The fraction of the training rows that tests the finished network: they are neither trained on nor"
            + " choose an epoch.")
    private double testFraction = 0;

    @Config(description = "The fraction that is held out where the backbone is pre-trained: the adaptation has a fixed"
            + " length, and every row counts.")
    private double pretrainedValidationFraction = 0;

    @Config(description = "Epochs without improvement on the held-out rows after which dense training stops; 0 for never.")
    private int patience = 24;

    @Config(description = "Which rows an epoch has, in which order.")
    private Sampler sampler = new ShuffleSampler();

    @Config(description = "Epochs without improvement of a task's own loss on the held-out rows after which its head is no"
            + " longer updated; 0 for never.")
    private int headPatience = 0;

    @Config(description = "Whether the members of an ensemble learn, where all tasks are classes, of one whose loss on the held-out"
            + " rows is larger than it has been, what they said themselves when it was smallest: in the dense training of up to"
            + " 20,000 rows.")
    private boolean retained = true;

    /** For OLCUT, and the defaults. */
    public Recipe() {
    }

    /**
     * Starts from the defaults.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Sets what differs from the defaults. */
    public static final class Builder {

        private final List<Consumer<Recipe>> settings = new ArrayList<>();

        private Builder() {
        }

        private Builder set(Consumer<Recipe> setting) {
            settings.add(setting);
            return this;
        }

        /**
         * Sets the epochs of dense training that a fresh backbone gets first.
         *
         * @param pretrainEpochs 1 or more
         * @return this builder
         */
        public Builder pretrainEpochs(int pretrainEpochs) {
            return set(made -> made.pretrainEpochs = pretrainEpochs);
        }

        /**
         * Sets the epochs of adaptation.
         *
         * @param epochs 1 or more
         * @return this builder
         */
        public Builder epochs(int epochs) {
            return set(made -> made.epochs = epochs);
        }

        /**
         * Sets the rows of a step.
         *
         * @param batchSize 1 or more; 0 for about a twentieth of the training rows, a power of two from 8 to 256
         * @return this builder
         */
        public Builder batchSize(int batchSize) {
            return set(made -> made.batchSize = batchSize);
        }

        /**
         * Sets the rows that a worker computes at a time.
         *
         * @param microBatchSize 1 or more; 0 for as many as processors' caches hold the widest values of, at most an
         *     equal part of the batch for each worker
         * @return this builder
         */
        public Builder microBatchSize(int microBatchSize) {
            return set(made -> made.microBatchSize = microBatchSize);
        }

        /**
         * Sets the number of threads.
         *
         * @param workers 1 or more; 0 for one a processor
         * @return this builder
         */
        public Builder workers(int workers) {
            return set(made -> made.workers = workers);
        }

        /**
         * Sets the optimiser.
         *
         * @param optimizer the optimiser
         * @return this builder
         */
        public Builder optimizer(AdamW optimizer) {
            Objects.requireNonNull(optimizer, "optimizer");
            return set(made -> made.optimizer = optimizer);
        }

        /**
         * Sets the learning rate of the dense training of a fresh backbone. Where few epochs are trained, a transformer of
         * images learns more with a longer warm-up than that of the default, which is two epochs of 200.
         *
         * @param schedule the schedule over the most epochs
         * @return this builder
         */
        public Builder pretrainSchedule(CosineSchedule schedule) {
            Objects.requireNonNull(schedule, "schedule");
            return set(made -> made.pretrainSchedule = schedule);
        }

        /**
         * Sets the learning rate of the adaptation.
         *
         * @param schedule the schedule
         * @return this builder
         */
        public Builder schedule(CosineSchedule schedule) {
            Objects.requireNonNull(schedule, "schedule");
            return set(made -> made.schedule = schedule);
        }

        /**
         * Sets the losses of the tasks.
         *
         * @param losses the losses
         * @return this builder
         */
        public Builder losses(Losses losses) {
            Objects.requireNonNull(losses, "losses");
            return set(made -> made.losses = losses);
        }

        /**
         * Sets the dropout of channels.
         *
         * @param dropout the probability, 0 up to, not including, 1
         * @return this builder
         */
        public Builder dropout(double dropout) {
            return set(made -> made.dropout = dropout);
        }

        /**
         * Sets how often input values go missing while they are trained on.
         *
         * @param inputDropout the probability, 0 up to, not including, 1
         * @return this builder
         */
        public Builder inputDropout(double inputDropout) {
            return set(made -> made.inputDropout = inputDropout);
        }

        /**
         * Keeps an exponential average of the weights.
         *
         * @param averageDecay the decay per step, 0 up to, not including, 1; 0 keeps the last weights
         * @return this builder
         */
        public Builder averageDecay(double averageDecay) {
            return set(made -> made.averageDecay = averageDecay);
        }

        /**
         * Holds rows out to choose the best epoch; at most 20,000 of them, drawn at random, do so. Of an ensemble of M each
         * member does without one part of 2 to M equal ones, whichever number comes nearest; of 2 to M/2 where numbers
         * and classes are learnt together.
         *
         * @param validationFraction from 0 for none, up to, not including, 1; by default an eighth for a fresh backbone,
         *     none for a pre-trained one
         * @return this builder
         */
        public Builder validationFraction(double validationFraction) {
            return set(made -> {
                made.validationFraction = validationFraction;
                made.pretrainedValidationFraction = validationFraction;
            });
        }

        /**
         * Sets how many rows test the finished network; the others are trained on as they would have been alone. Rows that
         * choose an epoch do not tell which of two networks is better: it is chosen to suit them, and the blocks that the
         * members of an ensemble share learn of every row, more so in larger networks. A fresh
         * backbone takes its statistics from the others, too; only the means and deviations of real tasks are of all rows.
         *
         * @param testFraction from 0 for none, up to, not including, 1
         * @return this builder
         */
        public Builder testFraction(double testFraction) {
            return set(made -> made.testFraction = testFraction);
        }

        /**
         * Stops early.
         *
         * @param patience epochs without improvement on the held-out rows; 0 for never
         * @return this builder
         */
        public Builder patience(int patience) {
            return set(made -> made.patience = patience);
        }

        /**
         * Sets which rows an epoch has.
         *
         * @param sampler chooses them
         * @return this builder
         */
        public Builder sampler(Sampler sampler) {
            Objects.requireNonNull(sampler, "sampler");
            return set(made -> made.sampler = sampler);
        }

        /**
         * Freezes the heads of tasks that have come to their best.
         *
         * @param headPatience epochs without improvement of a task's own loss on the held-out rows; 0 for never
         * @return this builder
         */
        public Builder headPatience(int headPatience) {
            return set(made -> made.headPatience = headPatience);
        }

        /**
         * Retains tasks at their best in the dense training of an ensemble, where all are classes, while others go on: of
         * one whose loss on the held-out rows is larger than it has been, each member learns the probabilities that it gave
         * itself when that loss was smallest, instead of the labels. That is so for up to 20,000 training rows, if
         * 2<sup>24</sup> numbers hold what all members say of them, and not for categorical tasks that share a softmax.
         *
         * @param retained whether it is done; default true
         * @return this builder
         */
        public Builder retained(boolean retained) {
            return set(made -> made.retained = retained);
        }

        /**
         * Makes the recipe.
         *
         * @return the recipe
         * @throws EmtalException if a value is out of its range
         */
        public Recipe build() {
            Recipe made = new Recipe();
            settings.forEach(setting -> setting.accept(made));
            made.invalid().ifPresent(message -> {
                throw new EmtalException(message);
            });
            return made;
        }
    }

    @Override
    public void postConfig() {
        invalid().ifPresent(message -> {
            throw new PropertyException("", "Recipe", message);
        });
    }

    private Optional<String> invalid() {
        if (optimizer == null || pretrainSchedule == null || schedule == null || losses == null || sampler == null) {
            return Optional.of("Recipe: found no optimizer, pretrainSchedule, schedule, losses or sampler; allowed is"
                    + " one of each");
        }
        if (pretrainEpochs < 1 || epochs < 1) {
            return Optional.of("Recipe: found pretrainEpochs " + pretrainEpochs + ", epochs " + epochs
                    + "; allowed are 1 and more");
        }
        if (batchSize < 0 || microBatchSize < 0 || workers < 0 || patience < 0 || headPatience < 0) {
            return Optional.of("Recipe: found batchSize " + batchSize + ", microBatchSize " + microBatchSize + ", workers "
                    + workers + ", patience " + patience + ", headPatience " + headPatience + "; allowed are 0 and more");
        }
        if (!(averageDecay >= 0 && averageDecay < 1 && dropout >= 0 && dropout < 1 && inputDropout >= 0 && inputDropout < 1
                && validationFraction >= 0 && validationFraction < 1 && testFraction >= 0 && testFraction < 1
                && pretrainedValidationFraction >= 0 && pretrainedValidationFraction < 1)) {
            return Optional.of("Recipe: found averageDecay " + averageDecay + ", validationFraction " + validationFraction
                    + ", pretrainedValidationFraction " + pretrainedValidationFraction + ", testFraction " + testFraction
                    + ", dropout " + dropout + ", inputDropout " + inputDropout
                    + "; allowed are 0 up to, not including, 1");
        }
        return Optional.empty();
    }

    /**
     * The epochs of a phase.
     *
     * @param phase the phase
     * @return 1 or more
     */
    public int epochs(Phase phase) {
        return phase == Phase.PRETRAIN ? pretrainEpochs : epochs;
    }

    /**
     * The number of rows of a step.
     *
     * @param rows the number of training rows, at least 1
     * @return 1 or more, at most the number of training rows
     */
    public int batchSize(int rows) {
        int wanted = batchSize > 0 ? batchSize : Math.max(8, Math.min(256, Integer.highestOneBit(Math.max(1, rows / 20))));
        return Math.min(wanted, rows);
    }

    /**
     * The number of threads.
     *
     * @return 1 or more
     */
    public int workers() {
        return workers > 0 ? workers : Runtime.getRuntime().availableProcessors();
    }

    /**
     * The number of rows that a worker computes at a time. Depends on nothing but the arguments and the recipe.
     *
     * @param batch the rows of a step
     * @param widest the elements that one row has in the network's widest value
     * @return 1 or more
     */
    public int microBatchSize(int batch, long widest) {
        if (microBatchSize > 0) {
            return Math.min(microBatchSize, batch);
        }
        long fitting = RowsAtATime.cached(widest);
        // As many micro-batches for each worker, all of nearly the same size.
        long turns = (batch + fitting * workers() - 1) / (fitting * workers());
        long microBatches = Math.min(batch, turns * workers());
        return (int) ((batch + microBatches - 1) / microBatches);
    }

    /**
     * The optimiser.
     *
     * @return the optimiser
     */
    public AdamW optimizer() {
        return optimizer;
    }

    /**
     * The learning rate over a phase.
     *
     * @param phase the phase
     * @return the schedule
     */
    public CosineSchedule schedule(Phase phase) {
        return phase == Phase.PRETRAIN ? pretrainSchedule : schedule;
    }

    /**
     * The losses of the tasks.
     *
     * @return the losses
     */
    public Losses losses() {
        return losses;
    }

    /**
     * The probability that a channel is dropped.
     *
     * @return 0 for none
     */
    public double dropout() {
        return dropout;
    }

    /**
     * The probability that an input value goes missing.
     *
     * @return 0 for none
     */
    public double inputDropout() {
        return inputDropout;
    }

    /**
     * The decay per step of the average of the weights.
     *
     * @return 0 for no average
     */
    public double averageDecay() {
        return averageDecay;
    }

    /**
     * The fraction of the training rows that a network does without.
     *
     * @param pretrained whether the backbone is pre-trained
     * @return 0 for none
     */
    public double validationFraction(boolean pretrained) {
        return pretrained ? pretrainedValidationFraction : validationFraction;
    }

    /**
     * The fraction of the training rows that tests the finished network.
     *
     * @return 0 for none
     */
    public double testFraction() {
        return testFraction;
    }

    /**
     * Epochs without improvement after which training stops.
     *
     * @return 0 for never
     */
    public int patience() {
        return patience;
    }

    /**
     * Chooses the rows of an epoch.
     *
     * @return the sampler
     */
    public Sampler sampler() {
        return sampler;
    }

    /**
     * Epochs without improvement of a task after which its head is no longer updated.
     *
     * @return 0 for never
     */
    public int headPatience() {
        return headPatience;
    }

    /**
     * Whether tasks are retained at their best in the dense training of an ensemble.
     *
     * @return whether they are
     */
    public boolean retained() {
        return retained;
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "Recipe");
    }
}

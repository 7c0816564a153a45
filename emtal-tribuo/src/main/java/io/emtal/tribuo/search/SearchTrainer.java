package io.emtal.tribuo.search;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.SideBySide;
import io.emtal.tribuo.EmtalModel;
import io.emtal.tribuo.EmtalTrainer;
import org.tribuo.Dataset;
import org.tribuo.Output;
import org.tribuo.Trainer;
import org.tribuo.provenance.TrainerProvenance;
import org.tribuo.provenance.impl.TrainerProvenanceImpl;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.Consumer;

/**
 * Searches configurations of an {@link EmtalTrainer} and gives the mean of networks of the best: successive halving
 * (Jamieson and Talwalkar 2016, arXiv 1502.07943) over the trainer's own configuration and others in which two
 * settings are changed, drawn at random; more are where these are used up.
 *
 * <p>A configuration is judged by the {@link io.emtal.onnx.train.TaskMean} of
 * {@link io.emtal.tribuo.TrainingReport#heldOutErrors} in a few trainings, each of which is tested on a quarter of the
 * rows, the same for all configurations of a rung and others on every rung, and does with the others what the trainer
 * does with all. Of numbers these are root mean squared errors, whatever the loss; cross-entropies are those of the head
 * scope, which cannot be searched therefore.
 *
 * <p>Of twenty scores on a few dozen rows the best one is so by chance. Therefore all trainings so far tell together
 * what each change does, in all configurations that have it; the trainer's own configuration goes on to every rung,
 * and stays the choice unless others are better by more than two standard deviations of what is not known of them.
 *
 * <p>What is chosen is trained on all rows, as the trainer would have done, where several are chosen in turn, and each
 * time with another seed. The model is the {@link EmtalModel#mean} of these networks, which never errs more than they
 * do on average. It takes the memory and time of all its networks; with {@code networks} of 1 the model is that of the
 * best configuration.
 *
 * <p>What early rungs save is trainings, twice as many judging a configuration on each next one. The trainings
 * themselves are whole: one that stops early would be judged at an epoch that is not its best, in favour of high
 * learning rates, and one of a smaller ensemble in favour of wide networks. A training that fails ends its
 * configuration's part in the search, or in the model. By default one is done after another; where there is memory for
 * several, {@code parallelism} says how many are done at a time, which changes the last bits at most: each trains on its
 * part of the processors then, if the trainer leaves their number open.
 *
 * <p>If the trainer has checkpoints, each training has a directory of its own below theirs, and the same search goes on
 * from them after its process has ended: trainings that were done are done at once, and the one that was not goes on.
 *
 * <p>What judged is in the model's provenance under {@value #TRIALS}, which configuration each network is of under
 * {@value #NETWORKS}, and the networks themselves as {@link EmtalModel#mean} says. Repeats bit by bit for the same
 * configuration, number of invocations, number of processors and examples in the same order. Thread-safe.
 *
 * <p>An interrupt ends the search within a step, without a model before the first network has one; after that the model
 * is the mean of the networks that are done, or the first one's best so far. The thread stays interrupted.
 *
 * @param <T> the type of output
 */
public final class SearchTrainer<T extends Output<T>> implements Trainer<T> {

    /** What the list of trainings is called in a model's provenance. */
    public static final String TRIALS = "emtal-search-trials";

    /** What the list of the networks' configurations is called in a model's provenance. */
    public static final String NETWORKS = "emtal-search-networks";

    private static final int MOST_RUNGS = 10;
    private static final int MOST_SPLITS = 1000;
    private static final int MOST_NETWORKS = 100;

    @Config(description = "The trainer whose configuration is searched; its own is the first candidate.")
    private EmtalTrainer<T> trainer = new EmtalTrainer<>();

    @Config(description = "The settings to be searched.")
    private List<Setting> space = new ArrayList<>(tables());

    @Config(description = "The number of configurations that are tried.")
    private int budget = 20;

    @Config(description = "One of so many configurations goes on to the next rung.")
    private int reduction = 3;

    @Config(description = "The number of rungs.")
    private int rungs = 3;

    @Config(description = "How many trainings judge a configuration on the first rung, each on other rows; on each next"
            + " rung twice as many.")
    private int splits = 1;

    @Config(description = "The mean of how many networks, of the best configurations in turn, is the model.")
    private int networks = 3;

    @Config(description = "How many trainings there are at a time; 0 for one a processor. Each takes memory of its own.")
    private int parallelism = 1;

    @Config(description = "Decides which configurations are tried. The networks of the model are trained with the"
            + " trainer's own seed and those that follow it.")
    private long seed = Trainer.DEFAULT_SEED;

    private SearchListener listener = SearchListener.NONE;

    private int invocations;

    /** A search over tables with all defaults. */
    public SearchTrainer() {
    }

    /**
     * What to search on tables, around the defaults of {@link io.emtal.onnx.backbone.FeatureEnsemble}: how strongly to
     * regularise, how fast to learn, how far to follow outliers of targets, how wide and deep to be, how much of what
     * is said is linear, and whether numbers may be encoded piecewise linearly.
     *
     * @return the settings
     */
    public static List<Setting> tables() {
        return List.of(
                Setting.of("recipe.optimizer.weightDecay", "0.01", "0.03", "0.1", "0.3", "1"),
                new Setting(List.of("recipe.pretrainSchedule.peak", "recipe.pretrainSchedule.minimum"),
                        List.of("1e-3", "2e-3", "4e-3", "8e-3")),
                Setting.of("recipe.losses.huberDelta", "0", "0.3", "1"),
                Setting.of("recipe.dropout", "0", "0.1", "0.3"),
                Setting.of("backbone.width", "64", "128"),
                Setting.of("backbone.hidden", "128", "256"),
                Setting.of("backbone.depth", "1", "2", "3"),
                Setting.of("backbone.blockScale", "0.5", "1", "2.5"),
                Setting.of("backbone.bins", "0", "8"));
    }

    /**
     * Starts from the defaults.
     *
     * @param <T> the type of output
     * @return a builder
     */
    public static <T extends Output<T>> Builder<T> builder() {
        return new Builder<>();
    }

    /**
     * Sets what differs from the defaults.
     *
     * @param <T> the type of output
     */
    public static final class Builder<T extends Output<T>> {

        private final List<Consumer<SearchTrainer<T>>> settings = new ArrayList<>();

        private Builder() {
        }

        private Builder<T> set(Consumer<SearchTrainer<T>> setting) {
            settings.add(setting);
            return this;
        }

        /**
         * Sets the trainer whose configuration is searched. Listeners that it has do not hear of the search.
         *
         * @param trainer its own configuration is the first candidate
         * @return this builder
         */
        public Builder<T> trainer(EmtalTrainer<T> trainer) {
            Objects.requireNonNull(trainer, "trainer");
            return set(made -> made.trainer = trainer);
        }

        /**
         * Sets what is searched.
         *
         * @param space the settings
         * @return this builder
         */
        public Builder<T> space(List<Setting> space) {
            List<Setting> copy = List.copyOf(space);
            return set(made -> made.space = copy);
        }

        /**
         * Sets the number of configurations that are tried.
         *
         * @param budget 1 or more
         * @return this builder
         */
        public Builder<T> budget(int budget) {
            return set(made -> made.budget = budget);
        }

        /**
         * Sets how many configurations go on to the next rung.
         *
         * @param reduction one of so many, 2 or more
         * @return this builder
         */
        public Builder<T> reduction(int reduction) {
            return set(made -> made.reduction = reduction);
        }

        /**
         * Sets the number of rungs.
         *
         * @param rungs 1 to 10; with one of them there are two splits or more
         * @return this builder
         */
        public Builder<T> rungs(int rungs) {
            return set(made -> made.rungs = rungs);
        }

        /**
         * Sets how many trainings judge a configuration on the first rung; on each next rung it is twice as many.
         *
         * @param splits 1 to 1000, each on other rows
         * @return this builder
         */
        public Builder<T> splits(int splits) {
            return set(made -> made.splits = splits);
        }

        /**
         * Sets how many networks there are.
         *
         * @param networks the mean of how many is the model, 1 to 100
         * @return this builder
         */
        public Builder<T> networks(int networks) {
            return set(made -> made.networks = networks);
        }

        /**
         * Sets how many trainings there are at a time. Small networks, such as those of tables, keep few processors
         * busy, so that as many trainings as there are processors take much less time together. Each has memory of its
         * own, and takes a part of the processors unless its recipe says how many.
         *
         * @param parallelism 1 or more, or 0 for one a processor
         * @return this builder
         */
        public Builder<T> parallelism(int parallelism) {
            return set(made -> made.parallelism = parallelism);
        }

        /**
         * Sets the seed.
         *
         * @param seed decides which configurations are tried
         * @return this builder
         */
        public Builder<T> seed(long seed) {
            return set(made -> made.seed = seed);
        }

        /**
         * Sets who hears of the progress. It is no part of the configuration.
         *
         * @param listener called on the threads that train
         * @return this builder
         */
        public Builder<T> listener(SearchListener listener) {
            Objects.requireNonNull(listener, "listener");
            return set(made -> made.listener = listener);
        }

        /**
         * Makes the trainer.
         *
         * @return the trainer
         * @throws EmtalException if a number is out of its range, or two settings have the same path
         */
        public SearchTrainer<T> build() {
            SearchTrainer<T> made = new SearchTrainer<>();
            settings.forEach(setting -> setting.accept(made));
            made.invalid().ifPresent(message -> {
                throw new EmtalException(message);
            });
            return made;
        }
    }

    @Override
    public synchronized void postConfig() {
        invalid().ifPresent(message -> {
            throw new PropertyException("", "SearchTrainer", message);
        });
        invocations = 0;
    }

    private Optional<String> invalid() {
        if (budget < 1 || reduction < 2 || splits < 1 || splits > MOST_SPLITS || rungs < 1 || rungs > MOST_RUNGS
                || networks < 1 || networks > MOST_NETWORKS || parallelism < 0) {
            return Optional.of("SearchTrainer: found budget " + budget + ", reduction " + reduction + ", rungs " + rungs
                    + ", splits " + splits + ", networks " + networks + ", parallelism " + parallelism
                    + "; allowed are a budget of 1 and more, a reduction of 2 and more, 1 to " + MOST_RUNGS + " rungs, 1 to "
                    + MOST_SPLITS + " splits, 1 to " + MOST_NETWORKS + " networks, a parallelism of 0 and more");
        }
        if (rungs == 1 && splits == 1) {
            return Optional.of("SearchTrainer: found 1 rung with 1 split; allowed are two splits and more in all: one"
                    + " does not tell what suits any rows from what suits these");
        }
        Set<String> paths = new HashSet<>();
        return space.stream().flatMap(setting -> setting.paths().stream()).filter(path -> !paths.add(path)).findFirst()
                .map(path -> "SearchTrainer: found the path '" + path + "' twice, allowed is one setting for each");
    }

    @Override
    public EmtalModel<T> train(Dataset<T> examples) {
        return train(examples, Map.of());
    }

    @Override
    public EmtalModel<T> train(Dataset<T> examples, Map<String, Provenance> runProvenance) {
        return train(examples, runProvenance, INCREMENT_INVOCATION_COUNT);
    }

    /**
     * Searches and trains.
     *
     * @throws EmtalException if a setting's path leads nowhere, no training succeeds, or the thread is interrupted
     *     before there is a network of the model
     */
    @Override
    public EmtalModel<T> train(Dataset<T> examples, Map<String, Provenance> runProvenance, int invocationCount) {
        TrainerProvenance provenance;
        int invocation;
        synchronized (this) {
            if (invocationCount != INCREMENT_INVOCATION_COUNT) {
                setInvocationCount(invocationCount);
            }
            provenance = getProvenance();
            invocation = invocations++;
        }
        int side = SideBySide.threads(parallelism);
        return new Search<>(examples, invocation, rungs, reduction, splits, networks, side, listener)
                .run(candidates(invocation), runProvenance, provenance);
    }

    /** The trainer as it is, then others that are all different. */
    private List<Candidate> candidates(int invocation) {
        SplittableRandom draws = new SplittableRandom(seed);
        for (int i = 0; i < invocation; i++) {
            draws.split();
        }
        return CandidateDraw.draw(TrainerConfiguration.of(trainer), space, budget, draws.split());
    }

    @Override
    public synchronized int getInvocationCount() {
        return invocations;
    }

    @Override
    public synchronized void setInvocationCount(int invocationCount) {
        EmtalException.check(invocationCount >= 0, "search: found invocation count %d, allowed are 0 and more",
                invocationCount);
        invocations = invocationCount;
    }

    @Override
    public TrainerProvenance getProvenance() {
        return new TrainerProvenanceImpl(this);
    }

    @Override
    public String toString() {
        return "SearchTrainer(trainer=" + trainer + ",space=" + space + ",budget=" + budget
                + ",reduction=" + reduction + ",rungs=" + rungs + ",splits=" + splits + ",networks=" + networks
                + ",parallelism=" + parallelism + ",seed=" + seed + ")";
    }
}

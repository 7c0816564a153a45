package io.emtal.tribuo.comparison;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.onnx.SideBySide;
import io.emtal.onnx.train.Recipe;
import io.emtal.tribuo.EmtalModel;
import io.emtal.tribuo.EmtalTrainer;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskInfo;
import io.emtal.tribuo.multitask.MultiTaskMetrics;
import io.emtal.tribuo.multitask.MultiTaskScorer;
import io.emtal.tribuo.multitask.MultiTaskScores;
import io.emtal.tribuo.multitask.TaskKind;
import io.emtal.tribuo.multitask.TaskValue;
import io.emtal.tribuo.output.MultiTaskTasks;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.MutableDataset;
import org.tribuo.Trainer;
import org.tribuo.dataset.DatasetView;
import org.tribuo.impl.ArrayExample;

import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import java.util.stream.LongStream;

/**
 * Compares one model of all tasks with one model a task. Both are trained on the same rows, the task's own model on
 * those that are labelled for it, by trainers of the same seed; both are judged on the same test rows, those of all
 * folds together. What the trainers differ in is for the caller to decide: by default in nothing but the tasks that
 * they see. A task of a single class in a fold is learnt as a constant by them.
 *
 * <p>A trainer with checkpoints needs a directory that no other training has. The seed does not tell them apart: the
 * trainings of one seed differ in fold and task, and a second one in the directory of a first is refused. A factory
 * that numbers its trainers will do, for all trainers are made before the first training, always in the same order.
 */
public final class TaskComparison {

    private final LongFunction<? extends Trainer<MultiTask>> joint;
    private final LongFunction<? extends Trainer<MultiTask>> separate;
    private final long[] seeds;
    private final Map<TaskKind, MultiTaskMetrics> metrics;
    private final int parallelism;
    private final Consumer<Fit> listener;

    private TaskComparison(Builder builder) {
        parallelism = SideBySide.threads(builder.parallelism);
        joint = builder.joint.orElse(this::defaultTrainer);
        separate = builder.separate.orElse(this::defaultTrainer);
        seeds = builder.seeds.clone();
        metrics = new EnumMap<>(builder.metrics);
        listener = builder.listener;
    }

    /**
     * Rows to train on and rows to judge by.
     *
     * @param train the training rows
     * @param test the test rows
     */
    public record Fold(Dataset<MultiTask> train, Dataset<MultiTask> test) {
    }

    /**
     * A training that is done.
     *
     * @param seed the seed
     * @param fold the fold, from 0
     * @param task the task, or nothing for the model of all
     * @param seconds how long it took to train and to predict
     */
    public record Fit(long seed, int fold, Optional<String> task, double seconds) {
    }

    /** One that leaves others their part of the processors. */
    private Trainer<MultiTask> defaultTrainer(long seed) {
        EmtalTrainer.Builder<MultiTask> trainer = EmtalTrainer.<MultiTask>builder().outputs(new MultiTaskTasks(true))
                .seed(seed);
        if (parallelism > 1) {
            trainer.recipe(Recipe.builder().workers(SideBySide.processorsEach(parallelism)).build());
        }
        return trainer.build();
    }

    /**
     * Starts from the defaults: {@link EmtalTrainer} for both, the seed 1, accuracy for classes and
     * {@link MultiTaskMetrics#RRMSE} for numbers.
     *
     * @return a builder
     */
    public static Builder builder() {
        return new Builder();
    }

    /** Sets what differs from the defaults. */
    public static final class Builder {

        private Optional<LongFunction<? extends Trainer<MultiTask>>> joint = Optional.empty();
        private Optional<LongFunction<? extends Trainer<MultiTask>>> separate = Optional.empty();
        private long[] seeds = {1};
        private final Map<TaskKind, MultiTaskMetrics> metrics = new EnumMap<>(Map.of(
                TaskKind.CATEGORICAL, MultiTaskMetrics.ACCURACY, TaskKind.BINARY, MultiTaskMetrics.ACCURACY,
                TaskKind.REAL, MultiTaskMetrics.RRMSE));
        private int parallelism = 1;
        private Consumer<Fit> listener = fit -> { };

        private Builder() {
        }

        /**
         * Sets what trains the model of all tasks.
         *
         * @param joint makes a trainer from a seed, a new one for each training
         * @return this builder
         */
        public Builder joint(LongFunction<? extends Trainer<MultiTask>> joint) {
            this.joint = Optional.of(joint);
            return this;
        }

        /**
         * Sets what trains the model of one task.
         *
         * @param separate makes a trainer from a seed, a new one for each training
         * @return this builder
         */
        public Builder separate(LongFunction<? extends Trainer<MultiTask>> separate) {
            this.separate = Optional.of(separate);
            return this;
        }

        /**
         * Sets the seeds.
         *
         * @param seeds different ones, at least one
         * @return this builder
         * @throws EmtalException if there are none, or two are equal
         */
        public Builder seeds(long... seeds) {
            EmtalException.check(seeds.length > 0 && LongStream.of(seeds).distinct().count() == seeds.length,
                    "seeds: found %s, allowed is one or more, each once", LongStream.of(seeds).boxed().toList());
            this.seeds = seeds.clone();
            return this;
        }

        /**
         * Sets what tasks are judged by.
         *
         * @param kind a kind of tasks
         * @param metric one of its metrics
         * @return this builder
         * @throws EmtalException if tasks of this kind have no such metric
         */
        public Builder metric(TaskKind kind, MultiTaskMetrics metric) {
            EmtalException.check(MultiTaskMetrics.of(kind).contains(metric),
                    "metric: found %s for %s tasks, allowed are %s", metric, kind, MultiTaskMetrics.of(kind));
            metrics.put(kind, metric);
            return this;
        }

        /**
         * Sets how many trainings there are at a time. Small networks, such as those of tables, keep few processors
         * busy, so that as many trainings as there are processors take much less time together. Each has memory of its
         * own. The trainers of the defaults share the processors; one that is set should have workers accordingly.
         *
         * @param parallelism 1 or more, or 0 for one a processor
         * @return this builder
         * @throws EmtalException if it is negative
         */
        public Builder parallelism(int parallelism) {
            EmtalException.check(parallelism >= 0, "parallelism: found %d, allowed are 0 and more", parallelism);
            this.parallelism = parallelism;
            return this;
        }

        /**
         * Sets who hears of each training.
         *
         * @param listener called after each training, as they end, one at a time
         * @return this builder
         */
        public Builder listener(Consumer<Fit> listener) {
            this.listener = Objects.requireNonNull(listener, "listener");
            return this;
        }

        /**
         * Makes the comparison.
         *
         * @return the comparison
         */
        public TaskComparison build() {
            return new TaskComparison(this);
        }
    }

    /**
     * Compares on one split.
     *
     * @param train the training rows
     * @param test the test rows
     * @return the gains
     * @throws EmtalException if the training rows have no task, a training fails, or the thread is interrupted
     */
    public TaskGains compare(Dataset<MultiTask> train, Dataset<MultiTask> test) {
        return compare(List.of(new Fold(train, test)));
    }

    /**
     * Compares on folds. Their test rows are scored together, each real one against the training mean of its own fold. A
     * task that has no label in a fold has no model of its own there.
     *
     * @param folds one or more
     * @return the gains
     * @throws EmtalException if there is no fold, the training rows have no task, a fold's test rows have one that its
     *     training rows do not have, a training fails, or the thread is interrupted: a training that ended early says
     *     nothing of the tasks
     */
    public TaskGains compare(List<Fold> folds) {
        EmtalException.check(!folds.isEmpty(), "folds: found none, at least one is needed");
        SortedMap<String, TaskKind> kinds = kinds(folds);
        EmtalException.check(!kinds.isEmpty(), "training rows: found no label, at least one is needed");
        List<Training> trainings = trainings(folds);
        List<MultiTaskScorer> scored = SideBySide.all(trainings.stream()
                .<Supplier<MultiTaskScorer>>map(training -> training::scored).toList(), parallelism);
        EmtalException.check(scored.size() == trainings.size(), "comparison: interrupted, there are no gains");
        List<MultiTaskScores> together = new ArrayList<>();
        List<MultiTaskScores> alone = new ArrayList<>();
        for (long seed : seeds) {
            MultiTaskScorer jointScorer = new MultiTaskScorer();
            MultiTaskScorer separateScorer = new MultiTaskScorer();
            for (int i = 0; i < scored.size(); i++) {
                Training training = trainings.get(i);
                if (training.seed == seed) {
                    (training.task.isEmpty() ? jointScorer : separateScorer).add(scored.get(i));
                }
            }
            together.add(jointScorer.scores());
            alone.add(separateScorer.scores());
        }
        List<TaskGain> gains = new ArrayList<>();
        kinds.forEach((task, kind) -> gains.add(gain(task, kind, together, alone)));
        return new TaskGains(LongStream.of(seeds).boxed().toList(), gains);
    }

    private List<Training> trainings(List<Fold> folds) {
        List<Fold> own = folds.stream().map(fold -> new Fold(ownStatistics(fold.train()), fold.test())).toList();
        List<Training> trainings = new ArrayList<>();
        for (long seed : seeds) {
            for (int fold = 0; fold < own.size(); fold++) {
                trainings.add(new Training(joint.apply(seed), seed, fold, Optional.empty(), own.get(fold)));
                for (String task : ((MultiTaskInfo) own.get(fold).train().getOutputInfo()).kinds().keySet()) {
                    trainings.add(new Training(separate.apply(seed), seed, fold, Optional.of(task), own.get(fold)));
                }
            }
        }
        return trainings;
    }

    /** The tasks of all folds, each of which has those that are tested in it. */
    private static SortedMap<String, TaskKind> kinds(List<Fold> folds) {
        SortedMap<String, TaskKind> all = new TreeMap<>();
        for (int fold = 0; fold < folds.size(); fold++) {
            Map<String, TaskKind> trained = new HashMap<>();
            for (Example<MultiTask> example : folds.get(fold).train()) {
                example.getOutput().values().forEach(value -> trained.put(value.task(), value.kind()));
            }
            for (Example<MultiTask> example : folds.get(fold).test()) {
                for (TaskValue value : example.getOutput().values()) {
                    EmtalException.check(trained.containsKey(value.task()), "fold %d, task %s: found a label in the test"
                            + " rows and none in the training rows, allowed is one in both", fold,
                            Quoted.of(value.task()));
                }
            }
            for (Map.Entry<String, TaskKind> task : trained.entrySet()) {
                TaskKind other = all.put(task.getKey(), task.getValue());
                EmtalException.check(other == null || other == task.getValue(), "fold %d, task %s: found a %s one, and a"
                        + " %s one before, allowed is one kind", fold, Quoted.of(task.getKey()), task.getValue(), other);
            }
        }
        return all;
    }

    /** The training of one model on a fold. */
    private final class Training {

        private final Trainer<MultiTask> trainer;
        private final long seed;
        private final int number;
        private final Optional<String> task;
        private final Fold fold;

        private Training(Trainer<MultiTask> trainer, long seed, int number, Optional<String> task, Fold fold) {
            this.trainer = trainer;
            this.seed = seed;
            this.number = number;
            this.task = task;
            this.fold = fold;
        }

        /** Trains, and collects what the model predicts of the test rows. */
        private MultiTaskScorer scored() {
            long begun = System.nanoTime();
            MultiTaskScorer scorer = new MultiTaskScorer();
            try {
                Model<MultiTask> model = trainer.train(rows(fold.train()));
                try {
                    EmtalException.check(!isCutOff(model), "comparison: interrupted in this training, there are no gains");
                    scorer.add(model, model.predict(rows(fold.test())));
                } finally {
                    close(model);
                }
            } catch (EmtalException e) {
                throw new EmtalException("fold " + number + ", seed " + seed + ", "
                        + task.map(name -> "the model of task " + Quoted.of(name)).orElse("the model of all tasks") + ": "
                        + e.getMessage(), e);
            }
            heard(new Fit(seed, number, task, (System.nanoTime() - begun) * 1e-9));
            return scorer;
        }

        private Dataset<MultiTask> rows(Dataset<MultiTask> dataset) {
            return task.map(name -> only(name, dataset)).orElse(dataset);
        }
    }

    private synchronized void heard(Fit fit) {
        listener.accept(fit);
    }

    /** Whether an interrupt may have kept a training from its end, whose model is no match for others then. */
    private static boolean isCutOff(Model<MultiTask> model) {
        return Thread.currentThread().isInterrupted()
                || model instanceof EmtalModel<MultiTask> emtal && emtal.training().stop().isPresent();
    }

    private static void close(Model<MultiTask> model) {
        if (model instanceof AutoCloseable closeable) {
            try {
                closeable.close();
            } catch (Exception e) {
                throw new EmtalException("model " + model.getName() + " cannot be closed: " + e, e);
            }
        }
    }

    /** The statistics of a view are those of what it is a view of, test rows included. */
    private static Dataset<MultiTask> ownStatistics(Dataset<MultiTask> dataset) {
        if (!(dataset instanceof DatasetView)) {
            return dataset;
        }
        MutableDataset<MultiTask> rows = new MutableDataset<>(dataset.getProvenance(), dataset.getOutputFactory());
        dataset.getData().forEach(rows::add);
        return rows;
    }

    /** The rows that are labelled for a task, with this label only. */
    private static Dataset<MultiTask> only(String task, Dataset<MultiTask> dataset) {
        MutableDataset<MultiTask> rows = new MutableDataset<>(dataset.getProvenance(), dataset.getOutputFactory());
        for (int row = 0; row < dataset.size(); row++) {
            Example<MultiTask> example = dataset.getExample(row);
            Optional<TaskValue> value = example.getOutput().value(task);
            if (value.isPresent()) {
                Example<MultiTask> own = new ArrayExample<>(MultiTask.of(List.of(value.get())), example,
                        example.getWeight());
                // Where images are, for one.
                example.getMetadata().forEach(own::setMetadataValue);
                rows.add(own);
            }
        }
        return rows;
    }

    private TaskGain gain(String task, TaskKind kind, List<MultiTaskScores> together, List<MultiTaskScores> alone) {
        MultiTaskMetrics metric = metrics.get(kind);
        List<TaskGain.Score> scores = new ArrayList<>();
        for (int seed = 0; seed < seeds.length; seed++) {
            scores.add(new TaskGain.Score(seeds[seed], together.get(seed).value(metric, task),
                    alone.get(seed).value(metric, task)));
        }
        return new TaskGain(task, kind, metric, together.get(0).labelled(task), scores);
    }
}

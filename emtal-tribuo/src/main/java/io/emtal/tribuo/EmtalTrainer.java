package io.emtal.tribuo;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ListProvenance;
import com.oracle.labs.mlrg.olcut.provenance.ObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.adapt.AdaptationMethod;
import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.BackboneSource;
import io.emtal.onnx.backbone.FeatureEnsemble;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.task.TaskLayout;
import io.emtal.onnx.train.Checkpoints;
import io.emtal.onnx.train.Learner;
import io.emtal.onnx.train.PretrainedNetwork;
import io.emtal.onnx.train.Recipe;
import io.emtal.onnx.train.TrainingListener;
import io.emtal.tribuo.image.ImageAugmentation;
import io.emtal.tribuo.image.ImagePreprocessing;
import io.emtal.tribuo.input.InputEncoder;
import io.emtal.tribuo.output.EncodedOutputs;
import io.emtal.tribuo.output.OutputTasks;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.ImmutableFeatureMap;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.Output;
import org.tribuo.Trainer;
import org.tribuo.dataset.DatasetView;
import org.tribuo.provenance.TrainerProvenance;
import org.tribuo.provenance.impl.TrainerProvenanceImpl;

import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.logging.Logger;

/**
 * Trains a transformer for all outputs of a data set with EMTAL and gives a dense ONNX network as a Tribuo model: for
 * {@link io.emtal.tribuo.multitask.MultiTask}, {@link org.tribuo.multilabel.MultiLabel},
 * {@link org.tribuo.regression.Regressor} and {@link org.tribuo.classification.Label}.
 *
 * <p>Without a pre-trained backbone a fresh one is trained on the same examples first. Features need no scaling: the
 * network scales them with the training examples' statistics. A feature that an example lacks is a missing value.
 * Examples may carry images instead of features, see {@link io.emtal.tribuo.image.ImageTable}.
 *
 * <p>Trains the same model bit by bit for the same configuration, number of invocations and examples in the same order;
 * {@link Dataset#shuffle} is ignored. Thread-safe.
 *
 * @param <T> the type of output
 */
public final class EmtalTrainer<T extends Output<T>> implements Trainer<T> {

    private static final Logger LOGGER = Logger.getLogger(EmtalTrainer.class.getName());

    @Config(description = "Where the transformer comes from.")
    private BackboneSource backbone = FeatureEnsemble.builder().build();

    @Config(description = "How the transformer is adapted to the tasks.")
    private AdaptationMethod method = Emtal.builder().build();

    @Config(description = "How networks are trained.")
    private Recipe recipe = Recipe.builder().build();

    @Config(description = "How outputs become tasks; by default as usual for the type of output.")
    private OutputTasks<T> outputs;

    @Config(description = "What becomes of images before the network reads them.")
    private ImagePreprocessing imagePreprocessing = ImagePreprocessing.builder().build();

    @Config(description = "How training images are varied.")
    private ImageAugmentation imageAugmentation = ImageAugmentation.builder().build();

    @Config(description = "Decides initial values, clustering, the held-out rows, the order of the rows and their"
            + " augmentation.")
    private long seed = Trainer.DEFAULT_SEED;

    @Config(description = "Where trainings are saved on their way, and go on from, the nth of this trainer, from 0, in the"
            + " directory train-n below; nowhere by default.")
    private Checkpoints checkpoints;

    private TrainingListener listener = TrainingListener.NONE;

    private SplittableRandom random;

    private int invocations;

    /** A trainer with all defaults. */
    public EmtalTrainer() {
        postConfig();
    }

    /**
     * Starts from the defaults.
     *
     * @param <T> the type of output
     * @return a builder
     */
    public static <T extends Output<T>> Builder<T> builder() {
        return new Builder<>(new EmtalTrainer<T>());
    }

    /**
     * Starts from this trainer.
     *
     * @return a builder with its settings and its listener
     */
    public Builder<T> toBuilder() {
        return new Builder<>(this);
    }

    /**
     * Sets what differs from the defaults, or from another trainer.
     *
     * @param <T> the type of output
     */
    public static final class Builder<T extends Output<T>> {

        private BackboneSource backbone;
        private AdaptationMethod method;
        private Recipe recipe;
        private OutputTasks<T> outputs;
        private ImagePreprocessing imagePreprocessing;
        private ImageAugmentation imageAugmentation;
        private long seed;
        private Checkpoints checkpoints;
        private TrainingListener listener;

        private Builder(EmtalTrainer<T> start) {
            backbone = start.backbone;
            method = start.method;
            recipe = start.recipe;
            outputs = start.outputs;
            imagePreprocessing = start.imagePreprocessing;
            imageAugmentation = start.imageAugmentation;
            seed = start.seed;
            checkpoints = start.checkpoints;
            listener = start.listener;
        }

        /**
         * Sets where the transformer comes from.
         *
         * @param backbone a fresh or pre-trained backbone
         * @return this builder
         */
        public Builder<T> backbone(BackboneSource backbone) {
            this.backbone = Objects.requireNonNull(backbone, "backbone");
            return this;
        }

        /**
         * Sets how the transformer is adapted.
         *
         * @param method the adaptation method
         * @return this builder
         */
        public Builder<T> method(AdaptationMethod method) {
            this.method = Objects.requireNonNull(method, "method");
            return this;
        }

        /**
         * Sets how networks are trained.
         *
         * @param recipe lengths, batches, optimiser, schedule, losses, selection
         * @return this builder
         */
        public Builder<T> recipe(Recipe recipe) {
            this.recipe = Objects.requireNonNull(recipe, "recipe");
            return this;
        }

        /**
         * Sets how outputs become tasks.
         *
         * @param outputs the tasks of this type of output
         * @return this builder
         */
        public Builder<T> outputs(OutputTasks<T> outputs) {
            this.outputs = Objects.requireNonNull(outputs, "outputs");
            return this;
        }

        /**
         * Sets what becomes of images before the network reads them, where that differs from what the backbone says.
         *
         * @param imagePreprocessing how they are resized and scaled
         * @return this builder
         */
        public Builder<T> imagePreprocessing(ImagePreprocessing imagePreprocessing) {
            this.imagePreprocessing = Objects.requireNonNull(imagePreprocessing, "imagePreprocessing");
            return this;
        }

        /**
         * Sets how training images are varied.
         *
         * @param imageAugmentation what is drawn anew in every epoch
         * @return this builder
         */
        public Builder<T> imageAugmentation(ImageAugmentation imageAugmentation) {
            this.imageAugmentation = Objects.requireNonNull(imageAugmentation, "imageAugmentation");
            return this;
        }

        /**
         * Sets the seed.
         *
         * @param seed decides everything random
         * @return this builder
         */
        public Builder<T> seed(long seed) {
            this.seed = seed;
            return this;
        }

        /**
         * Saves trainings on their way, so that they can go on after the process has ended in whatever way. What the nth
         * training of a trainer saves, from 0, is in the directory {@code train-n} below the given one; the nth training
         * of another trainer of the same configuration goes on from there, on the same examples. There, each adaptation
         * method has a directory of its own.
         *
         * @param checkpoints where and how often
         * @return this builder
         */
        public Builder<T> checkpoints(Checkpoints checkpoints) {
            this.checkpoints = Objects.requireNonNull(checkpoints, "checkpoints");
            return this;
        }

        /**
         * Sets who hears of the progress. It is no part of the configuration.
         *
         * @param listener called on the thread that trains
         * @return this builder
         */
        public Builder<T> listener(TrainingListener listener) {
            this.listener = Objects.requireNonNull(listener, "listener");
            return this;
        }

        /**
         * Makes the trainer.
         *
         * @return the trainer
         */
        public EmtalTrainer<T> build() {
            EmtalTrainer<T> made = new EmtalTrainer<>();
            made.backbone = backbone;
            made.method = method;
            made.recipe = recipe;
            made.outputs = outputs;
            made.imagePreprocessing = imagePreprocessing;
            made.imageAugmentation = imageAugmentation;
            made.seed = seed;
            made.checkpoints = checkpoints;
            made.listener = listener;
            made.postConfig();
            return made;
        }
    }

    /** Called by OLCUT after it has set the configuration. */
    @Override
    public synchronized void postConfig() {
        if (backbone == null || method == null || recipe == null || imagePreprocessing == null
                || imageAugmentation == null) {
            throw new PropertyException("", "EmtalTrainer", "found backbone " + backbone + ", method " + method
                    + ", recipe " + recipe + ", image preprocessing " + imagePreprocessing + ", image augmentation "
                    + imageAugmentation + ", none may be missing");
        }
        random = new SplittableRandom(seed);
        invocations = 0;
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
     * Trains. In a {@link DatasetView}, such as a fold of a cross-validation, a task may have a single class that has more
     * in the whole data set: a constant is learnt for it, with a warning, whatever the outputs are configured to. If the
     * thread is interrupted, that ends within one step: the thread stays interrupted, and the model is the
     * best so far without routers, as its report and its provenance say.
     *
     * @throws EmtalException if the examples are none, lack outputs or features, training fails, or the thread is
     *     interrupted before there is a model
     */
    @Override
    public EmtalModel<T> train(Dataset<T> examples, Map<String, Provenance> runProvenance, int invocationCount) {
        try (Pretraining<T> pretraining = pretrain(examples, invocationCount, method::check)) {
            return pretraining.adapt(method, runProvenance);
        }
    }

    /**
     * Does the part of a training that does not depend on the adaptation method: reads the examples and, without a
     * pre-trained backbone, trains a fresh one. Several methods can adapt the outcome, and each gives the model that
     * {@link #train} of a trainer with this method would have given. Counts as an invocation.
     *
     * @param examples the training examples
     * @return what methods adapt, to be closed after that
     * @throws EmtalException if the examples are none, lack outputs or features, or training fails
     */
    public Pretraining<T> pretrain(Dataset<T> examples) {
        return pretrain(examples, INCREMENT_INVOCATION_COUNT, any -> { });
    }

    private Pretraining<T> pretrain(Dataset<T> dataset, int invocationCount, Consumer<Backbone> check) {
        long unknown = dataset.getOutputInfo().getUnknownCount();
        EmtalException.check(unknown == 0, "data set: found %d examples with an unknown output, allowed is none",
                unknown);
        EmtalException.check(dataset.size() > 0, "data set: found no examples, at least one is needed");
        int invocation;
        long runSeed;
        synchronized (this) {
            if (invocationCount != INCREMENT_INVOCATION_COUNT) {
                setInvocationCount(invocationCount);
            }
            runSeed = random.split().nextLong();
            invocation = invocations++;
        }
        List<Example<T>> examples = new ExampleList<>(dataset);
        ImmutableFeatureMap featureMap = dataset.getFeatureIDMap();
        ImmutableOutputInfo<T> domain = dataset.getOutputIDInfo();
        OutputTasks<T> how = outputs(dataset);
        EncodedOutputs encoded = how.codec(domain).encode(examples);
        InputEncoder inputs = Inputs.of(dataset, examples, backbone, imagePreprocessing, imageAugmentation);
        warn(dataset, encoded);
        SplittableRandom seeds = new SplittableRandom(runSeed);
        Examples rows = Inputs.rows(dataset, examples, inputs, encoded);
        Optional<Checkpoints> saves = checkpoints().map(c -> c.below("train-" + invocation));
        try {
            TaskLayout given = recipe.losses().layout(encoded.tasks().tasks());
            long backboneSeed = seeds.nextLong();
            long trainingSeed = seeds.nextLong();
            Learner learner = new Learner(method, recipe, saves);
            Backbone start = backbone.create(inputs.layout(), given, learner.untested(rows, trainingSeed), backboneSeed);
            check.accept(start);
            TaskLayout tasks = recipe.losses().balance(given, start.linearErrors());
            PretrainedNetwork network = learner.pretrain(start, backbone.pretrained(), tasks, rows, trainingSeed,
                    listener);
            return new Pretraining<>(with -> adapting(with, invocation), recipe, saves, listener, new Pretraining.Data<>(
                    dataset.getProvenance(), featureMap, domain, inputs, how, encoded.rowsWithoutLabel()), start,
                    network, rows);
        } catch (RuntimeException | Error e) {
            rows.close();
            throw e;
        }
    }

    /** Who trains with a method, as provenance tells it: this trainer but for the method, at an invocation. */
    private TrainerProvenance adapting(AdaptationMethod other, int invocation) {
        EmtalTrainer<T> trainer = toBuilder().method(other).build();
        trainer.setInvocationCount(invocation);
        return trainer.getProvenance();
    }

    /** How outputs become tasks. In a view, such as a fold, a class may be missing that the whole data set has. */
    private OutputTasks<T> outputs(Dataset<T> dataset) {
        OutputTasks<T> tasks = tasks(dataset);
        return dataset instanceof DatasetView ? tasks.withConstantTasks() : tasks;
    }

    private OutputTasks<T> tasks(Dataset<T> dataset) {
        Class<T> type = dataset.getOutputFactory().getTypeWitness();
        if (outputs == null) {
            return OutputTasks.of(type);
        }
        Class<?> configured = outputs.factory().getTypeWitness();
        EmtalException.check(configured.equals(type), "data set: found outputs of %s, allowed are those of %s",
                type.getName(), configured.getName());
        return outputs;
    }

    private static void warn(Dataset<?> dataset, EncodedOutputs encoded) {
        ListProvenance<ObjectProvenance> transformations = dataset.getProvenance().getTransformationProvenance();
        if (!transformations.getList().isEmpty()) {
            LOGGER.warning("The features were transformed before training. Scaling them is not needed: the network"
                    + " scales its inputs itself, and cannot tell missing values that were made dense.");
        }
        if (!encoded.constantTasks().isEmpty()) {
            LOGGER.warning("Of the tasks " + encoded.constantTasks() + " the " + encoded.size() + " examples have one class"
                    + " only; constants are learnt for them.");
        }
        if (encoded.rowsWithoutLabel() > 0) {
            LOGGER.warning(encoded.rowsWithoutLabel() + " of " + encoded.size() + " examples have no label for any"
                    + " task; nothing is learnt from them.");
        }
    }

    /**
     * Where trainings are saved on their way.
     *
     * @return empty for nowhere
     */
    public Optional<Checkpoints> checkpoints() {
        return Optional.ofNullable(checkpoints);
    }

    @Override
    public synchronized int getInvocationCount() {
        return invocations;
    }

    @Override
    public synchronized void setInvocationCount(int invocationCount) {
        EmtalException.check(invocationCount >= 0, "trainer: found invocation count %d, allowed are 0 and more",
                invocationCount);
        random = new SplittableRandom(seed);
        for (invocations = 0; invocations < invocationCount; invocations++) {
            random.split();
        }
    }

    @Override
    public TrainerProvenance getProvenance() {
        return new TrainerProvenanceImpl(this);
    }

    @Override
    public String toString() {
        return "EmtalTrainer(backbone=" + backbone.getProvenance() + ",method=" + method.getProvenance() + ",recipe="
                + recipe.getProvenance() + ",seed=" + seed + ")";
    }
}

package io.emtal.onnx.train;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.adapt.Adaptation;
import io.emtal.onnx.adapt.AdaptationMethod;
import io.emtal.onnx.adapt.FullDense;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.RowSubset;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.task.Heads;
import io.emtal.onnx.task.QualityRetaining;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SplittableRandom;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;

/**
 * Trains a backbone for tasks: a fresh one densely first, then the adaptation; merges, and checks the merged network
 * against the training graph on the training rows. Repeats bit by bit for the same seed, workers and micro-batches.
 *
 * <p>Where the adaptation leaves lower blocks as they are, and neither augmentation nor dropout of inputs changes the
 * rows, what these blocks give is computed once for all epochs and kept: in memory, or beyond 256 MiB in a temporary file
 * (system property {@code java.io.tmpdir}). A backbone that no single value cuts there is computed in every step.
 */
public final class Learner {

    /** The largest difference between the logits of training graph and dense network that is accepted. */
    public static final double TOLERANCE = 1e-4;

    private static final int COMPARED_ROWS = 1000;

    /** How much of a frozen prefix lies in memory; beyond it a mapped file is as fast while there is memory to spare. */
    private static final int CACHED_BYTES = 1 << 28;

    // Positions below the seed of a training.
    private static final int HELD_OUT = 0;
    private static final int HEADS = 1;
    private static final int DENSE = 2;
    private static final int METHOD = 3;
    private static final int PRETRAIN = 4;
    private static final int ADAPT = 5;

    private final AdaptationMethod method;
    private final Recipe recipe;
    private final Optional<Checkpoints> checkpoints;
    private final int cachedBytes;

    /**
     * Makes a learner that saves nothing on its way.
     *
     * @param method how a trained backbone is adapted
     * @param recipe how networks are trained
     */
    public Learner(AdaptationMethod method, Recipe recipe) {
        this(method, recipe, Optional.empty());
    }

    /**
     * Makes a learner.
     *
     * @param method how a trained backbone is adapted
     * @param recipe how networks are trained
     * @param checkpoints where the state of a training is saved, and where it goes on from; empty for nowhere
     */
    public Learner(AdaptationMethod method, Recipe recipe, Optional<Checkpoints> checkpoints) {
        this(method, recipe, checkpoints, CACHED_BYTES);
    }

    Learner(AdaptationMethod method, Recipe recipe, Optional<Checkpoints> checkpoints, int cachedBytes) {
        this.method = Objects.requireNonNull(method, "method");
        this.recipe = Objects.requireNonNull(recipe, "recipe");
        this.checkpoints = Objects.requireNonNull(checkpoints, "checkpoints");
        this.cachedBytes = cachedBytes;
    }

    /**
     * Trains.
     *
     * @param start the backbone
     * @param pretrained whether the backbone's weights are trained already; a fresh one is trained densely first
     * @param tasks the tasks; laid out by the recipe's losses
     * @param rows the training rows
     * @param seed decides the held-out rows, initial values, clustering and the order of the rows
     * @param listener hears of the progress
     * @return the dense network; the best so far if the thread is interrupted
     * @throws EmtalException if there is nothing to learn from, a loss is not finite, the thread is interrupted before
     *     there is a network, a checkpoint cannot be written or is of another training, or the dense network differs from
     *     the training graph by more than {@value #TOLERANCE}
     */
    public TrainedNetwork train(Backbone start, boolean pretrained, TaskLayout tasks, Examples rows, long seed,
                                TrainingListener listener) {
        method.check(start);
        return adapt(pretrain(start, pretrained, tasks, rows, seed, listener), listener);
    }

    /**
     * Does the part of a training that does not depend on the method: trains a fresh backbone densely, and takes a
     * pre-trained one as it is.
     *
     * @param start the backbone
     * @param pretrained whether the backbone's weights are trained already
     * @param tasks the tasks; laid out by the recipe's losses
     * @param rows the training rows; the adaptations read them, too
     * @param seed decides the held-out rows, initial values, clustering and the order of the rows, of adaptations, too
     * @param listener hears of the progress
     * @return what learners of the same recipe adapt
     * @throws EmtalException if there is nothing to learn from, a loss is not finite, the thread is interrupted before
     *     there is a network, or a checkpoint cannot be written or is of another training
     */
    public PretrainedNetwork pretrain(Backbone start, boolean pretrained, TaskLayout tasks, Examples rows, long seed,
                                      TrainingListener listener) {
        Seed root = new Seed(seed);
        int[] order = order(rows, root);
        Heads heads = new Heads(tasks, start.pooledWidth(), start.members());
        HeldOut heldOut = HeldOut.of(rows, order, recipe.testFraction(), recipe.validationFraction(pretrained),
                heads.memberWeights());
        checkLabels(tasks, rows, heldOut.training());
        listener.start(tasks);
        List<Parameter> headParameters = heads.parameters(root.at(HEADS).value());
        headParameters.forEach(p -> EmtalException.check(!start.graph().initializers().containsKey(p.name()),
                "task '%s': found an initialiser '%s' in the backbone already, allowed is a task of another name",
                p.task().orElseThrow(), p.name()));
        if (pretrained) {
            return new PretrainedNetwork(recipe, start, heads, headParameters, rows, heldOut, root);
        }
        Adaptation dense = new FullDense().adapt(start, root.at(DENSE).value());
        NetworkCompiler compiler = new NetworkCompiler(start, dense, heads, headParameters, tasks, recipe.losses(),
                QualityRetaining.off());
        PhaseRun.Outcome outcome = running((threads, interrupts) -> {
            try (PhaseCheckpoints saves = PhaseCheckpoints.open(checkpoints, Phase.PRETRAIN, () -> TrainingIdentity.of(
                    Phase.PRETRAIN, start, "dense", recipe, tasks, compiler.parameters(), rows, root))) {
                return new PhaseRun(Phase.PRETRAIN, compiler, recipe, rows, heldOut, listener)
                        .run(root.at(PRETRAIN), threads, saves, interrupts);
            }
        });
        outcome.stop().filter(stop -> outcome.bestEpoch() == 0).ifPresent(this::refuse);
        Map<String, Tensor> values = ParameterBuffer.tensors(compiler.parameters(), outcome.values());
        return new PretrainedNetwork(recipe, dense.merge(start, values::get, 1), heads,
                headParameters.stream().map(p -> p.startingAt(values.get(p.name()))).toList(), rows, heldOut, root,
                outcome.history(), outcome.bestEpoch(), outcome.stop());
    }

    private static int[] order(Examples rows, Seed root) {
        return shuffled(rows.size(), root.at(HELD_OUT).random());
    }

    /**
     * The rows that a training may know: from the others a backbone must take no statistics, or they would not test it.
     *
     * @param rows the training rows
     * @param seed of {@link #pretrain}
     * @return all but those that the recipe's {@link Recipe#testFraction} holds out
     */
    public Examples untested(Examples rows, long seed) {
        return recipe.testFraction() == 0 ? rows
                : new RowSubset(rows, HeldOut.untested(rows, order(rows, new Seed(seed)), recipe.testFraction()));
    }

    /**
     * Adapts what was trained so far, which may be adapted by others, too: each gets what it would have got alone.
     *
     * @param network what {@link #pretrain} of a learner with the same recipe gave
     * @param listener hears of the progress
     * @return the dense network
     * @throws EmtalException if the recipe is another, a loss is not finite, the thread is interrupted, or the dense
     *     network differs from the training graph by more than {@value #TOLERANCE}
     */
    public TrainedNetwork adapt(PretrainedNetwork network, TrainingListener listener) {
        EmtalException.check(network.recipe() == recipe, "adaptation: found a network that was pre-trained by another"
                + " recipe, allowed is one of the same: %s", recipe.getProvenance());
        return running((threads, interrupts) -> network.stop().isPresent() ? asItIs(network, network.stop().get())
                : adapt(network, listener, threads, interrupts));
    }

    private TrainedNetwork adapt(PretrainedNetwork network, TrainingListener listener, ExecutorService threads,
                                 Interrupts interrupts) throws Exception {
        Backbone backbone = network.backbone();
        Examples rows = network.rows();
        Adaptation adaptation = method.adapt(backbone, network.seed().at(METHOD).value());
        NetworkCompiler compiler = new NetworkCompiler(backbone, adaptation, network.heads(), network.headParameters(),
                network.heads().layout(), recipe.losses(), method.qualityRetaining());
        boolean changing = rows.augments() || backbone.learnsMissing() && recipe.inputDropout() > 0;
        Optional<FrozenPrefix> prefix = changing ? Optional.empty() : FrozenPrefix.of(backbone, adaptation);
        // Without a prefix there is nothing to close: the rows are the caller's.
        try (PhaseCheckpoints saves = PhaseCheckpoints.open(checkpoints, Phase.ADAPT, () -> TrainingIdentity.of(Phase.ADAPT,
                     backbone, method.getProvenance().toString(), recipe, compiler.tasks(), compiler.parameters(),
                     rows, network.seed()));
             CachedRows cached = prefix.map(p -> p.compute(rows, recipe.workers(), cachedBytes)).orElse(null)) {
            Training training = new Training(prefix.map(p -> compiler.withBackbone(p.rest())).orElse(compiler),
                    prefix.isPresent() ? cached : rows);
            PhaseRun.Outcome outcome = new PhaseRun(Phase.ADAPT, training.compiler, recipe, training.rows,
                    network.heldOut(), listener).run(network.seed().at(ADAPT), threads, saves, interrupts);
            if (outcome.stop().isPresent() && outcome.bestEpoch() == 0) {
                return asItIs(network, outcome.stop().get());
            }
            List<EpochRecord> history = new ArrayList<>(network.history());
            history.addAll(outcome.history());
            return dense(backbone, training, outcome, rows, network.heldOut(), history);
        }
    }

    /** A network whose adaptation was stopped before it came to anything. */
    private TrainedNetwork asItIs(PretrainedNetwork network, Stop stop) throws Exception {
        if (!network.predicts()) {
            refuse(stop);
        }
        NetworkCompiler compiler = new NetworkCompiler(network.backbone(), new FullDense().adapt(network.backbone(),
                network.seed().at(DENSE).value()), network.heads(), network.headParameters(), network.heads().layout(),
                recipe.losses(), QualityRetaining.off());
        PhaseRun.Outcome outcome = new PhaseRun.Outcome(ParameterBuffer.initial(compiler.parameters()), network.bestEpoch(),
                network.history(), Map.of(), Optional.of(stop));
        return dense(network.backbone(), new Training(compiler, network.rows()), outcome, network.rows(),
                network.heldOut(), network.history());
    }

    private void refuse(Stop stop) {
        throw new EmtalException("training: interrupted in phase " + stop + ", before any epoch at a = 1 was as good as"
                + " the start, so that there is no model yet; "
                + checkpoints.map(c -> "the next training goes on from the checkpoint in " + c.directory())
                .orElse("without checkpoints, the next training starts anew"));
    }

    /** Work that is spread over threads. */
    private interface Work<R> {
        R run(ExecutorService threads, Interrupts interrupts) throws Exception;
    }

    private <R> R running(Work<R> work) {
        ExecutorService threads = Executors.newFixedThreadPool(recipe.workers(), runnable -> {
            Thread thread = new Thread(runnable, "emtal-worker");
            thread.setDaemon(true);
            return thread;
        });
        try (Interrupts interrupts = new Interrupts()) {
            // An interrupt so far must not break off what comes before the first step.
            interrupts.arrived();
            return work.run(threads, interrupts);
        } catch (RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new EmtalException("training failed: " + e.getMessage(), e);
        } finally {
            threads.shutdownNow();
        }
    }

    /** What an adaptation is trained with: all of the backbone on the rows, or the rest of it on a prefix's. */
    private record Training(NetworkCompiler compiler, Examples rows) {
    }

    private TrainedNetwork dense(Backbone backbone, Training trained, PhaseRun.Outcome outcome, Examples rows,
                                 HeldOut heldOut, List<EpochRecord> history) throws Exception {
        NetworkCompiler compiler = trained.compiler;
        List<Parameter> parameters = compiler.parameters();
        int[] compared = Arrays.copyOf(heldOut.training(), Math.min(heldOut.training().length, COMPARED_ROWS));
        int rowsAtATime = compiler.forwardRows();
        Calibration calibration;
        Map<String, Tensor> values;
        Backbone merged;
        double agreement = 0;
        double largest = 0;
        try (ParameterBuffer buffer = new ParameterBuffer(parameters, "");
             Evaluator adapted = new Evaluator(compiler.forward(rowsAtATime), trained.rows, rowsAtATime, buffer.tensors())) {
            calibration = Calibration.of(compiler, trained.rows, heldOut, buffer, adapted, outcome);
            values = ParameterBuffer.tensors(parameters, calibration.values());
            merged = compiler.adaptation().merge(backbone, values::get, 1);
            OnnxMl.ModelProto logits = NetworkCompiler.dense(merged, compiler.heads(), values, "logits", false);
            try (Evaluator dense = new Evaluator(logits, rows, rowsAtATime, merged.input().name())) {
                float[] a = adapted.outputs(compared);
                float[] b = dense.outputs(compared);
                for (int i = 0; i < a.length; i++) {
                    agreement = Math.max(agreement, Math.abs((double) a[i] - b[i]));
                    largest = Math.max(largest, Math.abs(b[i]));
                }
            }
        }
        EmtalException.check(agreement <= TOLERANCE, "merge: the dense network's logits, up to %.3g, differ from the training"
                + " graph's by %.3g on %d rows, allowed is %s; where logits have grown large, a lower learning rate may help",
                largest, agreement, compared.length, TOLERANCE);
        OnnxMl.ModelProto model = NetworkCompiler.dense(merged, compiler.heads(), values, "output", true);
        return new TrainedNetwork(model, compiler.tasks(), history, outcome.bestEpoch(),
                report(compiler, backbone), agreement, calibration.errors(), outcome.expertLoad(), outcome.stop());
    }

    private static ParameterReport report(NetworkCompiler compiler, Backbone backbone) {
        Map<String, Long> trainable = new LinkedHashMap<>();
        compiler.parameters().forEach(p -> trainable.merge(p.part(), (long) p.size(), Long::sum));
        long heads = compiler.headParameters().stream().mapToLong(Parameter::size).sum();
        return new ParameterReport(trainable, backbone.weightCount(), heads);
    }

    private static void checkLabels(TaskLayout tasks, Examples rows, int[] training) {
        EmtalException.check(training.length > 0, "training: found no rows, at least one is needed");
        for (int t = 0; t < tasks.size(); t++) {
            int task = t;
            EmtalException.check(Arrays.stream(training).anyMatch(row -> Task.isLabelled(rows.label(row, task))),
                    "task '%s': found no labelled training row, at least one is needed", tasks.task(t).name());
        }
    }

    private static int[] shuffled(int size, SplittableRandom random) {
        int[] order = IntStream.range(0, size).toArray();
        ShuffleSampler.shuffle(order, random);
        return order;
    }
}

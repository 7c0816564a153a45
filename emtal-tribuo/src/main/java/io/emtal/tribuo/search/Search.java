package io.emtal.tribuo.search;

import com.oracle.labs.mlrg.olcut.provenance.ListProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.IntProvenance;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.SideBySide;
import io.emtal.onnx.train.TaskMean;
import io.emtal.onnx.train.TrainingListener;
import io.emtal.tribuo.EmtalModel;
import io.emtal.tribuo.EmtalTrainer;
import io.emtal.tribuo.TrainingReport;
import org.tribuo.Dataset;
import org.tribuo.Output;
import org.tribuo.provenance.ModelProvenance;
import org.tribuo.provenance.TrainerProvenance;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.DoubleSupplier;
import java.util.function.Supplier;
import java.util.logging.Logger;

/** One search: successive halving over candidates, then the mean of trainings with the best. */
final class Search<T extends Output<T>> {

    /** What part of the rows a training that judges is tested on. */
    private static final String TEST_FRACTION = "0.25";

    private static final String WORKERS = "recipe.workers";

    private static final Logger LOGGER = Logger.getLogger(Search.class.getName());

    private final Dataset<T> examples;
    private final int invocation;
    private final int rungs;
    private final int reduction;
    private final int splits;
    private final int networks;
    private final int parallelism;
    private final SearchListener listener;
    private final List<Trial> trials = new ArrayList<>();

    /**
     * Before the first training.
     *
     * @param examples the training examples
     * @param invocation the invocation of every trainer
     * @param rungs how many rungs there are
     * @param reduction one of so many candidates goes on
     * @param splits how many trainings score a candidate on the first rung, on each next one twice as many
     * @param networks the mean of how many is the model
     * @param parallelism how many trainings there are at a time
     * @param listener hears of the progress
     */
    Search(Dataset<T> examples, int invocation, int rungs, int reduction, int splits, int networks, int parallelism,
           SearchListener listener) {
        this.examples = examples;
        this.invocation = invocation;
        this.rungs = rungs;
        this.reduction = reduction;
        this.splits = splits;
        this.networks = networks;
        this.parallelism = parallelism;
        this.listener = listener;
    }

    /** Searches, and gives the mean of networks of the best candidates, with the search in its provenance. */
    EmtalModel<T> run(List<Candidate> candidates, Map<String, Provenance> runProvenance, TrainerProvenance trainer) {
        List<Network<T>> trained = networks(choice(candidates));
        try (EmtalModel<T> model = EmtalModel.mean(trained.stream().map(Network::model).toList())) {
            ModelProvenance found = model.getProvenance();
            Map<String, Provenance> run = new HashMap<>(runProvenance);
            found.getInstanceProvenance().iterator().forEachRemaining(fact -> run.put(fact.getA(), fact.getB()));
            run.put(SearchTrainer.TRIALS, new ListProvenance<>(trials.stream().map(Trial::provenance).toList()));
            run.put(SearchTrainer.NETWORKS, new ListProvenance<>(trained.stream()
                    .map(network -> new IntProvenance("candidate", network.candidate.number())).toList()));
            return model.copy(model.getName(), new ModelProvenance(found.getClassName(), found.getTrainingTime(),
                    found.getDatasetProvenance(), trainer, run));
        } finally {
            trained.forEach(network -> network.model.close());
        }
    }

    /** A network of the model. */
    private record Network<T extends Output<T>>(Candidate candidate, EmtalModel<T> model) {
    }

    /** A candidate's turn to train a network: the model, or why there is none. */
    private record Turn<T extends Output<T>>(Candidate candidate, EmtalModel<T> model, EmtalException failure) {
    }

    /**
     * Trains candidates in turn, each time with another seed, until there are enough networks. One whose training
     * fails, or that reads examples otherwise than the first one, has no further turn. After an interrupt those that
     * are done by then will do, or the first one as far as it came.
     */
    private List<Network<T>> networks(List<Candidate> best) {
        List<Candidate> going = new ArrayList<>(best);
        List<Network<T>> trained = new ArrayList<>();
        Queue<EmtalModel<T>> made = new ConcurrentLinkedQueue<>();
        try {
            int turns = 0;
            while (trained.isEmpty() || trained.size() < networks && !interrupted() && !going.isEmpty()) {
                List<Supplier<Turn<T>>> work = new ArrayList<>();
                int side = side(networks - trained.size());
                for (int network = trained.size(); network < networks; network++) {
                    Candidate candidate = going.get(turns % going.size());
                    int turn = turns++;
                    int number = network;
                    work.add(() -> turn(candidate, turn, number, side, made));
                }
                take(SideBySide.all(work, side), going, trained);
            }
        } catch (RuntimeException | Error e) {
            made.forEach(EmtalModel::close);
            throw e;
        }
        made.stream().filter(model -> trained.stream().noneMatch(network -> network.model == model))
                .forEach(EmtalModel::close);
        if (trained.size() < networks) {
            LOGGER.warning("The model is the mean of " + trained.size() + " networks instead of " + networks
                    + (interrupted() ? ": the search was interrupted." : ": others could not be trained."));
        }
        return trained;
    }

    private Turn<T> turn(Candidate candidate, int turn, int network, int side, Queue<EmtalModel<T>> made) {
        try {
            EmtalModel<T> model = train(candidate, withSeed(candidate.configuration(), turn), "network-" + turn, side,
                    hearsNetwork(candidate, network));
            made.add(model);
            return new Turn<>(candidate, model, null);
        } catch (EmtalException e) {
            return new Turn<>(candidate, null, e);
        }
    }

    /** Takes the networks that can be of the model; without any, the first one that an interrupt cut off. */
    private void take(List<Turn<T>> turns, List<Candidate> going, List<Network<T>> trained) {
        List<Turn<T>> cutOff = new ArrayList<>();
        EmtalException failure = new EmtalException("search: interrupted before it trained a network");
        for (Turn<T> turn : turns) {
            Optional<EmtalException> failed = Optional.ofNullable(turn.failure).or(() -> difference(turn, trained));
            if (failed.isPresent()) {
                failure = failed.get();
                going.remove(turn.candidate);
                LOGGER.warning("The training of a network of configuration " + turn.candidate.values() + " failed: "
                        + failure.getMessage());
            } else if (turn.model.training().stop().isPresent()) {
                cutOff.add(turn);
            } else {
                trained.add(new Network<>(turn.candidate, turn.model));
            }
        }
        if (trained.isEmpty() && !cutOff.isEmpty()) {
            trained.add(new Network<>(cutOff.get(0).candidate, cutOff.get(0).model));
        }
        if (trained.isEmpty() && (interrupted() || going.isEmpty())) {
            throw failure;
        }
    }

    /** What keeps a network from being of one model with the first one. */
    private static <T extends Output<T>> Optional<EmtalException> difference(Turn<T> turn, List<Network<T>> trained) {
        return trained.stream().findFirst().flatMap(first -> first.model.difference(turn.model))
                .map(what -> new EmtalException("found other " + what + " than the first network has, allowed are the same"));
    }

    // Trainings that are beside each other call the listener one at a time.

    private synchronized void hears(Trial trial) {
        listener.trial(trial);
    }

    private synchronized TrainingListener hearsTraining(Candidate candidate, int rung) {
        return listener.training(candidate.number(), rung);
    }

    private synchronized TrainingListener hearsNetwork(Candidate candidate, int network) {
        return listener.network(candidate.number(), network, networks);
    }

    /** How many of some trainings there are at a time. */
    private int side(int trainings) {
        return Math.min(parallelism, trainings);
    }

    private static void checkNotInterrupted(int rung) {
        EmtalException.check(!interrupted(), "search: interrupted on rung %d, there is no network yet", rung);
    }

    private static boolean interrupted() {
        return Thread.currentThread().isInterrupted();
    }

    /** Goes through the rungs, the trainer's own configuration through all of them, until some can be chosen. */
    private List<Candidate> choice(List<Candidate> candidates) {
        Candidate own = candidates.get(0);
        Evidence evidence = new Evidence(own);
        List<Candidate> going = candidates;
        for (int rung = 0; rung < rungs && going.size() > 1; rung++) {
            List<Candidate> trained = rung(rung, going, evidence);
            int next = Math.max(2, (going.size() + reduction - 1) / reduction);
            going = rung + 1 == rungs ? evidence.choice(trained) : best(next, trained, own, evidence);
        }
        return going;
    }

    /** The trainer's own configuration, if it is among the candidates, and the best of the others. */
    private static List<Candidate> best(int count, List<Candidate> candidates, Candidate own, Evidence evidence) {
        Map<Candidate, Evidence.Estimate> estimates = evidence.estimates(candidates);
        return candidates.stream().sorted(Comparator.comparing((Candidate candidate) -> candidate != own)
                .thenComparingDouble(candidate -> estimates.get(candidate).difference())).limit(count).toList();
    }

    /** Trains candidates, and gives those whose trainings succeeded. */
    private List<Candidate> rung(int rung, List<Candidate> candidates, Evidence evidence) {
        listener.rung(rung, rungs, candidates.size());
        int count = splits << rung;
        // No two rungs hold the same rows out.
        int before = splits * ((1 << rung) - 1);
        int side = side(candidates.size() * count);
        List<Supplier<Judged>> work = new ArrayList<>();
        for (Candidate candidate : candidates) {
            Judged judged = new Judged(candidate, rung, count);
            for (int split = 0; split < count; split++) {
                int position = split;
                work.add(() -> judged.by(position, () -> score(candidate, rung, before + position, side)));
            }
        }
        List<Judged> all = SideBySide.all(work, side);
        checkNotInterrupted(rung);
        List<Candidate> trained = new ArrayList<>();
        for (Judged judged : all.stream().distinct().toList()) {
            Trial trial = judged.trial();
            trials.add(trial);
            for (int split = 0; split < count && trial.failure().isEmpty(); split++) {
                evidence.add(judged.candidate, before + split, judged.scores[split]);
            }
            if (trial.failure().isEmpty()) {
                trained.add(judged.candidate);
            }
        }
        EmtalException.check(!trained.isEmpty(), "search: found none of %d configurations on rung %d that can be"
                + " trained, one is needed; the last failed: %s", candidates.size(), rung,
                trials.get(trials.size() - 1).failure().orElse(""));
        return trained;
    }

    /** The trainings that judge a candidate on a rung. */
    private final class Judged {

        private final Candidate candidate;
        private final int rung;
        private final double[] scores;
        private int left;
        private double seconds;
        private Optional<String> failure = Optional.empty();

        private Judged(Candidate candidate, int rung, int splits) {
            this.candidate = candidate;
            this.rung = rung;
            scores = new double[splits];
            left = splits;
        }

        /** Judges by one training, unless another has failed. The listener hears of all of them after the last one. */
        private Judged by(int split, DoubleSupplier training) {
            long start = System.nanoTime();
            double score = Double.NaN;
            Optional<String> failed = Optional.empty();
            if (!hasFailed()) {
                try {
                    score = training.getAsDouble();
                } catch (EmtalException e) {
                    if (interrupted()) {
                        throw e;
                    }
                    LOGGER.warning("The training of configuration " + candidate.values() + " failed: " + e.getMessage());
                    failed = Optional.of(e.getMessage());
                }
            }
            end(split, score, (System.nanoTime() - start) * 1e-9, failed);
            return this;
        }

        private synchronized boolean hasFailed() {
            return failure.isPresent();
        }

        private synchronized void end(int split, double score, double took, Optional<String> failed) {
            scores[split] = score;
            seconds += took;
            failure = failure.or(() -> failed);
            left--;
            if (left == 0) {
                hears(trial());
            }
        }

        private synchronized Trial trial() {
            return new Trial(candidate.number(), rung, candidate.values(), failure.isPresent() ? Double.NaN
                    : Arrays.stream(scores).average().orElseThrow(), seconds, failure);
        }
    }

    /** The mean error over the tasks on rows that a split holds out. */
    private double score(Candidate candidate, int rung, int split, int side) {
        try (EmtalModel<T> model = train(candidate, tested(candidate.configuration(), split), "split-" + split, side,
                hearsTraining(candidate, rung))) {
            checkNotInterrupted(rung);
            TrainingReport report = model.training();
            double score = TaskMean.of(report.tasks().tasks(), report.heldOutErrors())
                    .orElseThrow(() -> new EmtalException("search: found no label on the quarter of the rows that is held out,"
                            + " at least one is needed there"));
            EmtalException.check(Double.isFinite(score), "search: found the error %s on held-out rows, allowed is a finite"
                    + " one", score);
            return score;
        }
    }

    /**
     * The same, but tested on rows that it does nothing else with. Those that choose its epoch would not do: out-of-bag,
     * the blocks that an ensemble's members share have seen them, and how well an epoch is chosen is judged, too.
     */
    private static TrainerConfiguration tested(TrainerConfiguration configuration, int split) {
        return withSeed(configuration, 1 + split).with("recipe.testFraction", TEST_FRACTION);
    }

    private static TrainerConfiguration withSeed(TrainerConfiguration configuration, int after) {
        return configuration.with("seed", Long.toString(Long.parseLong(configuration.value("seed")) + after));
    }

    /** A trainer that leaves open how many workers it has gets its part of the processors beside others. */
    private static TrainerConfiguration sharing(TrainerConfiguration configuration, int side) {
        boolean open = side > 1 && configuration.value(WORKERS).equals("0");
        int part = SideBySide.processorsEach(side);
        return open ? configuration.with(WORKERS, Integer.toString(part)) : configuration;
    }

    private EmtalModel<T> train(Candidate candidate, TrainerConfiguration configuration, String folder, int side,
                                TrainingListener heard) {
        EmtalTrainer<T> made = sharing(configuration, side).make();
        EmtalTrainer.Builder<T> trainer = made.toBuilder().listener(heard);
        made.checkpoints().map(all -> all.below(candidate.directory()).below(folder)).ifPresent(trainer::checkpoints);
        return trainer.build().train(examples, Map.of(), invocation);
    }
}

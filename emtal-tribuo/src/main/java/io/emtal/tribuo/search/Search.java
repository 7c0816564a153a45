package io.emtal.tribuo.search;

import com.oracle.labs.mlrg.olcut.provenance.ListProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.IntProvenance;
import io.emtal.onnx.EmtalException;
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
import java.util.logging.Logger;

/** One search: successive halving over candidates, then the mean of trainings with the best. */
final class Search<T extends Output<T>> {

    /** What part of the rows a training that judges is tested on. */
    private static final String TEST_FRACTION = "0.25";

    private static final Logger LOGGER = Logger.getLogger(Search.class.getName());

    private final Dataset<T> examples;
    private final int invocation;
    private final int rungs;
    private final int reduction;
    private final int splits;
    private final int networks;
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
     * @param listener hears of the progress
     */
    Search(Dataset<T> examples, int invocation, int rungs, int reduction, int splits, int networks,
           SearchListener listener) {
        this.examples = examples;
        this.invocation = invocation;
        this.rungs = rungs;
        this.reduction = reduction;
        this.splits = splits;
        this.networks = networks;
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

    /**
     * Trains candidates in turn, each time with another seed, until there are enough networks. One whose training
     * fails, or that reads examples otherwise than the first one, has no further turn. After an interrupt those that
     * are done by then will do, or the first one as far as it came.
     */
    private List<Network<T>> networks(List<Candidate> best) {
        List<Candidate> going = new ArrayList<>(best);
        List<Network<T>> trained = new ArrayList<>();
        try {
            for (int i = 0; trained.isEmpty() || trained.size() < networks && !interrupted() && !going.isEmpty(); i++) {
                Candidate candidate = going.get(i % going.size());
                try {
                    add(candidate, i, trained);
                } catch (EmtalException e) {
                    going.remove(candidate);
                    if (trained.isEmpty() && (interrupted() || going.isEmpty())) {
                        throw e;
                    }
                    LOGGER.warning("The training of a network of configuration " + candidate.values() + " failed: "
                            + e.getMessage());
                }
            }
        } catch (RuntimeException | Error e) {
            trained.forEach(network -> network.model.close());
            throw e;
        }
        if (trained.size() < networks) {
            LOGGER.warning("The model is the mean of " + trained.size() + " networks instead of " + networks
                    + (interrupted() ? ": the search was interrupted." : ": others could not be trained."));
        }
        return trained;
    }

    /** Trains a network, and adds it unless it is not the first one and an interrupt cut it off. */
    private void add(Candidate candidate, int i, List<Network<T>> trained) {
        EmtalModel<T> model = train(candidate, withSeed(candidate.configuration(), i), "network-" + i,
                listener.network(candidate.number(), trained.size(), networks));
        Optional<String> difference = trained.stream().findFirst().flatMap(first -> first.model.difference(model));
        if (trained.isEmpty() || difference.isEmpty() && model.training().stop().isEmpty()) {
            trained.add(new Network<>(candidate, model));
            return;
        }
        model.close();
        difference.ifPresent(what -> {
            throw new EmtalException("found other " + what + " than the first network has, allowed are the same");
        });
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
        List<Candidate> trained = new ArrayList<>();
        for (Candidate candidate : candidates) {
            Trial trial = trial(candidate, rung, evidence);
            trials.add(trial);
            listener.trial(trial);
            if (trial.failure().isEmpty()) {
                trained.add(candidate);
            }
        }
        EmtalException.check(!trained.isEmpty(), "search: found none of %d configurations on rung %d that can be"
                + " trained, one is needed; the last failed: %s", candidates.size(), rung,
                trials.get(trials.size() - 1).failure().orElse(""));
        return trained;
    }

    private Trial trial(Candidate candidate, int rung, Evidence evidence) {
        long start = System.nanoTime();
        double[] scores = new double[splits << rung];
        // No two rungs hold the same rows out.
        int before = splits * ((1 << rung) - 1);
        try {
            for (int split = 0; split < scores.length; split++) {
                scores[split] = score(candidate, rung, before + split);
            }
        } catch (EmtalException e) {
            if (interrupted()) {
                throw e;
            }
            LOGGER.warning("The training of configuration " + candidate.values() + " failed: " + e.getMessage());
            return new Trial(candidate.number(), rung, candidate.values(), Double.NaN, secondsSince(start),
                    Optional.of(e.getMessage()));
        }
        for (int split = 0; split < scores.length; split++) {
            evidence.add(candidate, before + split, scores[split]);
        }
        return new Trial(candidate.number(), rung, candidate.values(), Arrays.stream(scores).average().orElseThrow(),
                secondsSince(start), Optional.empty());
    }

    /** The mean error over the tasks on rows that a split holds out. */
    private double score(Candidate candidate, int rung, int split) {
        try (EmtalModel<T> model = train(candidate, tested(candidate.configuration(), split), "split-" + split,
                listener.training(candidate.number(), rung))) {
            EmtalException.check(!interrupted(), "search: interrupted after %d trials", trials.size());
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

    private EmtalModel<T> train(Candidate candidate, TrainerConfiguration configuration, String folder,
                                TrainingListener heard) {
        EmtalTrainer<T> made = configuration.make();
        EmtalTrainer.Builder<T> trainer = made.toBuilder().listener(heard);
        made.checkpoints().map(all -> all.below(candidate.directory()).below(folder)).ifPresent(trainer::checkpoints);
        return trainer.build().train(examples, Map.of(), invocation);
    }

    private static double secondsSince(long start) {
        return (System.nanoTime() - start) * 1e-9;
    }
}

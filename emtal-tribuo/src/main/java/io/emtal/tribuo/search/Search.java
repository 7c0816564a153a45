package io.emtal.tribuo.search;

import com.oracle.labs.mlrg.olcut.provenance.ListProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.EmtalModel;
import io.emtal.tribuo.EmtalTrainer;
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

/** One search: successive halving over candidates. */
final class Search<T extends Output<T>> {

    private static final Logger LOGGER = Logger.getLogger(Search.class.getName());

    private final Dataset<T> examples;
    private final int invocation;
    private final Setting cheaper;
    private final int reduction;
    private final SearchListener listener;
    private final List<Trial> trials = new ArrayList<>();
    private EmtalModel<T> best;
    private double bestScore = Double.POSITIVE_INFINITY;

    /**
     * Before the first training.
     *
     * @param examples the training examples
     * @param invocation the invocation of every trainer
     * @param cheaper what makes the trainings of all rungs but the last cheaper
     * @param reduction one of so many candidates goes on
     * @param listener hears of the progress
     */
    Search(Dataset<T> examples, int invocation, Setting cheaper, int reduction, SearchListener listener) {
        this.examples = examples;
        this.invocation = invocation;
        this.cheaper = cheaper;
        this.reduction = reduction;
        this.listener = listener;
    }

    /** Searches, and gives the best candidate's model, with the search in its provenance. */
    EmtalModel<T> run(List<Candidate> candidates, Map<String, Provenance> runProvenance, TrainerProvenance trainer) {
        List<Candidate> going = candidates;
        int last = cheaper.values().size();
        for (int rung = 0; rung < last; rung++) {
            going = going(going, rung(rung, going));
        }
        try {
            rung(last, going);
            ModelProvenance found = best.getProvenance();
            Map<String, Provenance> run = new HashMap<>(runProvenance);
            found.getInstanceProvenance().iterator().forEachRemaining(fact -> run.put(fact.getA(), fact.getB()));
            run.put(SearchTrainer.TRIALS, new ListProvenance<>(trials.stream().map(Trial::provenance).toList()));
            run.put(SearchTrainer.WINNER, found.getTrainerProvenance());
            return best.copy(best.getName(), new ModelProvenance(found.getClassName(), found.getTrainingTime(),
                    found.getDatasetProvenance(), trainer, run));
        } finally {
            if (best != null) {
                best.close();
            }
        }
    }

    private List<Candidate> going(List<Candidate> candidates, Map<Candidate, Double> scores) {
        return candidates.stream().filter(scores::containsKey).sorted(Comparator.comparing(scores::get))
                .limit((candidates.size() + reduction - 1) / reduction).toList();
    }

    /** The scores of the candidates whose training succeeded. */
    private Map<Candidate, Double> rung(int rung, List<Candidate> candidates) {
        listener.rung(rung, cheaper.values().size() + 1, candidates.size());
        Map<Candidate, Double> scores = new HashMap<>();
        for (Candidate candidate : candidates) {
            Trial trial = trial(candidate, rung);
            trials.add(trial);
            listener.trial(trial);
            if (trial.failure().isEmpty()) {
                scores.put(candidate, trial.score());
            }
        }
        EmtalException.check(!scores.isEmpty(), "search: none of %d configurations could be trained; the last failed: %s",
                candidates.size(), trials.get(trials.size() - 1).failure().orElse(""));
        return scores;
    }

    private Trial trial(Candidate candidate, int rung) {
        long start = System.nanoTime();
        EmtalModel<T> model;
        try {
            boolean full = rung == cheaper.values().size();
            TrainerConfiguration configuration = candidate.configuration();
            for (String path : full ? List.<String>of() : cheaper.paths()) {
                configuration = configuration.with(path, cheaper.values().get(rung));
            }
            EmtalTrainer<T> made = configuration.make();
            EmtalTrainer.Builder<T> trainer = made.toBuilder().listener(listener.training(candidate.number(), rung));
            made.checkpoints().map(all -> all.below(candidate.directory()).below("rung-" + rung))
                    .ifPresent(trainer::checkpoints);
            model = trainer.build().train(examples, Map.of(), invocation);
        } catch (EmtalException e) {
            if (Thread.currentThread().isInterrupted()) {
                throw e;
            }
            LOGGER.warning("The training of configuration " + candidate.values() + " failed: " + e.getMessage());
            return new Trial(candidate.number(), rung, candidate.values(), Double.NaN, secondsSince(start),
                    Optional.of(e.getMessage()));
        }
        try {
            EmtalException.check(!Thread.currentThread().isInterrupted(), "search: interrupted after %d trainings",
                    trials.size());
            double score = Arrays.stream(model.training().heldOutErrors()).filter(error -> !Double.isNaN(error)).average().orElseThrow(() ->
                    new EmtalException("search: found no held-out rows to judge a training by; allowed is a recipe with a"
                            + " validation fraction above 0"));
            if (rung == cheaper.values().size() && score < bestScore) {
                bestScore = score;
                EmtalModel<T> before = best;
                best = model;
                model = before;
            }
            return new Trial(candidate.number(), rung, candidate.values(), score, secondsSince(start), Optional.empty());
        } finally {
            if (model != null) {
                model.close();
            }
        }
    }

    private static double secondsSince(long start) {
        return (System.nanoTime() - start) * 1e-9;
    }
}

package io.emtal.tribuo.search;

import com.oracle.labs.mlrg.olcut.provenance.ListProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.train.TrainingListener;
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

/** One search: successive halving over candidates, then a training with the best. */
final class Search<T extends Output<T>> {

    /** What part of the rows a training that judges holds out. */
    private static final String HELD_OUT = "0.25";

    private static final Logger LOGGER = Logger.getLogger(Search.class.getName());

    private final Dataset<T> examples;
    private final int invocation;
    private final Setting cheaper;
    private final int reduction;
    private final int splits;
    private final SearchListener listener;
    private final List<Trial> trials = new ArrayList<>();

    /**
     * Before the first training.
     *
     * @param examples the training examples
     * @param invocation the invocation of every trainer
     * @param cheaper what makes the trainings of all rungs but the last cheaper
     * @param reduction one of so many candidates goes on
     * @param splits how many trainings score a candidate on a rung
     * @param listener hears of the progress
     */
    Search(Dataset<T> examples, int invocation, Setting cheaper, int reduction, int splits, SearchListener listener) {
        this.examples = examples;
        this.invocation = invocation;
        this.cheaper = cheaper;
        this.reduction = reduction;
        this.splits = splits;
        this.listener = listener;
    }

    /** Searches, and gives a model of the best candidate, with the search in its provenance. */
    EmtalModel<T> run(List<Candidate> candidates, Map<String, Provenance> runProvenance, TrainerProvenance trainer) {
        List<Candidate> going = candidates;
        for (int rung = 0; rung < rungs(); rung++) {
            Map<Candidate, Double> scores = rung(rung, going);
            int next = rung + 1 < rungs() ? (going.size() + reduction - 1) / reduction : 1;
            going = going.stream().filter(scores::containsKey).sorted(Comparator.comparing(scores::get)).limit(next).toList();
        }
        try (EmtalModel<T> model = train(going.get(0), going.get(0).configuration(), "winner", TrainingListener.NONE)) {
            ModelProvenance found = model.getProvenance();
            Map<String, Provenance> run = new HashMap<>(runProvenance);
            found.getInstanceProvenance().iterator().forEachRemaining(fact -> run.put(fact.getA(), fact.getB()));
            run.put(SearchTrainer.TRIALS, new ListProvenance<>(trials.stream().map(Trial::provenance).toList()));
            run.put(SearchTrainer.WINNER, found.getTrainerProvenance());
            return model.copy(model.getName(), new ModelProvenance(found.getClassName(), found.getTrainingTime(),
                    found.getDatasetProvenance(), trainer, run));
        }
    }

    private int rungs() {
        return cheaper.values().size() + 1;
    }

    /** The scores of the candidates whose trainings succeeded. */
    private Map<Candidate, Double> rung(int rung, List<Candidate> candidates) {
        listener.rung(rung, rungs(), candidates.size());
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
        double score = 0;
        try {
            for (int split = 0; split < splits; split++) {
                score += score(candidate, rung, split) / splits;
            }
        } catch (EmtalException e) {
            if (Thread.currentThread().isInterrupted()) {
                throw e;
            }
            LOGGER.warning("The training of configuration " + candidate.values() + " failed: " + e.getMessage());
            return new Trial(candidate.number(), rung, candidate.values(), Double.NaN, secondsSince(start),
                    Optional.of(e.getMessage()));
        }
        return new Trial(candidate.number(), rung, candidate.values(), score, secondsSince(start), Optional.empty());
    }

    /** The mean error over the tasks on rows that this split holds out. */
    private double score(Candidate candidate, int rung, int split) {
        TrainerConfiguration configuration = holdingOut(candidate.configuration(), rung * splits + split);
        for (String path : rung < cheaper.values().size() ? cheaper.paths() : List.<String>of()) {
            configuration = configuration.with(path, cheaper.values().get(rung));
        }
        try (EmtalModel<T> model = train(candidate, configuration, "rung-" + rung + "-split-" + split,
                listener.training(candidate.number(), rung))) {
            EmtalException.check(!Thread.currentThread().isInterrupted(), "search: interrupted after %d trials",
                    trials.size());
            return Arrays.stream(model.training().heldOutErrors()).filter(error -> !Double.isNaN(error)).average()
                    .orElseThrow(() -> new EmtalException("search: found no label on the quarter of the rows that is held out,"
                            + " at least one is needed there"));
        }
    }

    /**
     * The same, but for rows that are held out of the whole network: out-of-bag, the blocks that an ensemble's members share
     * would have seen what judges them.
     */
    private static TrainerConfiguration holdingOut(TrainerConfiguration configuration, int split) {
        long seed = Long.parseLong(configuration.value("seed")) + 1 + split;
        return configuration.with("recipe.validationInCommon", "true").with("recipe.validationFraction", HELD_OUT)
                .with("recipe.pretrainedValidationFraction", HELD_OUT).with("seed", Long.toString(seed));
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

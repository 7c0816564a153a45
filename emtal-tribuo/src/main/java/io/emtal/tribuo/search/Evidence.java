package io.emtal.tribuo.search;

import io.emtal.onnx.EmtalException;
import org.tribuo.math.la.DenseMatrix;
import org.tribuo.math.la.DenseVector;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What all trainings of a search say of its candidates together. A score on a few dozen rows is mostly chance, and
 * the best of twenty is the luckiest; but each setting's value is shared by several candidates, which tell together
 * what it does.
 *
 * <p>The logarithm of a score is taken to be the sum of a level that all trainings on the same rows share, the effects
 * of the settings that differ from the trainer's own configuration, and noise. Effects have a common mean, for most
 * changes of a good configuration are for the worse, a part of the setting's value, and one of the candidate's own.
 * They have all of these once for any rows and once more for those that judge: a change that suits some held-out rows
 * does so in all candidates that have it. Parts are normally distributed around 0, so that the estimates are those of a
 * Gaussian process (Rasmussen and Williams 2006, equations 2.25 and 2.26), here a mean over a grid of variances, each
 * as likely as it makes the scores (equation 2.30). Splits are taken for independent, which quarters of the same rows
 * are not: what differs by one deviation only is not told apart.
 */
final class Evidence {

    /** The variances of effects on any rows, and of those on the rows of one split, in that of the noise. */
    private static final double[] RATIOS = {0, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 100};

    /** The variance of the levels, in those of the noise: so large that it says nothing. */
    private static final double LEVELS = 1e6;

    /** Is added to scores: below it there is nothing left to be better at. */
    private static final double SOLVED = 1e-4;

    /** How many deviations of each estimate lie between what is clearly better and what is clearly worse. */
    private static final double DEVIATIONS = 2;

    /** The least variance that a logarithm's noise is taken to have, against division by zero. */
    private static final double LEAST_NOISE = 1e-12;

    private final Candidate own;
    private final List<Observation> observations = new ArrayList<>();

    /**
     * Without any training yet.
     *
     * @param own the trainer's own configuration, of which others are changes
     */
    Evidence(Candidate own) {
        this.own = own;
    }

    private record Observation(Candidate candidate, int split, double logScore) {
    }

    /**
     * How much better or worse a candidate is than the trainer's own configuration.
     *
     * @param difference the expected logarithm of its score by the own one's, below 0 if it is better
     * @param deviation the standard deviation of what is not known of it
     */
    record Estimate(double difference, double deviation) {

        /** Whether it is better by more than two deviations of both together. */
        boolean isClearlyBetterThan(Estimate other) {
            return difference + DEVIATIONS * deviation < other.difference - DEVIATIONS * other.deviation;
        }
    }

    /**
     * Adds a training.
     *
     * @param candidate what was trained
     * @param split which rows judged it; trainings with the same number can be compared
     * @param score what came out, 0 or more, less being better
     */
    void add(Candidate candidate, int split, double score) {
        observations.add(new Observation(candidate, split, Math.log(score + SOLVED)));
    }

    /**
     * Estimates candidates.
     *
     * @param candidates any, with trainings of their own or not
     * @return an estimate of each
     */
    Map<Candidate, Estimate> estimates(List<Candidate> candidates) {
        List<Candidate> observed = observations.stream().map(Observation::candidate).toList();
        int[][] among = covariances(observed, observed);
        int[][] toObserved = covariances(candidates, observed);
        int[] variances = candidates.stream().mapToInt(candidate -> covariance(candidate, candidate)).toArray();
        List<Fit> fits = new ArrayList<>();
        for (double onAnyRows : RATIOS) {
            for (double onSplit : RATIOS) {
                fits.add(fit(onAnyRows, onSplit, among, toObserved, variances));
            }
        }
        double likeliest = fits.stream().mapToDouble(Fit::likelihood).max().orElseThrow();
        double[] weights = fits.stream().mapToDouble(fit -> Math.exp(fit.likelihood - likeliest)).toArray();
        double sum = Arrays.stream(weights).sum();
        Map<Candidate, Estimate> estimates = new HashMap<>();
        for (int c = 0; c < candidates.size(); c++) {
            double mean = 0;
            double square = 0;
            for (int i = 0; i < weights.length; i++) {
                Estimate estimate = fits.get(i).estimates.get(c);
                mean += weights[i] / sum * estimate.difference;
                square += weights[i] / sum * (Math.pow(estimate.difference, 2) + Math.pow(estimate.deviation, 2));
            }
            estimates.put(candidates.get(c), new Estimate(mean, Math.sqrt(Math.max(0, square - mean * mean))));
        }
        return estimates;
    }

    /**
     * Chooses among candidates.
     *
     * @param candidates at least one
     * @return those that are clearly better than the trainer's own configuration, and that no other is clearly better
     *     than, the best first; without such its own one, or where that is not among them the best
     */
    List<Candidate> choice(List<Candidate> candidates) {
        return choice(candidates, estimates(candidates));
    }

    List<Candidate> choice(List<Candidate> candidates, Map<Candidate, Estimate> estimates) {
        Estimate unchanged = new Estimate(0, 0);
        List<Candidate> sorted = candidates.stream()
                .sorted(Comparator.comparingDouble(candidate -> estimates.get(candidate).difference())).toList();
        List<Candidate> better = sorted.stream()
                .filter(candidate -> estimates.get(candidate).isClearlyBetterThan(unchanged))
                .filter(candidate -> estimates.values().stream()
                        .noneMatch(other -> other.isClearlyBetterThan(estimates.get(candidate)))).toList();
        return better.isEmpty() ? List.of(candidates.contains(own) ? own : sorted.get(0)) : better;
    }

    /**
     * The model for some variances.
     *
     * @param likelihood the logarithm of how likely it makes the observations, but for a constant
     * @param estimates one a candidate
     */
    private record Fit(double likelihood, List<Estimate> estimates) {
    }

    /**
     * Fits the model.
     *
     * @param onAnyRows the variance of effects on any rows, in that of the noise
     * @param onSplit the variance of those on the rows of one split
     * @param among the observed candidates' {@link #covariances}
     * @param toObserved those of the candidates that are estimated with the observed ones
     * @param variances those of each with itself
     */
    private Fit fit(double onAnyRows, double onSplit, int[][] among, int[][] toObserved, int[] variances) {
        int n = observations.size();
        double mean = observations.stream().mapToDouble(Observation::logScore).average().orElse(0);
        DenseVector scores = DenseVector.createDenseVector(observations.stream()
                .mapToDouble(observation -> observation.logScore() - mean).toArray());
        double[][] covariance = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                boolean sameRows = observations.get(i).split() == observations.get(j).split();
                covariance[i][j] = (i == j ? 1 : 0) + onAnyRows * among[i][j]
                        + (sameRows ? LEVELS + onSplit * among[i][j] : 0);
            }
        }
        DenseMatrix.CholeskyFactorization factors = DenseMatrix.createDenseMatrix(covariance).choleskyFactorization()
                .orElseThrow(() -> new EmtalException("search: found scores whose covariance is not positive"
                        + " definite, allowed is a positive definite one"));
        DenseVector weights = (DenseVector) factors.solve(scores);
        double logDeterminant = 2 * IntStream.range(0, n).mapToDouble(i -> Math.log(factors.lMatrix().get(i, i))).sum();
        // Each level takes one degree of freedom.
        long freedom = Math.max(1, n - observations.stream().mapToInt(Observation::split).distinct().count());
        double noise = Math.max(LEAST_NOISE, scores.dot(weights) / freedom);
        List<Estimate> estimates = new ArrayList<>();
        for (int c = 0; c < variances.length; c++) {
            DenseVector covariances = DenseVector.createDenseVector(
                    Arrays.stream(toObserved[c]).mapToDouble(changes -> onAnyRows * changes).toArray());
            double unknown = onAnyRows * variances[c] - covariances.dot(factors.solve(covariances));
            estimates.add(new Estimate(covariances.dot(weights), Math.sqrt(noise * Math.max(0, unknown))));
        }
        return new Fit(-(freedom * Math.log(noise) + logDeterminant) / 2, estimates);
    }

    private int[][] covariances(List<Candidate> some, List<Candidate> others) {
        return some.stream().map(a -> others.stream().mapToInt(b -> covariance(a, b)).toArray()).toArray(int[][]::new);
    }

    /** The covariance of two candidates' differences to the own configuration, in units of an effect's variance. */
    private int covariance(Candidate a, Candidate b) {
        int changesOfA = 0;
        int changesOfB = 0;
        int shared = 0;
        for (int i = 0; i < own.comparable().size(); i++) {
            boolean changedInA = !a.comparable().get(i).equals(own.comparable().get(i));
            boolean changedInB = !b.comparable().get(i).equals(own.comparable().get(i));
            changesOfA += changedInA ? 1 : 0;
            changesOfB += changedInB ? 1 : 0;
            shared += changedInA && a.comparable().get(i).equals(b.comparable().get(i)) ? 1 : 0;
        }
        int ofItsOwn = changesOfA > 0 && a.comparable().equals(b.comparable()) ? 1 : 0;
        return changesOfA * changesOfB + shared + ofItsOwn;
    }
}

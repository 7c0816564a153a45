package io.emtal.samples.compare;

import io.emtal.onnx.EmtalException;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.DoubleStream;
import org.apache.commons.math3.analysis.integration.SimpsonIntegrator;
import org.apache.commons.math3.analysis.solvers.BrentSolver;
import org.apache.commons.math3.distribution.FDistribution;
import org.apache.commons.math3.distribution.NormalDistribution;
import org.apache.commons.math3.stat.ranking.NaNStrategy;
import org.apache.commons.math3.stat.ranking.NaturalRanking;
import org.apache.commons.math3.stat.ranking.TiesStrategy;
import org.apache.commons.math3.util.CombinatoricsUtils;

/**
 * Friedman's test of whether k trainers differ over N sets, and Nemenyi's test of which of them do, as Demsar describes
 * them: Statistical Comparisons of Classifiers over Multiple Data Sets, JMLR 7 (2006).
 *
 * @param sets N
 * @param meanRanks the mean rank of each trainer, 1 being the best; ties share the mean of their places
 * @param chiSquared Friedman's statistic, corrected for ties
 * @param f Iman and Davenport's statistic, F-distributed with k - 1 and (k - 1)(N - 1) degrees of freedom; infinite where
 *     all sets agree
 * @param p the probability of such differences, or larger ones, between trainers that do not differ; exact where all sets
 *     agree
 */
record Friedman(int sets, double[] meanRanks, double chiSquared, double f, double p) {
    /** Beyond it nothing of the normal distribution is left that a double could show. */
    private static final double TAIL = 9;
    private static final double ACCURACY = 1e-9;

    /**
     * Tests.
     *
     * @param scores of each set the score of every trainer, less being better; [N][k]
     * @return the test
     * @throws EmtalException if there is only one set or trainer
     */
    static Friedman of(double[][] scores) {
        int n = scores.length;
        int k = n == 0 ? 0 : scores[0].length;
        EmtalException.check(n >= 2 && k >= 2, "Friedman's test: found %d sets and %d trainers, at least 2 are needed", n, k);
        NaturalRanking ranking = new NaturalRanking(NaNStrategy.FAILED, TiesStrategy.AVERAGE);
        double[] sums = new double[k];
        double ties = 0;
        double orders = 1;
        for (double[] set : scores) {
            double[] ranks = ranking.rank(set);
            for (int i = 0; i < k; i++) {
                sums[i] += ranks[i];
            }
            Map<Double, Long> alike = DoubleStream.of(ranks).boxed()
                    .collect(Collectors.groupingBy(Function.identity(), Collectors.counting()));
            orders = Math.max(orders, CombinatoricsUtils.factorialDouble(k) / alike.values().stream()
                    .mapToDouble(t -> CombinatoricsUtils.factorialDouble(t.intValue())).reduce(1, (a, b) -> a * b));
            ties += alike.values().stream().mapToDouble(t -> (double) t * t * t - t).sum();
        }
        double[] means = DoubleStream.of(sums).map(sum -> sum / n).toArray();
        double spread = DoubleStream.of(means).map(mean -> (mean - (k + 1) / 2.0) * (mean - (k + 1) / 2.0)).sum();
        double varied = 1 - ties / ((double) n * k * ((double) k * k - 1));
        if (varied <= 0) {
            return new Friedman(n, means, 0, 0, 1);
        }
        double chiSquared = 12.0 * n / (k * (k + 1.0)) * spread / varied;
        // Where all sets have one order: whatever the first has, the others have the same of so many. Nothing is less probable.
        double agreement = Math.pow(orders, 1 - n);
        double rest = n * (k - 1.0) - chiSquared;
        if (rest <= ACCURACY) {
            return new Friedman(n, means, chiSquared, Double.POSITIVE_INFINITY, agreement);
        }
        double f = (n - 1) * chiSquared / rest;
        double p = 1 - new FDistribution(null, k - 1, (k - 1.0) * (n - 1)).cumulativeProbability(f);
        return new Friedman(n, means, chiSquared, f, Math.max(p, agreement));
    }

    int trainers() {
        return meanRanks.length;
    }

    /**
     * Nemenyi's critical difference: mean ranks that lie this far apart, or farther, differ significantly.
     *
     * @param level the level of significance, such as 0.05
     * @return the difference
     */
    double criticalDifference(double level) {
        int k = trainers();
        return studentizedRange(k, level) / Math.sqrt(2) * Math.sqrt(k * (k + 1) / (6.0 * sets));
    }

    /** What the range of k standard normal variables exceeds with some probability. */
    static double studentizedRange(int k, double probability) {
        NormalDistribution normal = new NormalDistribution(null, 0, 1);
        return new BrentSolver(ACCURACY).solve(1000, range -> exceeded(normal, k, range) - probability, 0, 2 * TAIL);
    }

    private static double exceeded(NormalDistribution normal, int k, double range) {
        double within = k * new SimpsonIntegrator().integrate(1_000_000, z -> normal.density(z)
                * Math.pow(normal.cumulativeProbability(z) - normal.cumulativeProbability(z - range), k - 1), -TAIL, TAIL);
        return 1 - within;
    }
}

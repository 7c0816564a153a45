package io.emtal.samples.compare;

import java.util.stream.DoubleStream;
import java.util.stream.IntStream;
import org.apache.commons.math3.stat.ranking.NaNStrategy;
import org.apache.commons.math3.stat.ranking.NaturalRanking;
import org.apache.commons.math3.stat.ranking.TiesStrategy;

/**
 * Wilcoxon's signed-rank test, exact for any number of pairs and with ties: every sign of every difference is as likely as
 * the other, and the sums of the ranks of the positive ones are counted.
 */
final class SignedRanks {
    private SignedRanks() {
    }

    /**
     * Tests.
     *
     * @param differences of each pair, none of them zero
     * @return the probability of so unequal sums of ranks, or more unequal ones, if neither side is better; 1 without pairs
     */
    static double p(double[] differences) {
        double[] sizes = DoubleStream.of(differences).map(Math::abs).toArray();
        // Ties share the mean of their places: whole numbers once they are doubled.
        int[] ranks = differences.length == 0 ? new int[0] : DoubleStream.of(new NaturalRanking(NaNStrategy.FAILED,
                TiesStrategy.AVERAGE).rank(sizes)).mapToInt(rank -> (int) Math.round(2 * rank)).toArray();
        int positive = IntStream.range(0, ranks.length).filter(i -> differences[i] > 0).map(i -> ranks[i]).sum();
        int all = IntStream.of(ranks).sum();
        double[] chances = new double[all + 1];
        chances[0] = 1;
        int highest = 0;
        for (int rank : ranks) {
            highest += rank;
            for (int sum = highest; sum >= 0; sum--) {
                chances[sum] = (chances[sum] + (sum >= rank ? chances[sum - rank] : 0)) / 2;
            }
        }
        double tail = DoubleStream.of(chances).limit(Math.min(positive, all - positive) + 1L).sum();
        return Math.min(1, 2 * tail);
    }
}

package io.emtal.tribuo.evaluation;

import io.emtal.onnx.EmtalException;

import java.util.Comparator;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * The area under the ROC curve: the probability that a positive row scores higher than a negative one, ties counting
 * half (Mann and Whitney 1947). Equal means equal: Tribuo's {@code LabelEvaluationUtil} takes scores closer than 1e-12
 * for ties, and probabilities of rare classes are that close.
 */
final class RocArea {

    private RocArea() {
    }

    /**
     * Computes the area.
     *
     * @param positive whether a row is positive
     * @param scores [rows], higher for rows that are more likely positive
     * @return 0 to 1; nothing unless there are rows of both kinds
     * @throws EmtalException if a score is not-a-number
     */
    static OptionalDouble of(boolean[] positive, double[] scores) {
        for (int i = 0; i < scores.length; i++) {
            EmtalException.check(!Double.isNaN(scores[i]), "row %d: found the score NaN, allowed are numbers", i);
        }
        int[] order = IntStream.range(0, scores.length).boxed()
                .sorted(Comparator.comparingDouble(i -> scores[i])).mapToInt(Integer::intValue).toArray();
        double won = 0;
        long positives = 0;
        long negatives = 0;
        int from = 0;
        while (from < order.length) {
            int to = from;
            long tiedPositives = 0;
            // By == and not as sorted: 0 and -0 are a tie.
            while (to < order.length && scores[order[to]] == scores[order[from]]) {
                tiedPositives += positive[order[to]] ? 1 : 0;
                to++;
            }
            long tiedNegatives = to - from - tiedPositives;
            won += tiedPositives * (negatives + 0.5 * tiedNegatives);
            positives += tiedPositives;
            negatives += tiedNegatives;
            from = to;
        }
        return positives == 0 || negatives == 0 ? OptionalDouble.empty()
                : OptionalDouble.of(won / positives / negatives);
    }
}

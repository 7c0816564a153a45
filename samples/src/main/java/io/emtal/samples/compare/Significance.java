package io.emtal.samples.compare;

import io.emtal.samples.output.TextColumns;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * What can be said about a trainer's scores against those of others on the same sets: Friedman's test of all of them,
 * Nemenyi's critical difference, and Wilcoxon's signed-rank test of the trainer against each other one, of the relative
 * differences of their scores, with Holm's correction for so many tests.
 */
final class Significance {
    private static final double LEVEL = 0.05;
    private final String title;
    private final List<String> trainers;
    private final double[][] scores;

    /**
     * Prepares the tests.
     *
     * @param title says what is compared
     * @param trainers their names, first the one that is compared with the others
     * @param scores of each set the score of every trainer, less being better
     */
    Significance(String title, List<String> trainers, double[][] scores) {
        this.title = title;
        this.trainers = List.copyOf(trainers);
        this.scores = scores.clone();
    }

    /** The first trainer against another. */
    record Pair(String other, int better, int worse, double p) {
        /** Whether the first trainer is better on more sets. */
        boolean ahead() {
            return better > worse;
        }
    }

    /** The pairs, in the order of the trainers. */
    List<Pair> pairs() {
        return IntStream.range(1, trainers.size()).mapToObj(this::pair).toList();
    }

    private Pair pair(int other) {
        List<Double> differences = new ArrayList<>();
        int better = 0;
        for (double[] set : scores) {
            if (set[0] != set[other]) {
                double unit = Math.max(Math.abs(set[0]), Math.abs(set[other]));
                differences.add(set[other] / unit - set[0] / unit);
                better += set[0] < set[other] ? 1 : 0;
            }
        }
        return new Pair(trainers.get(other), better, differences.size() - better,
                SignedRanks.p(differences.stream().mapToDouble(Double::doubleValue).toArray()));
    }

    /** Holm's correction: each probability times the number of tests that are at least as improbable, made monotone. */
    static double[] holm(double[] p) {
        List<Integer> order = IntStream.range(0, p.length).boxed().sorted(Comparator.comparingDouble(i -> p[i])).toList();
        double[] corrected = new double[p.length];
        double least = 0;
        for (int i = 0; i < p.length; i++) {
            least = Math.max(least, Math.min(1, p[order.get(i)] * (p.length - i)));
            corrected[order.get(i)] = least;
        }
        return corrected;
    }

    /** Prints what is significant and what is not. */
    void print(PrintWriter out) {
        out.println();
        if (trainers.size() < 2 || scores.length < 2) {
            out.printf("%s: %d sets with %d trainers in common; tests need two of both%n", title, scores.length,
                    trainers.size());
            return;
        }
        String first = trainers.get(0);
        Friedman friedman = Friedman.of(scores);
        double critical = friedman.criticalDifference(LEVEL);
        boolean differ = friedman.p() < LEVEL;
        out.printf(Locale.ROOT, "%s: %d trainers on %d sets (those that all of them took part in)%n", title,
                trainers.size(), scores.length);
        out.printf(Locale.ROOT, "Friedman: chi-squared %.2f, F(%d, %d) = %.2f, p = %.4f: %s%n", friedman.chiSquared(),
                trainers.size() - 1, (trainers.size() - 1) * (scores.length - 1), friedman.f(), friedman.p(),
                differ ? "the trainers differ" : "no difference between the trainers is shown");
        out.printf(Locale.ROOT, "Nemenyi: mean ranks differ significantly from %.2f apart on%s%n", critical,
                differ ? "" : ", but without a difference among all none between two is shown");
        List<Pair> pairs = pairs();
        double[] corrected = holm(pairs.stream().mapToDouble(Pair::p).toArray());
        List<String> names = new ArrayList<>(List.of("trainer", first));
        List<String> ranks = new ArrayList<>(List.of("mean rank", rank(friedman, 0)));
        List<String> wins = new ArrayList<>(List.of(first + " better : worse", ""));
        List<String> nemenyi = new ArrayList<>(List.of("Nemenyi", ""));
        List<String> wilcoxon = new ArrayList<>(List.of("Wilcoxon p", ""));
        List<String> holm = new ArrayList<>(List.of("Holm p", ""));
        for (int i = 0; i < pairs.size(); i++) {
            Pair pair = pairs.get(i);
            double apart = friedman.meanRanks()[i + 1] - friedman.meanRanks()[0];
            names.add(pair.other);
            ranks.add(rank(friedman, i + 1));
            wins.add(pair.better + " : " + pair.worse);
            nemenyi.add(verdict(differ && Math.abs(apart) >= critical, apart > 0));
            wilcoxon.add(String.format(Locale.ROOT, "%.4f", pair.p));
            holm.add(String.format(Locale.ROOT, "%.4f %s", corrected[i], verdict(corrected[i] < LEVEL, pair.ahead())));
        }
        TextColumns.print(out, names, List.of(ranks, wins, nemenyi, wilcoxon, holm));
    }

    private static String rank(Friedman friedman, int trainer) {
        return String.format(Locale.ROOT, "%.2f", friedman.meanRanks()[trainer]);
    }

    private String verdict(boolean significant, boolean ahead) {
        return significant ? trainers.get(0) + (ahead ? " is better" : " is worse") : "not significant";
    }
}

package io.emtal.samples.compare;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class SignificanceTest {
    /** Accuracies of four trainers on fourteen sets, with ties. */
    private static final double[][] ACCURACIES = {
        {.763, .768, .771, .798}, {.599, .591, .590, .569}, {.954, .971, .968, .967}, {.628, .661, .654, .657},
        {.882, .888, .886, .898}, {.936, .931, .916, .931}, {.661, .668, .609, .685}, {.583, .583, .563, .625},
        {.775, .838, .866, .875}, {1, 1, 1, 1}, {.940, .962, .965, .962}, {.619, .666, .614, .669},
        {.972, .981, .975, .975}, {.957, .978, .946, .970}};
    private static final double[][] SCORES = Arrays.stream(ACCURACIES)
            .map(set -> Arrays.stream(set).map(accuracy -> -accuracy).toArray()).toArray(double[][]::new);

    /** The figures of SciPy 1.17: friedmanchisquare, f.sf and studentized_range.ppf. */
    @Test
    void friedmanAgreesWithSciPy() {
        Friedman friedman = Friedman.of(SCORES);
        assertArrayEquals(new double[] {44 / 14.0, 2, 41 / 14.0, 27 / 14.0}, friedman.meanRanks(), 1e-12);
        assertEquals(10.952380952, friedman.chiSquared(), 1e-8);
        assertEquals(4.5858895696, friedman.f(), 1e-6);
        assertEquals(0.0076288387, friedman.p(), 1e-6);
        assertEquals(1.9599639845 * Math.sqrt(2), Friedman.studentizedRange(2, 0.05), 1e-5);
        assertEquals(2.7277743709 * Math.sqrt(2), Friedman.studentizedRange(5, 0.05), 1e-5);
        assertEquals(3.3536177518 * Math.sqrt(2), Friedman.studentizedRange(14, 0.05), 1e-5);
    }

    /** Table 5 of Demsar 2006: 2.569 for four trainers. */
    @Test
    void theCriticalDifferenceIsThatOfTheTable() {
        assertEquals(2.569 * Math.sqrt(4 * 5 / (6.0 * 14)), Friedman.of(SCORES).criticalDifference(0.05), 5e-4);
    }

    @Test
    void trainersThatAreAlwaysEvenDoNotDifferAndThoseOfOneOrderDo() {
        Friedman even = Friedman.of(new double[][] {{1, 1, 1}, {2, 2, 2}});
        assertEquals(1, even.p());
        assertArrayEquals(new double[] {2, 2, 2}, even.meanRanks());
        Friedman same = Friedman.of(new double[][] {{1, 2, 3}, {4, 5, 6}, {7, 8, 9}});
        assertEquals(1 / 36.0, same.p(), 1e-12);
        Friedman swapped = Friedman.of(new double[][] {{1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 6, 5}});
        assertEquals(1 / 720.0, swapped.p(), 1e-12, "nothing is less probable than that all agree");
        assertEquals(1 / 3.0, Friedman.of(new double[][] {{1, 1, 3}, {4, 4, 6}}).p(), 1e-12);
        assertEquals(0.5, Friedman.of(new double[][] {{1, 2}, {3, 4}}).p(), 1e-12);
        assertEquals(Double.POSITIVE_INFINITY, same.f());
        assertThrows(EmtalException.class, () -> Friedman.of(new double[][] {{1, 2, 3}}));
    }

    /** Exact two-sided figures of SciPy's wilcoxon on the differences that are not zero. */
    @Test
    void signedRanksAgreeWithSciPy() {
        List<Significance.Pair> pairs = new Significance("", List.of("a", "b", "c", "d"), SCORES).pairs();
        assertEquals(List.of("b", "c", "d"), pairs.stream().map(Significance.Pair::other).toList());
        assertEquals(List.of(2, 6, 2), pairs.stream().map(Significance.Pair::better).toList());
        assertEquals(List.of(10, 7, 11), pairs.stream().map(Significance.Pair::worse).toList());
        assertEquals(0.00927734375, pairs.get(0).p(), 1e-12);
        assertEquals(1, pairs.get(1).p(), 1e-12);
        assertEquals(0.01708984375, pairs.get(2).p(), 1e-12);
    }

    /** Counted by hand, and the exact figures of tables: W = 59 of 21 and 90 of 25 are just not significant. */
    @Test
    void signedRanksAreCountedForAnyNumberOfPairsAndWithTies() {
        assertEquals(1, SignedRanks.p(new double[0]));
        assertEquals(1, SignedRanks.p(new double[] {3}));
        assertEquals(0.25, SignedRanks.p(new double[] {1, 2, 3}), 1e-12);
        // Ranks 1.5, 1.5 and 3: the sums 0, 1.5 twice, 3 twice, 4.5 twice, 6.
        assertEquals(0.75, SignedRanks.p(new double[] {-1, 1, 5}), 1e-12);
        assertEquals(0.0502, SignedRanks.p(withRankSum(21, 59)), 5e-5);
        assertEquals(0.0516, SignedRanks.p(withRankSum(25, 90)), 5e-5);
        assertTrue(SignedRanks.p(withRankSum(300, 0)) < 1e-80);
    }

    /** Differences 1 to n, of which positive ones are so much in sum. */
    private static double[] withRankSum(int n, int sum) {
        double[] differences = new double[n];
        int left = sum;
        for (int rank = n; rank >= 1; rank--) {
            differences[rank - 1] = rank <= left ? rank : -rank;
            left -= rank <= left ? rank : 0;
        }
        return differences;
    }

    @Test
    void holmMultipliesTheLeastMostAndKeepsTheOrder() {
        assertArrayEquals(new double[] {0.06, 0.03, 0.06, 1}, Significance.holm(new double[] {0.02, 0.0075, 0.025, 1}), 1e-12);
    }

    @Test
    void theTextSaysWhatIsSignificant() {
        double[][] clear = new double[10][];
        for (int set = 0; set < clear.length; set++) {
            clear[set] = new double[] {0.1 + set, 0.2 + 1.1 * set, set % 2 == 0 ? set : 0.3 + set};
        }
        StringWriter text = new StringWriter();
        new Significance("a against others", List.of("a", "b", "c"), clear).print(new PrintWriter(text, true));
        assertTrue(text.toString().matches("(?s).*: the trainers differ\n.*\nb +\\d\\.\\d\\d +10 : 0 +a is better +0\\.0020 +0.0039 a is better\n"
                + "c +\\d\\.\\d\\d +5 : 5 +not significant .*"), text.toString());
    }
}

package io.emtal.tribuo.search;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.tribuo.search.Evidence.Estimate;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.IntStream;

class EvidenceTest {

    private static final Candidate OWN = candidate(0, 0, 0, 0, 0);

    private static Candidate candidate(int number, int... changes) {
        return new Candidate(number, null, Map.of(), Arrays.stream(changes).mapToObj(String::valueOf).toList());
    }

    /** The trainer's own configuration, and all with two of four settings changed to 1 or 2. */
    private static List<Candidate> pairs() {
        List<Candidate> candidates = new ArrayList<>(List.of(OWN));
        for (int i = 0; i < 4; i++) {
            for (int j = 0; j < i; j++) {
                for (int values = 0; values < 4; values++) {
                    int[] changes = new int[4];
                    changes[i] = 1 + values / 2;
                    changes[j] = 1 + values % 2;
                    candidates.add(candidate(candidates.size(), changes));
                }
            }
        }
        return candidates;
    }

    private static double effect(Candidate candidate) {
        return effect(candidate, new double[][] {{0, 0.1, 0.2}, {0, -0.2, 0}, {0, 0.05, -0.1}, {0, 0, 0.3}});
    }

    private static double effect(Candidate candidate, double[][] effects) {
        return IntStream.range(0, 4)
                .mapToDouble(i -> effects[i][Integer.parseInt(candidate.comparable().get(i))]).sum();
    }

    private static Evidence evidence(List<Candidate> candidates, Random random, double effects, double noise,
                                     double factor) {
        Evidence evidence = new Evidence(OWN);
        double[] levels = {1, 3};
        for (int rows = 0; rows < 2; rows++) {
            for (Candidate candidate : candidates) {
                evidence.add(candidate, rows, (rows == 0 ? factor : 1) * levels[rows]
                        * Math.exp(effects * effect(candidate) + noise * random.nextGaussian()));
            }
        }
        return evidence;
    }

    @Test
    void effectsOfSettingsAreFoundAndAddedUp() {
        for (long seed = 0; seed < 5; seed++) {
            Random random = new Random(seed);
            Evidence evidence = evidence(pairs(), random, 1, 0.02, 1);
            Candidate untried = candidate(99, 1, 1, 2, 2);
            Candidate tried = candidate(98, 0, 1, 2, 0);
            Map<Candidate, Estimate> estimates = evidence.estimates(List.of(OWN, untried, tried));
            assertEquals(new Estimate(0, 0), estimates.get(OWN));
            assertEquals(effect(untried), estimates.get(untried).difference(), 0.08, "seed " + seed);
            assertEquals(-0.3, estimates.get(tried).difference(), 0.08, "seed " + seed);
            assertTrue(estimates.get(tried).isClearlyBetterThan(estimates.get(OWN)), "seed " + seed);
            assertTrue(estimates.get(tried).deviation() < estimates.get(untried).deviation(), "seed " + seed);
        }
    }

    /** Of so many the luckiest is better than the first by two deviations of the noise; it is seldom taken. */
    @Test
    void luckIsNoEvidence() {
        double luckiest = 0;
        int taken = 0;
        for (long seed = 0; seed < 20; seed++) {
            Random random = new Random(seed);
            List<Candidate> candidates = pairs();
            double[] means = new double[candidates.size()];
            Evidence evidence = new Evidence(OWN);
            for (int rows = 0; rows < 2; rows++) {
                for (int i = 0; i < means.length; i++) {
                    double score = 0.1 * random.nextGaussian();
                    means[i] += score / 2;
                    evidence.add(candidates.get(i), rows, Math.exp(score));
                }
            }
            luckiest += (Arrays.stream(means).min().orElseThrow() - means[0]) / 20;
            taken += evidence.choice(candidates).get(0) != OWN ? 1 : 0;
        }
        assertTrue(luckiest < -0.1, "luckiest: " + luckiest);
        assertTrue(taken <= 2, "taken: " + taken);
    }

    /** In how many of 20 searches a candidate is clearly better, where one change always helps by so much. */
    private static int taken(double help, double ofSplit) {
        int taken = 0;
        for (long seed = 0; seed < 20; seed++) {
            Random random = new Random(seed);
            Evidence evidence = new Evidence(OWN);
            for (int split = 0; split < 4; split++) {
                double[][] effects = new double[4][3];
                for (double[] effect : effects) {
                    effect[1] = ofSplit * random.nextGaussian();
                    effect[2] = ofSplit * random.nextGaussian();
                }
                effects[1][1] -= help;
                for (Candidate candidate : pairs()) {
                    evidence.add(candidate, split, Math.exp(effect(candidate, effects) + 0.01 * random.nextGaussian()));
                }
            }
            Candidate choice = evidence.choice(pairs()).get(0);
            taken += !choice.equals(OWN) && (help == 0 || choice.comparable().get(1).equals("1")) ? 1 : 0;
        }
        return taken;
    }

    /** Changes that suit the rows of one split, in whichever candidates, and not those of another, are of no use. */
    @Test
    void whatSuitsSomeRowsOnlyIsNoEvidence() {
        assertTrue(taken(0, 0.1) <= 2, "taken: " + taken(0, 0.1));
    }

    @Test
    void whatHelpsOnAllRowsIsFound() {
        assertTrue(taken(0.1, 0.03) >= 18, "taken: " + taken(0.1, 0.03));
        assertTrue(taken(0.2, 0.1) >= 10, "taken: " + taken(0.2, 0.1));
    }

    /** Where every change is for the worse, the least bad one is not taken for better. */
    @Test
    void changesHaveACommonMean() {
        int taken = 0;
        for (long seed = 0; seed < 20; seed++) {
            Random random = new Random(seed);
            Evidence evidence = new Evidence(OWN);
            for (Candidate candidate : pairs()) {
                evidence.add(candidate, 0, Math.exp((candidate == OWN ? 0 : 0.1) + 0.05 * random.nextGaussian()));
            }
            taken += evidence.choice(pairs()).get(0) != OWN ? 1 : 0;
        }
        assertTrue(taken <= 2, "taken: " + taken);
    }

    /** Where it could not be trained, there is nothing to be better than. */
    @Test
    void withoutTheOwnConfigurationTheBestIsChosen() {
        Evidence evidence = new Evidence(OWN);
        List<Candidate> others = List.of(candidate(1, 1, 0, 0, 0), candidate(2, 0, 1, 0, 0), candidate(3, 0, 0, 1, 0));
        for (int split = 0; split < 2; split++) {
            for (Candidate candidate : others) {
                evidence.add(candidate, split, candidate.number() == 2 ? 0.5 : 0.6);
            }
        }
        assertEquals(others.get(1), evidence.choice(others).get(0));
        assertEquals(others.subList(0, 1), evidence.choice(others.subList(0, 1)));
    }

    /** All that are clearly better than it and not clearly worse than the best, if there are any. */
    @Test
    void theOwnConfigurationIsChosenUnlessOthersAreClearlyBetter() {
        List<Candidate> candidates = pairs();
        List<Candidate> some = List.of(OWN, candidates.get(1), candidates.get(2), candidates.get(3));
        Map<Candidate, Double> levels = Map.of(OWN, 1.0, some.get(1), 0.5, some.get(2), 0.5, some.get(3), 0.9);
        for (long seed = 0; seed < 5; seed++) {
            Random random = new Random(seed);
            Evidence better = new Evidence(OWN);
            Evidence alike = new Evidence(OWN);
            for (int split = 0; split < 6; split++) {
                double easy = Math.exp(0.1 * random.nextGaussian());
                for (Candidate candidate : some) {
                    better.add(candidate, split, levels.get(candidate) * easy);
                    alike.add(candidate, split, Math.exp(0.01 * random.nextGaussian()));
                }
            }
            assertEquals(Set.of(some.get(1), some.get(2)), Set.copyOf(better.choice(some)), "seed " + seed);
            assertEquals(List.of(OWN), alike.choice(some), "seed " + seed);
        }
    }

    @Test
    void whatIsClearIsSoByTwoDeviationsOfBoth() {
        Estimate own = new Estimate(0, 0);
        assertTrue(new Estimate(-0.10, 0.04).isClearlyBetterThan(own));
        assertFalse(new Estimate(-0.10, 0.06).isClearlyBetterThan(own));
        assertTrue(own.isClearlyBetterThan(new Estimate(0.10, 0.04)));
        assertFalse(own.isClearlyBetterThan(new Estimate(0.10, 0.06)));
        assertFalse(new Estimate(-0.10, 0.03).isClearlyBetterThan(new Estimate(0, 0.03)));
    }

    /** Not those of which too little is known; the best first. */
    @Test
    void whatIsClearlyBetterIsChosenInItsOrder() {
        Candidate vague = candidate(1, 1, 0, 0, 0);
        Candidate clear = candidate(2, 0, 1, 0, 0);
        Candidate best = candidate(3, 0, 0, 1, 0);
        Map<Candidate, Estimate> estimates = Map.of(OWN, new Estimate(0, 0), vague, new Estimate(-0.10, 0.12),
                clear, new Estimate(-0.08, 0.03), best, new Estimate(-0.12, 0.05));
        assertEquals(List.of(best, clear), new Evidence(OWN).choice(List.of(OWN, vague, clear, best), estimates));
    }

    @Test
    void rowsThatAreHarderThanOthersSayNothing() {
        List<Candidate> candidates = pairs();
        Map<Candidate, Estimate> estimates = evidence(candidates, new Random(2), 1, 0.1, 1).estimates(candidates);
        evidence(candidates, new Random(2), 1, 0.1, 1.5).estimates(candidates).forEach((candidate, estimate) ->
                assertEquals(estimates.get(candidate).difference(), estimate.difference(), 1e-3));
    }

    @Test
    void whatIsSolvedByAllIsNoEvidence() {
        List<Candidate> candidates = pairs();
        Evidence evidence = new Evidence(OWN);
        candidates.forEach(candidate -> evidence.add(candidate, 0, 0));
        evidence.estimates(candidates).values().forEach(estimate -> assertEquals(0, estimate.difference(), 1e-12));
    }

    @Test
    void aSingleConfigurationIsItsOwnMeasure() {
        Evidence evidence = new Evidence(OWN);
        evidence.add(OWN, 0, 0.5);
        assertEquals(Map.of(OWN, new Estimate(0, 0)), evidence.estimates(List.of(OWN)));
    }
}

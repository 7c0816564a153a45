package io.emtal.onnx.adapt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.adapt.ExpertClustering.Grouping;
import java.util.Arrays;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class ExpertClusteringTest {

    @RepeatedTest(20)
    void number01_balancedClustersAreTighterThanContiguousAndRandomOnes(RepetitionInfo repetition) {
        long seed = repetition.getCurrentRepetition();
        Random random = new Random(seed);
        int experts = 2 + random.nextInt(7);
        int channels = experts * (2 + random.nextInt(12));
        float[] weights = gaussian(channels, 2 + random.nextInt(30), random);
        String where = "seed " + seed;

        ExpertClustering clustered = of(weights, channels, experts, Grouping.CLUSTERED, seed);
        ExpertClustering contiguous = of(weights, channels, experts, Grouping.CONTIGUOUS, seed);
        ExpertClustering shuffled = of(weights, channels, experts, Grouping.RANDOM, seed);

        for (ExpertClustering c : new ExpertClustering[] {clustered, contiguous, shuffled}) {
            int[] sorted = c.permutation();
            Arrays.sort(sorted);
            assertArrayEquals(IntStream.range(0, channels).toArray(), sorted, where);
            int[] permutation = c.permutation();
            int[] inverse = c.inverse();
            for (int i = 0; i < channels; i++) {
                assertEquals(i, permutation[inverse[i]], where);
            }
            int m = channels / experts;
            for (int i = 1; i < channels; i++) {
                assertTrue(i % m == 0 || permutation[i - 1] < permutation[i], where + ": order within an expert");
            }
        }
        assertTrue(clustered.variance() <= contiguous.variance(), where);
        assertTrue(clustered.variance() <= shuffled.variance(), where);
    }

    @Test
    void separatedClustersOfEqualSizeAreFound() {
        int channels = 128;
        int experts = 8;
        int[] truth = IntStream.range(0, channels).map(i -> i * 37 % channels % experts).toArray();
        Random random = new Random(5);
        float[] weights = new float[channels * experts];
        for (int i = 0; i < channels; i++) {
            float length = 0.1f + 10 * random.nextFloat();
            for (int d = 0; d < experts; d++) {
                weights[i * experts + d] = length * (float) ((d == truth[i] ? 1 : 0) + 0.05 * random.nextGaussian());
            }
        }
        int[] permutation = of(weights, channels, experts, Grouping.CLUSTERED, 1).permutation();
        for (int i = 0; i < channels; i++) {
            assertEquals(truth[permutation[i - i % 16]], truth[permutation[i]], "position " + i);
        }
    }

    @ParameterizedTest
    @EnumSource(Grouping.class)
    void equalSeedsGiveEqualPartitions(Grouping grouping) {
        float[] weights = gaussian(96, 24, new Random(1));
        assertArrayEquals(of(weights, 96, 16, grouping, 7).permutation(), of(weights, 96, 16, grouping, 7).permutation());
    }

    @Test
    void contiguousGroupingIsTheIdentity() {
        float[] weights = gaussian(12, 3, new Random(1));
        assertArrayEquals(IntStream.range(0, 12).toArray(),
                of(weights, 12, 4, Grouping.CONTIGUOUS, 1).permutation());
    }

    @Test
    void aPartitionThatIsTightAlreadyStaysWhereItIs() {
        int channels = 24;
        float[] weights = new float[channels * 4];
        for (int i = 0; i < channels; i++) {
            weights[i * 4 + i / 6] = 1 + i;
        }
        for (int seed = 0; seed < 30; seed++) {
            ExpertClustering clustering = of(weights, channels, 4, Grouping.CLUSTERED, seed);
            assertEquals(0, clustering.variance(), "seed " + seed);
            assertArrayEquals(IntStream.range(0, channels).toArray(), clustering.permutation(), "seed " + seed);
        }
    }

    @ParameterizedTest
    @CsvSource({"1, 6", "6, 6", "2, 6", "3, 3"})
    void equalAndZeroRowsAreNoTrouble(int experts, int channels) {
        assertEquals(channels, of(new float[channels * 5], channels, experts, Grouping.CLUSTERED, 1)
                .permutation().length);
        float[] ones = new float[channels * 5];
        Arrays.fill(ones, 1);
        assertEquals(channels, of(ones, channels, experts, Grouping.CLUSTERED, 1).permutation().length);
    }

    @Test
    void fault27_anExpertCountThatDoesNotDivideNamesTheDivisors() {
        var e = assertThrows(EmtalException.class, () -> of(new float[120], 12, 5, Grouping.CLUSTERED, 1));
        assertEquals("experts: found 5, allowed is a divisor of the hidden width 12: [1, 2, 3, 4, 6, 12]",
                e.getMessage());
        assertThrows(EmtalException.class, () -> ExpertClustering.checkDivides(0, 12));
        assertThrows(EmtalException.class, () -> ExpertClustering.checkDivides(16, 12));
    }

    @Test
    void weightsThatAreNotFiniteAreNamed() {
        float[] weights = gaussian(12, 3, new Random(1));
        weights[3 * 5 + 1] = Float.NaN;
        var e = assertThrows(EmtalException.class, () -> of(weights, 12, 4, Grouping.CLUSTERED, 1));
        assertTrue(e.getMessage().startsWith("hidden channel 5: found weight NaN"), e.getMessage());
    }

    private static ExpertClustering of(float[] weights, int channels, int experts, Grouping grouping, long seed) {
        return ExpertClustering.of(weights, channels, experts, grouping, new SplittableRandom(seed));
    }

    private static float[] gaussian(int channels, int width, Random random) {
        float[] weights = new float[channels * width];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) random.nextGaussian();
        }
        return weights;
    }
}

package io.emtal.onnx.adapt;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.Random;
import java.util.stream.IntStream;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;

class BalancedAssignmentTest {

    @RepeatedTest(20)
    void assignmentsAreTheCheapestOfAllBalancedOnesWhateverWasAssignedBefore(RepetitionInfo repetition) {
        long seed = repetition.getCurrentRepetition();
        Random random = new Random(seed);
        int experts = 2 + random.nextInt(2);
        int channels = experts * (1 + random.nextInt(experts == 2 ? 4 : 3));
        BalancedAssignment used = new BalancedAssignment(channels, experts);
        for (int round = 0; round < 3; round++) {
            float[] costs = new float[experts * channels];
            for (int i = 0; i < costs.length; i++) {
                costs[i] = 10 * random.nextFloat();
            }
            String where = "seed " + seed + ", round " + round;
            int[] labels = used.assign(costs);
            int[] sizes = new int[experts];
            double cost = 0;
            for (int channel = 0; channel < channels; channel++) {
                sizes[labels[channel]]++;
                cost += costs[labels[channel] * channels + channel];
            }
            assertArrayEquals(IntStream.range(0, experts).map(k -> channels / experts).toArray(), sizes, where);
            assertEquals(cheapest(costs, channels, 0, sizes), cost, 1e-5, where);
            assertArrayEquals(new BalancedAssignment(channels, experts).assign(costs), labels, where);
        }
    }

    /** The least cost of the channels from one on, where each expert still takes so many. */
    private static double cheapest(float[] costs, int channels, int channel, int[] room) {
        double least = channel == channels ? 0 : Double.POSITIVE_INFINITY;
        for (int k = 0; channel < channels && k < room.length; k++) {
            if (room[k] > 0) {
                room[k]--;
                least = Math.min(least, costs[k * channels + channel] + cheapest(costs, channels, channel + 1, room));
                room[k]++;
            }
        }
        return least;
    }
}

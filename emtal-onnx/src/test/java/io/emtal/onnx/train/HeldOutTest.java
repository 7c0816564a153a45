package io.emtal.onnx.train;

import org.junit.jupiter.api.Test;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class HeldOutTest {

    @Test
    void aSingleNetworkDoesWithoutTheRowsThatJudgeIt() {
        HeldOut heldOut = HeldOut.of(new int[] {3, 0, 2, 1}, 0.25, 1);
        assertArrayEquals(new int[] {3}, heldOut.judged());
        assertArrayEquals(new int[] {0, 2, 1}, heldOut.training());
        assertFalse(heldOut.outOfBag());
        assertEquals(0, heldOut.bags(heldOut.training(), 4).length);
    }

    @Test
    void everyRowIsLearntBySomeMembersAndJudgedByTheOthers() {
        for (long seed = 0; seed < 50; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int members = random.nextInt(2, 20);
            int rows = random.nextInt(1, 40);
            int[] order = IntStream.range(0, rows).toArray();
            ShuffleSampler.shuffle(order, random);
            HeldOut heldOut = HeldOut.of(order, random.nextDouble(0.01, 0.99), members);
            String where = "seed " + seed;
            assertTrue(heldOut.outOfBag(), where);
            assertArrayEquals(order, heldOut.training(), where);
            assertArrayEquals(order, heldOut.judged(), where);
            float[] bags = heldOut.bags(order, rows + 1);
            float[] memberLogits = new float[rows * members * 2];
            for (int i = 0; i < rows; i++) {
                float sum = 0;
                for (int m = 0; m < members; m++) {
                    float bag = bags[i * members + m];
                    sum += bag;
                    // A member's logits say whether it has seen the row.
                    memberLogits[(i * members + m) * 2] = bag > 0 ? 1 : 0;
                    memberLogits[(i * members + m) * 2 + 1] = order[i];
                }
                assertEquals(1, sum, 1e-5, where);
            }
            float[] unseen = heldOut.unseen(order, memberLogits);
            for (int i = 0; i < rows; i++) {
                assertEquals(0, unseen[i * 2], where);
                assertEquals(order[i], unseen[i * 2 + 1], 1e-4, where);
            }
            assertTrue(IntStream.range(rows * members, bags.length).allMatch(i -> bags[i] == 0), where);
        }
    }

    @Test
    void withoutAFractionAllMembersSeeAllRows() {
        HeldOut heldOut = HeldOut.of(new int[] {1, 0}, 0, 4);
        assertEquals(0, heldOut.judged().length);
        float[] expected = new float[8];
        Arrays.fill(expected, 0.25f);
        assertArrayEquals(expected, heldOut.bags(new int[] {0, 1}, 2));
    }

    @Test
    void ofVeryManyRowsSomeJudgeAndTheOthersAreLearntFrom() {
        int[] order = IntStream.range(0, 3 * HeldOut.MOST_JUDGED).toArray();
        ShuffleSampler.shuffle(order, new SplittableRandom(1));
        int[] first = Arrays.copyOf(order, HeldOut.MOST_JUDGED);
        HeldOut single = HeldOut.of(order, 0.5, 1);
        assertArrayEquals(first, single.judged());
        assertArrayEquals(Arrays.copyOfRange(order, first.length, order.length), single.training());
        HeldOut ensemble = HeldOut.of(order, 0.5, 4);
        assertArrayEquals(first, ensemble.judged());
        assertArrayEquals(order, ensemble.training());
        assertArrayEquals(new float[] {0, 0.5f, 0, 0.5f}, ensemble.bags(new int[] {order[0]}, 1),
                "rows are out of bags whether they judge or not");
    }
}

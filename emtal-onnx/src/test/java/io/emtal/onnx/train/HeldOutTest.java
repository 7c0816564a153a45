package io.emtal.onnx.train;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.MemberWeights;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.TaskLayout;
import org.junit.jupiter.api.Test;

import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.function.IntUnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

class HeldOutTest {

    private static final Examples ROWS = rows(row -> row);

    private static final TaskLayout CLASSES = new TaskLayout(List.of(new BinaryTask("a"), new BinaryTask("b")));
    private static final TaskLayout MIXED = new TaskLayout(List.of(new BinaryTask("a"), new RealTask("b", 0, 1, 1)));

    private static HeldOut of(Examples rows, int[] order, double fraction, int members) {
        return HeldOut.of(rows, order, 0, fraction, MemberWeights.of(CLASSES, members));
    }

    /** Rows of which some are copies; nothing else of them is looked at. */
    private static Examples rows(IntUnaryOperator original) {
        return new Examples() {
            @Override
            public int size() {
                throw new UnsupportedOperationException();
            }

            @Override
            public int width() {
                throw new UnsupportedOperationException();
            }

            @Override
            public void inputs(int row, FloatBuffer target) {
                throw new UnsupportedOperationException();
            }

            @Override
            public float label(int row, int task) {
                throw new UnsupportedOperationException();
            }

            @Override
            public int original(int row) {
                return original.applyAsInt(row);
            }
        };
    }

    @Test
    void copiesStayTogether() {
        for (long seed = 0; seed < 50; seed++) {
            String where = "seed " + seed;
            SplittableRandom random = new SplittableRandom(seed);
            int size = random.nextInt(2, 60);
            int[] originals = IntStream.generate(() -> random.nextInt(size)).limit(size).toArray();
            Examples rows = rows(row -> originals[row]);
            int[] order = IntStream.range(0, size).toArray();
            ShuffleSampler.shuffle(order, random);
            HeldOut single = of(rows, order, 0.3, 1);
            Set<Integer> judged = Arrays.stream(single.judged()).mapToObj(row -> originals[row])
                    .collect(Collectors.toSet());
            assertEquals(size, single.judged().length + single.training().length, where);
            assertTrue(single.judged().length <= Math.round(0.3 * size), where);
            assertTrue(Arrays.stream(single.training()).noneMatch(row -> judged.contains(originals[row])), where);
            HeldOut ensemble = of(rows, order, 0.25, 8);
            for (int a = 0; a < size; a++) {
                for (int b = 0; b < a; b++) {
                    if (originals[a] == originals[b]) {
                        assertArrayEquals(ensemble.bags(new int[] {a}, 1), ensemble.bags(new int[] {b}, 1), where);
                    }
                }
            }
        }
    }

    @Test
    void aSingleNetworkDoesWithoutTheRowsThatJudgeIt() {
        HeldOut heldOut = of(ROWS, new int[] {3, 0, 2, 1}, 0.25, 1);
        assertArrayEquals(new int[] {3}, heldOut.judged());
        assertArrayEquals(new int[] {0, 2, 1}, heldOut.training());
        assertFalse(heldOut.outOfBag());
        assertEquals(0, heldOut.bags(heldOut.training(), 4).length);
    }

    /** Two rows twice: each part gets one of them. */
    @Test
    void copiesAreSpreadOverTheParts() {
        HeldOut heldOut = of(rows(row -> row / 2), new int[] {0, 1, 2, 3}, 0.5, 2);
        assertArrayEquals(new float[] {0, 1, 0, 1, 1, 0, 1, 0}, heldOut.bags(new int[] {0, 1, 2, 3}, 4));
    }

    @Test
    void everyRowIsLearntBySomeMembersAndJudgedByTheOthers() {
        for (long seed = 0; seed < 50; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int members = random.nextInt(2, 20);
            int rows = random.nextInt(1, 40);
            int[] order = IntStream.range(0, rows).toArray();
            ShuffleSampler.shuffle(order, random);
            HeldOut heldOut = HeldOut.of(ROWS, order, 0, random.nextDouble(0.01, 0.99),
                    MemberWeights.of(random.nextBoolean() ? CLASSES : MIXED, members));
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
            float[] unseen = heldOut.unseen(order, heldOut.whole().members(), memberLogits);
            for (int i = 0; i < rows; i++) {
                assertEquals(0, unseen[i * 2], where);
                assertEquals(order[i], unseen[i * 2 + 1], 1e-4, where);
            }
            assertTrue(IntStream.range(rows * members, bags.length).allMatch(i -> bags[i] == 0), where);
        }
    }

    @Test
    void everyRowIsInOnePartWithAllMembersThatHaveNotSeenIt() {
        for (long seed = 0; seed < 50; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int members = random.nextInt(2, 20);
            int[] order = IntStream.range(0, random.nextInt(1, 40)).toArray();
            ShuffleSampler.shuffle(order, random);
            HeldOut heldOut = HeldOut.of(ROWS, order, 0.2, random.nextDouble(0.01, 0.99),
                    MemberWeights.of(random.nextBoolean() ? CLASSES : MIXED, members));
            String where = "seed " + seed;
            int[] placed = new int[heldOut.judged().length];
            List<HeldOut.Part> parts = heldOut.parts();
            for (HeldOut.Part part : parts) {
                assertTrue(part.rows().length > 0, where);
                assertEquals(parts.get(0).members().length, part.members().length, where);
                Set<Integer> computed = Arrays.stream(part.members()).boxed().collect(Collectors.toSet());
                assertEquals(part.members().length, computed.size(), where);
                float[] bags = heldOut.bags(part.rows(), part.rows().length);
                for (int i = 0; i < part.rows().length; i++) {
                    placed[part.places()[i]]++;
                    assertEquals(heldOut.judged()[part.places()[i]], part.rows()[i], where);
                    for (int m = 0; m < members; m++) {
                        assertTrue(bags[i * members + m] > 0 || computed.contains(m), where);
                    }
                }
            }
            assertTrue(Arrays.stream(placed).allMatch(count -> count == 1), where);
        }
    }

    /** Members 0 and 2 have not seen row 0; the first is for numbers, the other for classes. */
    @Test
    void unseenIsAWeightedMean() {
        HeldOut heldOut = HeldOut.of(ROWS, new int[] {0, 1}, 0, 0.5, MemberWeights.of(MIXED, 4));
        float[] memberLogits = {1, 1, 9, 9, 5, 5, 9, 9};
        assertArrayEquals(new float[] {(0.05f + 5) / 1.05f, (1 + 0.05f * 5) / 1.05f},
                heldOut.unseen(new int[] {0}, new int[] {0, 1, 2, 3}, memberLogits), 1e-5f);
    }

    /** Whatever the fraction, numbers are judged by members for numbers, and classes by those for classes. */
    @Test
    void eachPartHasMembersOfBothHalves() {
        int[] order = IntStream.range(0, 60).toArray();
        for (int members = 4; members < 40; members++) {
            MemberWeights weights = MemberWeights.of(MIXED, members);
            for (double fraction : new double[] {0.01, 0.06, 0.1, 0.125, 0.3, 0.5}) {
                HeldOut heldOut = HeldOut.of(ROWS, order, 0, fraction, weights);
                float[] bags = heldOut.bags(order, order.length);
                for (int row = 0; row < order.length; row++) {
                    for (int column = 0; column < 2; column++) {
                        boolean some = false;
                        for (int m = 0; m < members; m++) {
                            some |= bags[row * members + m] == 0 && weights.of(m, column) > 1;
                        }
                        assertTrue(some, members + " members, fraction " + fraction + ", row " + row);
                    }
                }
            }
        }
    }

    @Test
    void withoutAFractionAllMembersSeeAllRows() {
        HeldOut heldOut = of(ROWS, new int[] {1, 0}, 0, 4);
        assertEquals(0, heldOut.judged().length);
        float[] expected = new float[8];
        Arrays.fill(expected, 0.25f);
        assertArrayEquals(expected, heldOut.bags(new int[] {0, 1}, 2));
    }

    /** The others train and choose as they would have done alone; copies of a row that tests do so, too. */
    @Test
    void rowsThatTestAreNeitherTrainedOnNorChoose() {
        for (long seed = 0; seed < 50; seed++) {
            String where = "seed " + seed;
            SplittableRandom random = new SplittableRandom(seed);
            int size = random.nextInt(8, 60);
            Examples rows = rows(random.nextBoolean() ? row -> row : row -> row / 2);
            int[] order = IntStream.range(0, size).toArray();
            ShuffleSampler.shuffle(order, random);
            for (int members : new int[] {1, 4}) {
                MemberWeights weights = MemberWeights.of(CLASSES, members);
                HeldOut heldOut = HeldOut.of(rows, order, 0.3, 0.25, weights);
                Set<Integer> tested = Arrays.stream(heldOut.tested()).mapToObj(rows::original)
                        .collect(Collectors.toSet());
                assertTrue(heldOut.tested().length <= Math.round(0.3 * size), where);
                assertTrue(heldOut.tested().length >= Math.round(0.3 * size) - 1, where);
                int[] others = Arrays.stream(order).filter(row -> !tested.contains(rows.original(row))).toArray();
                assertEquals(size, heldOut.tested().length + others.length, where);
                assertArrayEquals(Arrays.stream(others).sorted().toArray(), HeldOut.untested(rows, order, 0.3), where);
                if (members == 1) {
                    HeldOut alone = HeldOut.of(rows, others, 0, 0.25, weights);
                    assertEquals(0, alone.tested().length);
                    assertArrayEquals(alone.training(), heldOut.training(), where);
                    assertArrayEquals(alone.judged(), heldOut.judged(), where);
                } else {
                    assertArrayEquals(others, heldOut.training(), where);
                    assertArrayEquals(others, heldOut.judged(), where);
                    assertTrue(heldOut.outOfBag(), where);
                }
                assertTrue(IntStream.concat(Arrays.stream(heldOut.training()), Arrays.stream(heldOut.judged()))
                        .noneMatch(row -> tested.contains(rows.original(row))), where);
            }
        }
    }

    @Test
    void ofVeryManyRowsSomeJudgeAndTheOthersAreLearntFrom() {
        int[] order = IntStream.range(0, 3 * HeldOut.MOST_JUDGED).toArray();
        ShuffleSampler.shuffle(order, new SplittableRandom(1));
        int[] first = Arrays.copyOf(order, HeldOut.MOST_JUDGED);
        HeldOut single = of(ROWS, order, 0.5, 1);
        assertArrayEquals(first, single.judged());
        assertArrayEquals(Arrays.copyOfRange(order, first.length, order.length), single.training());
        HeldOut ensemble = of(ROWS, order, 0.5, 4);
        assertArrayEquals(first, ensemble.judged());
        assertArrayEquals(order, ensemble.training());
        assertArrayEquals(new float[] {0, 0.5f, 0, 0.5f}, ensemble.bags(new int[] {order[0]}, 1),
                "rows are out of bags whether they judge or not");
    }
}

package io.emtal.onnx.train;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.task.MemberWeights;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.List;
import java.util.stream.IntStream;

/**
 * The rows that choose the best epoch, and those that test the finished network. A single network does without the rows
 * that choose: they are held out of its training. Of an ensemble each member does without another part of the rows, so
 * that together all are trained on, and each row is judged by the members that have not seen it (out-of-bag, Breiman
 * 1996). Rows that test are neither trained on nor choose.
 *
 * <p>Copies of one row, as a bootstrap has them, stay together: else those that have seen a row would judge it.
 *
 * <p>Of more than {@value #MOST_JUDGED} rows that could judge or test, so many drawn at random do.
 */
final class HeldOut {

    /** The most rows that choose: beyond it a loss says no more, and judging all of millions would cost as much as training. */
    static final int MOST_JUDGED = 20_000;

    private final int[] tested;
    private final int[] training;
    private final int[] judged;
    private final MemberWeights weights;
    /** The part that each row is in; empty where no row is out of a bag. */
    private final int[] part;
    private final int parts;

    private HeldOut(int[] tested, int[] training, int[] judged, MemberWeights weights, int[] part, int parts) {
        this.tested = tested;
        this.training = training;
        this.judged = judged;
        this.weights = weights;
        this.part = part;
        this.parts = parts;
    }

    /**
     * Chooses the rows.
     *
     * @param rows the rows
     * @param all all of them, shuffled
     * @param testFraction the fraction of the rows that test, 0 for none
     * @param fraction the fraction of the others that a network does without, 0 for none
     * @param weights the members of the ensemble, or the only one of a single network
     */
    static HeldOut of(Examples rows, int[] all, double testFraction, double fraction, MemberWeights weights) {
        BitSet test = held(rows, all, testFraction);
        int[] tested = select(rows, all, test, true);
        int[] order = select(rows, all, test, false);
        if (fraction == 0) {
            return new HeldOut(tested, order, new int[0], weights, new int[0], 0);
        }
        if (weights.members() == 1) {
            BitSet held = held(rows, order, fraction);
            return new HeldOut(tested, select(rows, order, held, false), select(rows, order, held, true), weights,
                    new int[0], 0);
        }
        int parts = (int) Math.max(2, Math.min(weights.mostParts(), Math.round(1 / fraction)));
        int[] partOf = new int[groups(rows, order)];
        Arrays.fill(partOf, -1);
        int[] part = new int[all.length];
        int next = 0;
        for (int row : order) {
            int original = rows.original(row);
            if (partOf[original] < 0) {
                partOf[original] = next++ % parts;
            }
            part[row] = partOf[original];
        }
        return new HeldOut(tested, order, Arrays.copyOf(order, Math.min(order.length, MOST_JUDGED)), weights, part, parts);
    }

    /**
     * The rows that do not test.
     *
     * @param rows the rows
     * @param all all of them, shuffled
     * @param testFraction the fraction of the rows that test, 0 for none
     * @return which they are, ascending
     */
    static int[] untested(Examples rows, int[] all, double testFraction) {
        return Arrays.stream(select(rows, all, held(rows, all, testFraction), false)).sorted().toArray();
    }

    /** The rows whose originals are held out, or the others. */
    private static int[] select(Examples rows, int[] order, BitSet held, boolean wanted) {
        return held.isEmpty() && !wanted ? order
                : Arrays.stream(order).filter(row -> held.get(rows.original(row)) == wanted).toArray();
    }

    private static int groups(Examples rows, int[] order) {
        return Arrays.stream(order).map(rows::original).max().orElse(-1) + 1;
    }

    /** Which originals are held out: with all their copies they are not more rows than wanted. */
    private static BitSet held(Examples rows, int[] order, double fraction) {
        long wanted = Math.min(Math.round(fraction * order.length), MOST_JUDGED);
        if (wanted == 0) {
            return new BitSet();
        }
        int[] originals = Arrays.stream(order).map(rows::original).toArray();
        int[] copies = new int[groups(rows, order)];
        for (int original : originals) {
            copies[original]++;
        }
        BitSet held = new BitSet();
        long count = 0;
        for (int original : originals) {
            if (!held.get(original) && count + copies[original] <= wanted) {
                held.set(original);
                count += copies[original];
            }
        }
        return held;
    }

    /** The rows that test. */
    int[] tested() {
        return tested;
    }

    /** The rows that are trained on. */
    int[] training() {
        return training;
    }

    /** The rows that are judged. */
    int[] judged() {
        return judged;
    }

    /** Whether rows are judged by some members of an ensemble only. */
    boolean outOfBag() {
        return parts > 0;
    }

    /**
     * Judged rows that are given to the same members.
     *
     * @param places where they are among all judged rows
     * @param rows the rows
     * @param members some members, among them all that have not seen the rows
     */
    record Part(int[] places, int[] rows, int[] members) {
    }

    /** All judged rows, given to all members of an ensemble. */
    Part whole() {
        return new Part(IntStream.range(0, judged.length).toArray(), judged,
                IntStream.range(0, weights.members()).toArray());
    }

    /**
     * The judged rows of an ensemble by what members have not seen them.
     *
     * @return parts with at least a row each and equally many members
     */
    List<Part> parts() {
        int members = weights.members();
        int most = (members + parts - 1) / parts;
        List<Part> all = new ArrayList<>();
        for (int p = 0; p < parts; p++) {
            int own = p;
            int[] places = IntStream.range(0, judged.length).filter(i -> part[judged[i]] == own).toArray();
            if (places.length > 0) {
                // A part with a member less gets one of another part.
                all.add(new Part(places, Arrays.stream(places).map(i -> judged[i]).toArray(),
                        IntStream.range(0, most).map(i -> (own + i * parts) % members).toArray()));
            }
        }
        return all;
    }

    private boolean holds(int member, int row) {
        return parts > 0 && member % parts == part[row];
    }

    /**
     * What training rows count for the members of an ensemble.
     *
     * @param rows the rows
     * @param padded how many rows to make room for; those behind the given ones count nothing
     * @return [padded, M], where a row's sum is 1; none without an ensemble
     */
    float[] bags(int[] rows, int padded) {
        int members = weights.members();
        float[] bags = new float[members == 1 ? 0 : padded * members];
        for (int i = 0; i < rows.length && members > 1; i++) {
            int row = rows[i];
            long trained = IntStream.range(0, members).filter(m -> !holds(m, row)).count();
            for (int m = 0; m < members; m++) {
                bags[i * members + m] = holds(m, row) ? 0 : 1f / trained;
            }
        }
        return bags;
    }

    /**
     * The mean logits of the members that have not seen a row, each counting as it does in the whole ensemble's.
     *
     * @param rows some rows
     * @param members k members, among them all that have not seen one of the rows
     * @param memberLogits their logits, [rows, k, C]
     * @return [rows, C]
     */
    float[] unseen(int[] rows, int[] members, float[] memberLogits) {
        int columns = weights.columns();
        float[] logits = new float[rows.length * columns];
        for (int i = 0; i < rows.length; i++) {
            float[] counts = new float[columns];
            for (int m = 0; m < members.length; m++) {
                if (holds(members[m], rows[i])) {
                    for (int c = 0; c < columns; c++) {
                        float weight = weights.of(members[m], c);
                        logits[i * columns + c] += weight * memberLogits[(i * members.length + m) * columns + c];
                        counts[c] += weight;
                    }
                }
            }
            for (int c = 0; c < columns; c++) {
                logits[i * columns + c] /= counts[c];
            }
        }
        return logits;
    }
}

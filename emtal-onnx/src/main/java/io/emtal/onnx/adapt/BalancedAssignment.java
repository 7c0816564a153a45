package io.emtal.onnx.adapt;

import java.util.Arrays;

/**
 * Assigns H channels to K experts so that each gets exactly {@code m = H / K} of them at the least cost: a
 * transportation problem, solved exactly by successive shortest paths (Ahuja, Magnanti, Orlin, Network Flows, 1993,
 * section 9.7). Each channel in turn takes the cheapest path of moves from expert to expert that ends where there is
 * room. Paths lead over experts only, so a solution takes memory for K² moves and no more than the costs.
 */
final class BalancedAssignment {

    // Costs are rounded to this part of the largest: finer than a float, and whole numbers add up without error, so
    // that no path can gain by going round.
    private static final double UNITS = 1L << 40;

    private static final int NONE = -1;

    private final int channels;
    private final int experts;
    private final int capacity;
    // [K, H]
    private final long[] costs;
    private final int[] labels;
    private final int[][] members;
    private final int[] sizes;
    // At k · K + l: the place, among expert k's members, of the cheapest one to move to expert l, and what that costs.
    private final int[] mover;
    private final long[] moving;

    private BalancedAssignment(float[] costs, int channels, int experts) {
        this.channels = channels;
        this.experts = experts;
        capacity = channels / experts;
        float largest = 0;
        for (float cost : costs) {
            largest = Math.max(largest, cost);
        }
        double scale = largest > 0 ? UNITS / largest : 0;
        this.costs = new long[costs.length];
        for (int i = 0; i < costs.length; i++) {
            this.costs[i] = Math.round(costs[i] * scale);
        }
        labels = new int[channels];
        members = new int[experts][capacity];
        sizes = new int[experts];
        mover = new int[experts * experts];
        moving = new long[experts * experts];
    }

    /**
     * Assigns.
     *
     * @param costs what each channel costs at each expert, 0 or more, [K, H]
     * @param channels the number of channels, H
     * @param experts the number of experts, K; it divides H
     * @return the expert of each channel, [H]
     */
    static int[] of(float[] costs, int channels, int experts) {
        var assignment = new BalancedAssignment(costs, channels, experts);
        for (int channel = 0; channel < channels; channel++) {
            assignment.add(channel);
        }
        return assignment.labels;
    }

    private void add(int channel) {
        long[] distances = new long[experts];
        for (int k = 0; k < experts; k++) {
            distances[k] = cost(channel, k);
        }
        int[] from = new int[experts];
        Arrays.fill(from, NONE);
        boolean shortened;
        do {
            shortened = shorten(distances, from);
        } while (shortened);
        int end = nearestWithRoom(distances);
        int expert = end;
        int place = sizes[end]++;
        while (from[expert] != NONE) {
            int before = from[expert];
            int freed = mover[before * experts + expert];
            put(members[before][freed], expert, place);
            expert = before;
            place = freed;
        }
        put(channel, expert, place);
        for (int k = end; k != NONE; k = from[k]) {
            if (sizes[k] == capacity) {
                findMovers(k);
            }
        }
    }

    /** A round of Bellman and Ford. Only from full experts: where there is room, a path has come to its end. */
    private boolean shorten(long[] distances, int[] from) {
        boolean shortened = false;
        for (int k = 0; k < experts; k++) {
            if (sizes[k] < capacity) {
                continue;
            }
            for (int l = 0; l < experts; l++) {
                long distance = distances[k] + moving[k * experts + l];
                if (distance < distances[l]) {
                    distances[l] = distance;
                    from[l] = k;
                    shortened = true;
                }
            }
        }
        return shortened;
    }

    private int nearestWithRoom(long[] distances) {
        int nearest = NONE;
        for (int k = 0; k < experts; k++) {
            if (sizes[k] < capacity && (nearest == NONE || distances[k] < distances[nearest])) {
                nearest = k;
            }
        }
        return nearest;
    }

    private void put(int channel, int expert, int place) {
        members[expert][place] = channel;
        labels[channel] = expert;
    }

    private void findMovers(int expert) {
        for (int l = 0; l < experts; l++) {
            int cheapest = NONE;
            long least = Long.MAX_VALUE;
            for (int place = 0; place < capacity; place++) {
                int channel = members[expert][place];
                long cost = cost(channel, l) - cost(channel, expert);
                if (cost < least) {
                    least = cost;
                    cheapest = place;
                }
            }
            mover[expert * experts + l] = cheapest;
            moving[expert * experts + l] = least;
        }
    }

    private long cost(int channel, int expert) {
        return costs[expert * channels + channel];
    }
}

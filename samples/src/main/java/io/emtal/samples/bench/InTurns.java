package io.emtal.samples.bench;

import java.util.Arrays;
import java.util.List;

/** Runs several things in turns, so that whatever disturbs the machine disturbs all alike. */
final class InTurns {
    private static final int WARM_UPS = 5;

    private InTurns() {
    }

    /**
     * Measures.
     *
     * @param what what is measured
     * @param rounds how often each is run
     * @return the times of each
     */
    static List<Timings> measure(List<Runnable> what, int rounds) {
        long[][] nanos = new long[what.size()][rounds];
        for (int round = -WARM_UPS; round < rounds; round++) {
            for (int k = 0; k < nanos.length; k++) {
                // Whoever comes first in a turn pays for what the others left in the caches.
                int next = Math.floorMod(k + round, nanos.length);
                long begun = System.nanoTime();
                what.get(next).run();
                if (round >= 0) {
                    nanos[next][round] = System.nanoTime() - begun;
                }
            }
        }
        return Arrays.stream(nanos).map(Timings::new).toList();
    }
}

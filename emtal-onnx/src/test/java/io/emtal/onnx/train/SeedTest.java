package io.emtal.onnx.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

import java.util.HashSet;
import java.util.Set;

class SeedTest {

    /** Positions and seeds beside each other have nothing in common, at any depth. */
    @Test
    void everyPlaceHasASeedOfItsOwn() {
        Set<Long> seen = new HashSet<>();
        int places = 0;
        for (long root = 0; root < 8; root++) {
            for (long epoch = 0; epoch < 8; epoch++) {
                for (long step = 0; step < 64; step++) {
                    assertTrue(seen.add(new Seed(root).at(epoch).at(step).value()), root + " " + epoch + " " + step);
                    places++;
                }
            }
        }
        assertEquals(8 * 8 * 64, places);
    }

    @Test
    void aPlaceDoesNotDependOnWhatWasDrawnBefore() {
        Seed epoch = new Seed(5).at(3);
        long first = epoch.random().nextLong();
        epoch.random().nextDouble();
        assertEquals(first, new Seed(5).at(3).random().nextLong());
        assertEquals(epoch.at(7), new Seed(5).at(3).at(7));
    }
}

package io.emtal.samples.bench;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.stream.LongStream;
import org.junit.jupiter.api.Test;

class TimingsTest {
    @Test
    void ranks() {
        Timings odd = new Timings(new long[] {3_000_000, 1_000_000, 2_000_000});
        assertEquals(2, odd.medianMillis(), 1e-12);
        assertEquals(1, odd.minMillis(), 1e-12);
        assertEquals(3, odd.percentile95Millis(), 1e-12);
        Timings hundred = new Timings(LongStream.rangeClosed(1, 100).map(i -> i * 1_000_000).toArray());
        assertEquals(50.5, hundred.medianMillis(), 1e-12);
        assertEquals(95, hundred.percentile95Millis(), 1e-12);
    }
}

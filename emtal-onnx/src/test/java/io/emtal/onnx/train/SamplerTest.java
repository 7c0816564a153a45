package io.emtal.onnx.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.oracle.labs.mlrg.olcut.config.ConfigurationManager;
import com.oracle.labs.mlrg.olcut.provenance.ProvenanceUtil;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.PackedExamples;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;

class SamplerTest {

    private static final int COMMON = 810;
    private static final int RARE = 90;
    private static final int ROWS = 1000;

    /** The first rows have a label of task 0, those behind them one of task 1, none of task 2, and the last ones nothing. */
    private final PackedExamples examples = PackedExamples.pack(ROWS, 1, 3, (row, inputs, labels) -> {
        if (row < COMMON) {
            labels[0] = 1;
        } else if (row < COMMON + RARE) {
            labels[1] = 1;
        }
    });
    private final int[] training = IntStream.range(0, ROWS).map(i -> ROWS - 1 - i).toArray();

    static Stream<Sampler> samplers() {
        return Stream.of(new ShuffleSampler(), new TemperatureSampler(), new TemperatureSampler(1),
                TemperatureSampler.balanced());
    }

    @ParameterizedTest
    @MethodSource("samplers")
    void theSeedDecidesAndNothingIsChanged(Sampler sampler) {
        int[] before = training.clone();
        int[] first = sampler.epoch(training, examples, 3, 5);
        assertArrayEquals(before, training);
        assertEquals(ROWS, first.length);
        assertArrayEquals(first, sampler.epoch(training, examples, 3, 5));
        assertFalse(Arrays.equals(first, sampler.epoch(training, examples, 3, 6)));
    }

    @Test
    void shufflingTakesEveryRowOnce() {
        int[] rows = new ShuffleSampler().epoch(training, examples, 3, 1);
        assertArrayEquals(IntStream.range(0, ROWS).toArray(), Arrays.stream(rows).sorted().toArray());
    }

    /** n^(1/T): 810 to 90, 28.5 to 9.5, and alike. */
    @ParameterizedTest
    @CsvSource({"1, 0.9", "2, 0.75", "Infinity, 0.5"})
    void tasksComeAsTheTemperatureSays(double temperature, double expected) {
        long common = 0;
        long drawn = 0;
        for (long seed = 0; seed < 50; seed++) {
            int[] rows = new TemperatureSampler(temperature).epoch(training, examples, 3, seed);
            assertTrue(Arrays.stream(rows).allMatch(row -> row < COMMON + RARE), "rows without a label");
            common += Arrays.stream(rows).filter(row -> row < COMMON).count();
            drawn += rows.length;
        }
        // 50,000 draws: five standard deviations are 0.011.
        assertEquals(expected, common / (double) drawn, 0.011);
    }

    @Test
    void allRowsOfATaskComeBeforeOneComesAgain() {
        int[] rows = Arrays.stream(TemperatureSampler.balanced().epoch(training, examples, 3, 3))
                .filter(row -> row >= COMMON).toArray();
        assertTrue(rows.length > 2 * RARE, "the test needs two rounds");
        for (int round = 0; round < 2; round++) {
            assertEquals(RARE, Arrays.stream(rows, round * RARE, (round + 1) * RARE).distinct().count());
        }
    }

    @ParameterizedTest
    @MethodSource("samplers")
    void recipesKeepTheirSampler(Sampler sampler) {
        Recipe recipe = Recipe.builder().sampler(sampler).headPatience(4).build();
        var configuration = ProvenanceUtil.extractConfiguration(recipe.getProvenance());
        ConfigurationManager manager = new ConfigurationManager();
        manager.addConfiguration(configuration);
        Recipe read = (Recipe) manager.lookup(configuration.get(0).getName());
        assertEquals(recipe.getProvenance(), read.getProvenance());
        assertArrayEquals(sampler.epoch(training, examples, 3, 9), read.sampler().epoch(training, examples, 3, 9));
    }

    @Test
    void temperaturesBelowOneAreRefused() {
        for (double temperature : new double[] {0.5, -1, Double.NaN}) {
            assertThrows(EmtalException.class, () -> new TemperatureSampler(temperature));
        }
    }
}

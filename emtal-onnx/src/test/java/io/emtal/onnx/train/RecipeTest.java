package io.emtal.onnx.train;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

class RecipeTest {

    /** ViT-Tiny's widest value has 197 · 768 elements a row, that of 65 tokens with 4 heads 4 · 65². */
    @ParameterizedTest
    @CsvSource({
        "16, 151296, 1, 2",
        "16, 151296, 2, 2",
        "64, 16900, 1, 16",
        "64, 16900, 2, 16",
        "64, 16900, 3, 11",
        "64, 4352, 1, 64",
        "64, 4352, 2, 32",
        "3, 16900, 2, 2",
        "1, 1000000000, 8, 1",
        "8, 1, 16, 1"})
    void microBatchesFitTheCacheAndTheWorkers(int batch, long widest, int workers, int expected) {
        assertEquals(expected, Recipe.builder().workers(workers).build().microBatchSize(batch, widest));
    }

    @ParameterizedTest
    @CsvSource({"16, 5, 5", "4, 5, 4"})
    void aGivenSizeIsKept(int batch, int given, int expected) {
        assertEquals(expected, Recipe.builder().microBatchSize(given).build().microBatchSize(batch, 1));
    }

    @Test
    void missingPartsAreRefused() {
        Recipe.Builder builder = Recipe.builder();
        assertThrows(NullPointerException.class, () -> builder.optimizer(null));
        assertThrows(NullPointerException.class, () -> builder.pretrainSchedule(null));
        assertThrows(NullPointerException.class, () -> builder.schedule(null));
        assertThrows(NullPointerException.class, () -> builder.losses(null));
        assertThrows(NullPointerException.class, () -> builder.sampler(null));
        builder.build();
    }

    @Test
    void whatIsBuiltIsNotChangedByItsBuilder() {
        Recipe.Builder builder = Recipe.builder().epochs(3);
        Recipe first = builder.build();
        Recipe second = builder.epochs(4).validationFraction(0.5).build();
        assertEquals(Recipe.builder().epochs(3).build().getProvenance(), first.getProvenance());
        assertEquals(Recipe.builder().epochs(4).validationFraction(0.5).build().getProvenance(),
                second.getProvenance());
    }
}

package io.emtal.samples.compare;

import io.emtal.samples.table.NaturalFeatures;
import io.emtal.samples.table.Table;
import io.emtal.samples.table.TargetView;
import io.emtal.tribuo.EmtalTrainer;
import io.emtal.tribuo.Pretraining;
import java.nio.IntBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.function.LongFunction;
import org.tribuo.Output;

/**
 * Pre-trainings of a table with one seed, one for each choice of training rows, which several methods adapt. Those of an
 * earlier table or seed are closed as soon as there is another.
 *
 * @param <T> the type of the outputs
 */
final class Pretrainings<T extends Output<T>> implements AutoCloseable {
    private final LongFunction<EmtalTrainer<T>> trainer;
    private final Map<IntBuffer, Shared<T>> byRows = new HashMap<>();
    private Table table;
    private long seed;

    /**
     * Before any.
     *
     * @param trainer makes the trainer from a seed
     */
    Pretrainings(LongFunction<EmtalTrainer<T>> trainer) {
        this.trainer = trainer;
    }

    /** A pre-training, and how long it took. */
    record Shared<T extends Output<T>>(Pretraining<T> pretraining, double seconds) {
    }

    /** Whether the pre-training with this seed on these rows is there already. */
    boolean has(Table table, int[] rows, long seed) {
        return this.table == table && this.seed == seed && byRows.containsKey(IntBuffer.wrap(rows));
    }

    /** The pre-training with a seed on some rows of a table. */
    Shared<T> of(Table table, TargetView<T> targets, int[] rows, long seed) {
        if (this.table != table || this.seed != seed) {
            close();
            this.table = table;
            this.seed = seed;
        }
        return byRows.computeIfAbsent(IntBuffer.wrap(rows), key -> {
            long start = System.nanoTime();
            Pretraining<T> pretraining = trainer.apply(seed).pretrain(table.dataset(new NaturalFeatures(table), targets,
                    rows));
            return new Shared<>(pretraining, (System.nanoTime() - start) / 1e9);
        });
    }

    @Override
    public void close() {
        byRows.values().forEach(shared -> shared.pretraining.close());
        byRows.clear();
    }
}

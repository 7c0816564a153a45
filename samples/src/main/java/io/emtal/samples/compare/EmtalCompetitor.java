package io.emtal.samples.compare;

import io.emtal.samples.table.NaturalFeatures;
import io.emtal.samples.table.Table;
import io.emtal.samples.table.TargetView;
import io.emtal.tribuo.EmtalTrainer;
import java.util.function.Function;
import java.util.function.LongFunction;
import org.tribuo.Output;

/**
 * A trainer of EMTAL, or one of its controls, on all targets at once.
 *
 * @param <T> the type of the outputs
 * @param name its name
 * @param trainer makes the trainer from a seed
 * @param targets how the targets of a table are put to it
 */
record EmtalCompetitor<T extends Output<T>>(String name, LongFunction<EmtalTrainer<T>> trainer,
        Function<Table, TargetView<T>> targets) implements Competitor<T> {
    @Override
    public boolean seeded() {
        return true;
    }

    @Override
    public Fitted<T> fit(Table table, int[] rows, long seed) {
        TargetView<T> view = targets.apply(table);
        return new EmtalFitted<>(trainer.apply(seed).train(table.dataset(new NaturalFeatures(table), view, rows)), table,
                view, 0);
    }
}

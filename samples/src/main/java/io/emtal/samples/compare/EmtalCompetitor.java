package io.emtal.samples.compare;

import io.emtal.samples.table.NaturalFeatures;
import io.emtal.samples.table.Table;
import io.emtal.samples.table.TargetView;
import io.emtal.tribuo.EmtalModel;
import java.util.function.Function;
import org.tribuo.Dataset;
import org.tribuo.Output;

/**
 * A trainer of EMTAL, or one of its controls, on all targets at once.
 *
 * @param <T> the type of the outputs
 * @param name its name
 * @param training trains
 * @param targets how the targets of a table are put to it
 */
record EmtalCompetitor<T extends Output<T>>(String name, Training<T> training,
        Function<Table, TargetView<T>> targets) implements Competitor<T> {
    /** Trains on examples with a seed. */
    interface Training<T extends Output<T>> {
        EmtalModel<T> train(Dataset<T> examples, long seed);
    }

    @Override
    public boolean seeded() {
        return true;
    }

    @Override
    public Fitted<T> fit(Table table, int[] rows, long seed) {
        TargetView<T> view = targets.apply(table);
        return new EmtalFitted<>(training.train(table.dataset(new NaturalFeatures(table), view, rows), seed), table, view,
                0);
    }
}

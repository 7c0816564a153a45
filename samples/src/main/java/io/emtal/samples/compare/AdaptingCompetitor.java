package io.emtal.samples.compare;

import io.emtal.onnx.adapt.AdaptationMethod;
import io.emtal.samples.table.Table;
import io.emtal.samples.table.TargetView;
import java.util.function.Function;
import org.tribuo.Output;

/**
 * EMTAL, or one of its controls, on all targets at once, where several adapt the same pre-trainings.
 *
 * @param <T> the type of the outputs
 * @param name its name
 * @param method how a pre-training is adapted
 * @param pretrainings the pre-trainings that it shares with others
 * @param targets how the targets of a table are put to the trainer
 */
record AdaptingCompetitor<T extends Output<T>>(String name, AdaptationMethod method, Pretrainings<T> pretrainings,
        Function<Table, TargetView<T>> targets) implements Competitor<T> {
    @Override
    public boolean seeded() {
        return true;
    }

    @Override
    public Fitted<T> fit(Table table, int[] rows, long seed) {
        TargetView<T> view = targets.apply(table);
        boolean there = pretrainings.has(table, rows, seed);
        Pretrainings.Shared<T> shared = pretrainings.of(table, view, rows, seed);
        return new EmtalFitted<>(shared.pretraining().adapt(method), table, view, there ? shared.seconds() : 0);
    }

    @Override
    public void close() {
        pretrainings.close();
    }
}

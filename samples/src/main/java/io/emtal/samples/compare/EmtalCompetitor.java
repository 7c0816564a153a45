package io.emtal.samples.compare;

import io.emtal.samples.table.NaturalFeatures;
import io.emtal.samples.table.Table;
import io.emtal.samples.table.TargetView;
import io.emtal.tribuo.EmtalModel;
import io.emtal.tribuo.EmtalTrainer;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.LongFunction;
import java.util.function.Supplier;
import org.tribuo.Dataset;
import org.tribuo.Output;
import org.tribuo.Prediction;

/**
 * EMTAL, or one of its controls, on all targets at once, with features and targets as they are in the file.
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
        NaturalFeatures features = new NaturalFeatures(table);
        TargetView<T> view = targets.apply(table);
        EmtalModel<T> model = trainer.apply(seed).train(table.dataset(features, view, rows));
        return new Fitted<>() {
            @Override
            public Supplier<List<Prediction<T>>> predictor(int[] tested) {
                Dataset<T> examples = table.dataset(features, view, tested);
                return () -> model.predict(examples);
            }

            @Override
            public OptionalLong trainableParameters() {
                return OptionalLong.of(model.training().parameters().trainableTotal());
            }

            @Override
            public void close() {
                model.close();
            }
        };
    }
}

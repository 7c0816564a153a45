package io.emtal.samples.compare;

import io.emtal.samples.table.Table;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import org.tribuo.Dataset;
import org.tribuo.Output;
import org.tribuo.Prediction;

/**
 * One of Tribuo's trainers on all targets at once.
 *
 * @param <T> the type of the outputs
 * @param name its name
 * @param seeded whether it depends on the seed
 * @param recipe how it is made
 * @param problem how a table is put to it
 * @param parameters how many numbers it adjusts, negative where that says nothing
 */
record TribuoCompetitor<T extends Output<T>>(String name, boolean seeded, Recipe<T> recipe,
        Function<Table, Recipe.Problem<T>> problem, ToLongFunction<Shape> parameters) implements Competitor<T> {
    /** The number of parameters of a model that is no vector of them. */
    static final ToLongFunction<Shape> NO_VECTOR = shape -> -1;

    @Override
    public Fitted<T> fit(Table table, int[] rows, long seed) {
        Recipe.Problem<T> posed = problem.apply(table);
        Recipe.Trained<T> trained = recipe.train(posed, rows, seed);
        long count = parameters.applyAsLong(new Shape(rows.length, trained.features().width(), posed.outputs()));
        return new Fitted<>() {
            @Override
            public Supplier<List<Prediction<T>>> predictor(int[] tested) {
                Dataset<T> examples = table.dataset(trained.features(), trained.targets(), tested);
                return () -> trained.predict(examples);
            }

            @Override
            public OptionalLong trainableParameters() {
                return count < 0 ? OptionalLong.empty() : OptionalLong.of(count);
            }
        };
    }
}

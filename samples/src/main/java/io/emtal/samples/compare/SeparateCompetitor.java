package io.emtal.samples.compare;

import io.emtal.samples.table.Table;
import io.emtal.samples.table.TargetView;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.tribuo.Output;
import org.tribuo.OutputFactory;
import org.tribuo.Prediction;

/**
 * One model a target: what several tasks cost, and reach, without sharing anything.
 *
 * @param <T> the type of the outputs
 * @param name its name
 * @param single trains one target's model, from the view of that target
 * @param targets how the targets of a table are seen
 * @param parts how outputs are taken apart and joined
 */
record SeparateCompetitor<T extends Output<T>>(String name, Function<Function<Table, TargetView<T>>, Competitor<T>> single,
        Function<Table, TargetView<T>> targets, Parts<T> parts) implements Competitor<T> {
    /** Takes outputs apart by targets, and joins predictions of single targets. */
    interface Parts<T extends Output<T>> {
        /** What an output says of one target. */
        T of(T output, Table table, int target);

        /** Whether there is something to learn about a target on the rows that gave these outputs. */
        boolean learnable(List<T> outputs);

        /** Joins the predictions of one row, one for each learnable target. */
        Prediction<T> join(List<Prediction<T>> predictions);
    }

    @Override
    public boolean seeded() {
        return true;
    }

    @Override
    public Fitted<T> fit(Table table, int[] rows, long seed) {
        List<Fitted<T>> models = new ArrayList<>();
        for (int target = 0; target < table.schema().targets().size(); target++) {
            TargetView<T> view = new SingleTarget<>(targets.apply(table), parts, table, target);
            if (parts.learnable(IntStream.of(rows).mapToObj(view::output).toList())) {
                models.add(single.apply(t -> view).fit(table, rows, seed));
            }
        }
        return new Fitted<>() {
            @Override
            public Supplier<List<Prediction<T>>> predictor(int[] tested) {
                List<Supplier<List<Prediction<T>>>> predictors = models.stream().map(m -> m.predictor(tested)).toList();
                return () -> {
                    List<List<Prediction<T>>> all = predictors.stream().map(Supplier::get).toList();
                    return IntStream.range(0, tested.length)
                            .mapToObj(row -> parts.join(all.stream().map(p -> p.get(row)).toList())).toList();
                };
            }

            @Override
            public OptionalLong trainableParameters() {
                return OptionalLong.of(models.stream().mapToLong(m -> m.trainableParameters().orElse(0)).sum());
            }

            @Override
            public void close() {
                models.forEach(Fitted::close);
            }
        };
    }

    private record SingleTarget<T extends Output<T>>(TargetView<T> all, Parts<T> parts, Table table, int target)
            implements TargetView<T> {
        @Override
        public OutputFactory<T> factory() {
            return all.factory();
        }

        @Override
        public T output(int row) {
            return parts.of(all.output(row), table, target);
        }
    }
}

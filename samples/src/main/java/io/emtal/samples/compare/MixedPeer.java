package io.emtal.samples.compare;

import io.emtal.samples.table.LabelTargets;
import io.emtal.samples.table.MultiTaskTargets;
import io.emtal.samples.table.RegressorTargets;
import io.emtal.samples.table.Table;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.TaskValue;
import io.emtal.tribuo.table.Column;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Output;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.regression.Regressor;

/**
 * One of Tribuo's methods on targets of different kinds, with gaps: one model a target, trained on the rows that have it.
 * A nominal target with a single class on these rows is predicted to be that class; a target that no row has is left out
 * of the predictions.
 *
 * @param name its name
 * @param seeded whether it depends on the seed
 * @param classes how it is made for classes, and for labels as two of them
 * @param numbers how it is made for numbers
 * @param parameters how many numbers one model adjusts, negative where that says nothing
 */
record MixedPeer(String name, boolean seeded, Recipe<Label> classes, Recipe<Regressor> numbers,
        ToLongFunction<Shape> parameters) implements Competitor<MultiTask> {
    /** A trained model of one target. */
    private record Part<T extends Output<T>>(Column target, Recipe.Trained<T> model, long parameters) {
        Dataset<T> examples(Table table, int[] rows) {
            // The truth is no input: rows without this target are predicted too.
            return table.dataset(model.features(), new WithoutTruth<>(model.targets()), rows);
        }
    }

    @Override
    public Fitted<MultiTask> fit(Table table, int[] rows, long seed) {
        List<Column> targets = table.schema().targets();
        List<Part<?>> parts = new ArrayList<>();
        for (int i = 0; i < targets.size(); i++) {
            int target = i;
            int[] labelled = IntStream.of(rows).filter(row -> table.hasTarget(target, row)).toArray();
            if (labelled.length > 0) {
                parts.add(targets.get(i).type() == Column.Type.NUMERIC ? number(table, i, labelled, seed)
                        : label(table, i, labelled, seed));
            }
        }
        long count = parts.stream().mapToLong(Part::parameters).sum();
        return new Fitted<>() {
            @Override
            public Supplier<List<Prediction<MultiTask>>> predictor(int[] tested) {
                List<Supplier<List<TaskValue>>> values = parts.stream().map(part -> values(part, table, tested)).toList();
                Dataset<MultiTask> examples = table.dataset(parts.get(0).model.features(), new MultiTaskTargets(table), tested);
                return () -> join(values.stream().map(Supplier::get).toList(), examples);
            }

            @Override
            public OptionalLong trainableParameters() {
                return count < 0 ? OptionalLong.empty() : OptionalLong.of(count);
            }
        };
    }

    private Part<Label> label(Table table, int target, int[] rows, long seed) {
        Column column = table.schema().targets().get(target);
        LabelTargets labels = new LabelTargets(table, target);
        boolean constant = IntStream.of(rows).mapToObj(labels::output).distinct().count() == 1;
        Recipe.Trained<Label> model = (constant ? PerTargetCompetitor.CONSTANT : classes).train(new Recipe.Problem<>(table,
                column.values().size(), trained -> labels, Losses::logLoss), rows, seed);
        return new Part<>(column, model,
                parameters.applyAsLong(new Shape(rows.length, model.features().width(), column.values().size())));
    }

    private Part<Regressor> number(Table table, int target, int[] rows, long seed) {
        Column column = table.schema().targets().get(target);
        Recipe.Trained<Regressor> model = numbers.train(new Recipe.Problem<>(table, 1,
                trained -> RegressorTargets.standardised(table, target, trained),
                outcomes -> RegressionMetrics.relativeError(table, target, outcomes,
                        prediction -> RegressorTargets.value(prediction.getOutput(), column.name())).orElse(0)), rows, seed);
        return new Part<>(column, model, parameters.applyAsLong(new Shape(rows.length, model.features().width(), 1)));
    }

    private static <T extends Output<T>> Supplier<List<TaskValue>> values(Part<T> part, Table table, int[] tested) {
        Dataset<T> examples = part.examples(table, tested);
        return () -> part.model.predict(examples).stream().map(p -> value(part.target, p.getOutput())).toList();
    }

    private static TaskValue value(Column target, Output<?> output) {
        if (output instanceof Regressor number) {
            return new TaskValue.Real(target.name(), RegressorTargets.value(number, target.name()));
        }
        String label = ((Label) output).getLabel();
        return target.type() == Column.Type.BINARY ? new TaskValue.Binary(target.name(), label.equals("1"), Double.NaN)
                : new TaskValue.Category(target.name(), label, Double.NaN);
    }

    private static List<Prediction<MultiTask>> join(List<List<TaskValue>> values, Dataset<MultiTask> examples) {
        List<Prediction<MultiTask>> joined = new ArrayList<>();
        for (int i = 0; i < examples.size(); i++) {
            int row = i;
            Example<MultiTask> example = examples.getExample(i);
            joined.add(new Prediction<>(MultiTask.of(values.stream().map(ofTarget -> ofTarget.get(row)).toList()),
                    Map.of(), example.size(), example, false));
        }
        return joined;
    }
}

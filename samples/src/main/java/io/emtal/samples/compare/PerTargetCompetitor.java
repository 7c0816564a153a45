package io.emtal.samples.compare;

import io.emtal.samples.table.LabelTargets;
import io.emtal.samples.table.MultiLabelTargets;
import io.emtal.samples.table.Table;
import io.emtal.tribuo.table.Column;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.ToLongFunction;
import java.util.stream.IntStream;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.classification.baseline.DummyClassifierTrainer;
import org.tribuo.multilabel.MultiLabel;

/**
 * One of Tribuo's classification trainers on categorical targets: one model per target. A target with a single class
 * on the training rows is predicted to be that class.
 *
 * @param name its name
 * @param seeded whether it depends on the seed
 * @param recipe how it is made
 * @param parameters how many numbers one model adjusts, negative where that says nothing
 */
record PerTargetCompetitor(String name, boolean seeded, Recipe<Label> recipe, ToLongFunction<Shape> parameters)
        implements Competitor<MultiLabel> {
    /** Where there is only one class to learn. */
    static final Recipe<Label> CONSTANT =
            Recipe.of((shape, seed) -> DummyClassifierTrainer.createMostFrequentTrainer());

    @Override
    public Fitted<MultiLabel> fit(Table table, int[] rows, long seed) {
        List<Column> targets = table.schema().targets();
        List<Recipe.Trained<Label>> models = new ArrayList<>();
        long count = 0;
        for (int target = 0; target < targets.size(); target++) {
            LabelTargets labels = new LabelTargets(table, target);
            int classes = targets.get(target).values().size();
            Recipe.Problem<Label> problem = new Recipe.Problem<>(table, classes, trained -> labels, Losses::logLoss);
            boolean constant = IntStream.of(rows).mapToObj(labels::output).distinct().count() == 1;
            Recipe.Trained<Label> model = (constant ? CONSTANT : recipe).train(problem, rows, seed);
            models.add(model);
            count += parameters.applyAsLong(new Shape(rows.length, model.features().width(), classes));
        }
        OptionalLong trainable = count < 0 ? OptionalLong.empty() : OptionalLong.of(count);
        return new Fitted<>() {
            @Override
            public Supplier<List<Prediction<MultiLabel>>> predictor(int[] tested) {
                List<Dataset<Label>> inputs = new ArrayList<>();
                for (int target = 0; target < models.size(); target++) {
                    inputs.add(table.dataset(models.get(target).features(), models.get(target).targets(), tested));
                }
                Dataset<MultiLabel> examples =
                        table.dataset(models.get(0).features(), new MultiLabelTargets(table), tested);
                return () -> predict(targets, models, inputs, examples);
            }

            @Override
            public OptionalLong trainableParameters() {
                return trainable;
            }
        };
    }

    private static List<Prediction<MultiLabel>> predict(List<Column> targets, List<Recipe.Trained<Label>> models,
            List<Dataset<Label>> inputs, Dataset<MultiLabel> examples) {
        List<List<Prediction<Label>>> predicted = IntStream.range(0, models.size())
                .mapToObj(target -> models.get(target).predict(inputs.get(target))).toList();
        List<Prediction<MultiLabel>> joined = new ArrayList<>();
        for (int row = 0; row < examples.size(); row++) {
            Set<Label> labels = new HashSet<>();
            Map<String, MultiLabel> scores = new HashMap<>();
            for (int target = 0; target < models.size(); target++) {
                Column column = targets.get(target);
                Prediction<Label> prediction = predicted.get(target).get(row);
                labels.add(joint(column, prediction.getOutput()));
                for (Label scored : prediction.getOutputScores().values()) {
                    Label label = joint(column, scored);
                    scores.put(label.getLabel(), new MultiLabel(label));
                }
            }
            Example<MultiLabel> example = examples.getExample(row);
            joined.add(new Prediction<>(new MultiLabel(labels), scores, example.size(), example, true));
        }
        return joined;
    }

    private static Label joint(Column target, Label label) {
        return new Label(MultiLabelTargets.label(target, label.getLabel()), label.getScore());
    }
}

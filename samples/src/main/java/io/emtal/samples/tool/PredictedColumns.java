package io.emtal.samples.tool;

import io.emtal.samples.table.Column;
import io.emtal.samples.table.MultiLabelTargets;
import io.emtal.samples.table.RegressorTargets;
import io.emtal.samples.table.Schema;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;
import org.tribuo.Output;
import org.tribuo.Prediction;
import org.tribuo.classification.Label;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.regression.Regressor;

/**
 * The columns of a file of predictions.
 *
 * @param <T> the type of the outputs
 * @param header their names
 * @param cells a prediction's cells
 */
record PredictedColumns<T extends Output<T>>(List<String> header, Function<Prediction<T>, List<Object>> cells) {
    private static final String PROBABILITY = ":probability";

    /** A number for each target. */
    static PredictedColumns<Regressor> numbers(Schema schema) {
        return new PredictedColumns<>(schema.targets().stream().map(Column::name).toList(), prediction -> {
            List<Object> cells = new ArrayList<>();
            schema.targets().forEach(target -> cells.add(RegressorTargets.value(prediction.getOutput(), target.name())));
            return cells;
        });
    }

    /** For each target whether a row has the label, 1 or 0, and the probability that it has. */
    static PredictedColumns<MultiLabel> labels(Schema schema) {
        return pairs(schema, (target, prediction) -> List.of(prediction.getOutput().contains(target.name()) ? "1" : "0",
                probability(prediction, target.name())));
    }

    /** For each target the most probable class, and its probability. */
    static PredictedColumns<MultiLabel> classes(Schema schema) {
        return pairs(schema, (target, prediction) -> {
            String best = target.values().stream().max(Comparator.comparingDouble(value ->
                    probability(prediction, MultiLabelTargets.label(target, value)))).orElseThrow();
            return List.of(best, probability(prediction, MultiLabelTargets.label(target, best)));
        });
    }

    private static PredictedColumns<MultiLabel> pairs(Schema schema,
            BiFunction<Column, Prediction<MultiLabel>, List<Object>> pair) {
        List<String> header = new ArrayList<>();
        schema.targets().forEach(target -> header.addAll(List.of(target.name(), target.name() + PROBABILITY)));
        return new PredictedColumns<>(header, prediction ->
                schema.targets().stream().flatMap(target -> pair.apply(target, prediction).stream()).toList());
    }

    /** A class that no training row had has the probability 0. */
    private static double probability(Prediction<MultiLabel> prediction, String label) {
        MultiLabel scored = prediction.getOutputScores().get(label);
        return scored == null ? 0 : scored.getLabelScore(new Label(label)).orElse(0);
    }
}

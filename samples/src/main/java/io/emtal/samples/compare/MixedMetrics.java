package io.emtal.samples.compare;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.samples.table.Table;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.TaskValue;
import io.emtal.tribuo.table.Column;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.stream.IntStream;
import org.tribuo.Prediction;

/**
 * Targets of different kinds on one scale, over the rows that have them. {@code error:<target>} is, for a number, the
 * relative root mean squared error as {@link RegressionMetrics} defines it, and for a class or a label the share of wrong
 * rows divided by that of the class that is most frequent in the training rows of the same split: 0 is perfect, and 1 what
 * a constant scores. {@code mean_error} is their mean. A target that a constant predicts without error is left out, and so
 * are splits whose training rows lack the target.
 */
final class MixedMetrics implements Metrics<MultiTask> {
    @Override
    public String main() {
        return "mean_error";
    }

    @Override
    public boolean lowerIsBetter() {
        return true;
    }

    @Override
    public Map<String, Double> evaluate(Table table, List<Outcome<MultiTask>> outcomes) {
        List<Column> targets = table.schema().targets();
        Map<String, Double> perTarget = new LinkedHashMap<>();
        for (int i = 0; i < targets.size(); i++) {
            int place = i;
            Column target = targets.get(i);
            List<Outcome<MultiTask>> learnt = outcomes.stream().filter(outcome -> IntStream.of(outcome.split().train())
                    .anyMatch(row -> table.hasTarget(place, row))).toList();
            OptionalDouble error = target.type() == Column.Type.NUMERIC
                    ? RegressionMetrics.relativeError(table, i, learnt, prediction -> said(prediction, target))
                    : relativeError(table, i, learnt);
            error.ifPresent(value -> perTarget.put("error:" + target.name(), value));
        }
        Map<String, Double> metrics = new LinkedHashMap<>();
        perTarget.values().stream().mapToDouble(Double::doubleValue).average()
                .ifPresent(mean -> metrics.put(main(), mean));
        metrics.putAll(perTarget);
        return metrics;
    }

    private static OptionalDouble relativeError(Table table, int target, List<Outcome<MultiTask>> outcomes) {
        Column column = table.schema().targets().get(target);
        int wrong = 0;
        int constantWrong = 0;
        for (Outcome<MultiTask> outcome : outcomes) {
            int constant = mostFrequent(table, target, outcome.split().train());
            int[] test = outcome.split().test();
            for (int i = 0; i < test.length; i++) {
                if (table.hasTarget(target, test[i])) {
                    double truth = table.target(target, test[i]);
                    wrong += said(outcome.predictions().get(i), column) == truth ? 0 : 1;
                    constantWrong += constant == truth ? 0 : 1;
                }
            }
        }
        return constantWrong > 0 ? OptionalDouble.of(wrong / (double) constantWrong) : OptionalDouble.empty();
    }

    private static int mostFrequent(Table table, int target, int[] rows) {
        int[] counts = new int[table.schema().targets().get(target).values().size()];
        IntStream.of(rows).filter(row -> table.hasTarget(target, row)).forEach(row ->
                counts[(int) table.target(target, row)]++);
        return IntStream.range(0, counts.length).reduce((a, b) -> counts[b] > counts[a] ? b : a).orElseThrow();
    }

    /** The predicted number, or the index of the predicted value. */
    private static double said(Prediction<MultiTask> prediction, Column target) {
        TaskValue value = prediction.getOutput().value(target.name()).orElseThrow(() -> new EmtalException("Target "
                + Quoted.of(target.name()) + " is missing in " + prediction.getOutput()));
        if (value instanceof TaskValue.Real real) {
            return real.value();
        }
        return value instanceof TaskValue.Binary binary ? binary.value() ? 1 : 0
                : target.values().indexOf(((TaskValue.Category) value).value());
    }
}

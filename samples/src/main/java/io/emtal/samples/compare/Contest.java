package io.emtal.samples.compare;

import io.emtal.onnx.EmtalException;
import io.emtal.samples.output.Measurement;
import io.emtal.samples.table.Kind;
import io.emtal.samples.table.Split;
import io.emtal.samples.table.Table;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.tribuo.Output;
import org.tribuo.Prediction;

/**
 * One table with the competitors that can do it and the metrics that apply.
 *
 * @param <T> the type of the outputs
 * @param table the table
 * @param splits its splits
 * @param metrics the metrics
 * @param competitors the competitors
 */
record Contest<T extends Output<T>>(Table table, List<Split> splits, Metrics<T> metrics,
        List<Competitor<T>> competitors) {
    Contest {
        splits = List.copyOf(splits);
        competitors = List.copyOf(competitors);
    }

    /** The contest that a table's kind asks for, among the competitors with the given names; with gaps it is mixed. */
    static Contest<?> of(Table table, List<String> names) {
        return switch (table.hasAllTargets() ? table.schema().kind() : Kind.MIXED) {
            case MULTILABEL -> of(table, new MultiLabelMetrics(), Competitors.multiLabel(), names);
            case REGRESSION -> of(table, new RegressionMetrics(), Competitors.regression(), names);
            case CATEGORICAL -> of(table, new CategoricalMetrics(), Competitors.categorical(), names);
            case MIXED -> of(table, new MixedMetrics(), Competitors.mixed(), names);
        };
    }

    private static <T extends Output<T>> Contest<T> of(Table table, Metrics<T> metrics,
            List<Competitor<T>> competitors, List<String> names) {
        return new Contest<>(table, table.splits(), metrics,
                competitors.stream().filter(competitor -> names.contains(competitor.name())).toList());
    }

    /**
     * How long one fit took, and what it scored on its own test rows.
     *
     * @param split the split
     * @param trainSeconds what the training takes alone
     * @param sharedSeconds how much of that an earlier fit had done already
     * @param predictSeconds what the prediction took
     * @param score the main metric
     */
    record Fit(Split split, double trainSeconds, double sharedSeconds, double predictSeconds, double score) {
        /** What the fit took now. */
        double seconds() {
            return trainSeconds - sharedSeconds + predictSeconds;
        }
    }

    /**
     * Trains a competitor on every split and evaluates it on all test rows together.
     *
     * @param competitor the competitor
     * @param seed the seed
     * @param onFit told of each fit
     * @return the metrics
     * @throws EmtalException if a prediction is not finite, or none of the metrics is defined
     */
    Measurement measure(Competitor<T> competitor, long seed, Consumer<Fit> onFit) {
        List<Outcome<T>> outcomes = new ArrayList<>();
        double trainSeconds = 0;
        double predictSeconds = 0;
        long tested = 0;
        OptionalLong parameters = OptionalLong.empty();
        for (Split split : splits) {
            long start = System.nanoTime();
            try (Fitted<T> fitted = competitor.fit(table, split.train(), seed)) {
                double trained = secondsSince(start) + fitted.sharedSeconds();
                Supplier<List<Prediction<T>>> predictor = fitted.predictor(split.test());
                long ready = System.nanoTime();
                Outcome<T> outcome = new Outcome<>(split, predictor.get());
                double predicted = secondsSince(ready);
                outcomes.add(outcome);
                trainSeconds += trained;
                predictSeconds += predicted;
                tested += split.test().length;
                // Folds differ by columns that are constant in one of them: report the largest model.
                OptionalLong count = fitted.trainableParameters();
                if (count.isPresent() && count.getAsLong() > parameters.orElse(-1)) {
                    parameters = count;
                }
                onFit.accept(new Fit(split, trained, fitted.sharedSeconds(), predicted,
                        main(metrics.evaluate(table, List.of(outcome)))));
            }
        }
        Map<String, Double> values = metrics.evaluate(table, outcomes);
        EmtalException.check(values.containsKey(metrics.main()),
                "%s: %s is not defined on these test rows, whose targets do not vary, or next to nothing beside the"
                        + " errors of the predictions", table.schema().name(), metrics.main());
        values.forEach((name, value) -> EmtalException.check(Double.isFinite(value),
                "%s: %s is %s; the model predicts no finite numbers, or far too large ones", table.schema().name(),
                name, value));
        return new Measurement(table.schema().name(), competitor.name(), seed, values, trainSeconds,
                predictSeconds / tested * 1e6, parameters);
    }

    private double main(Map<String, Double> values) {
        return values.getOrDefault(metrics.main(), Double.NaN);
    }

    private static double secondsSince(long start) {
        return (System.nanoTime() - start) / 1e9;
    }
}

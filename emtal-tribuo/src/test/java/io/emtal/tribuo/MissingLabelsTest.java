package io.emtal.tribuo;

import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskEvaluation;
import io.emtal.tribuo.multitask.MultiTaskEvaluator;
import io.emtal.tribuo.multitask.MultiTaskFactory;
import io.emtal.tribuo.multitask.MultiTaskMetrics;
import io.emtal.tribuo.table.TableSource;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.tribuo.Dataset;
import org.tribuo.Example;
import org.tribuo.impl.ArrayExample;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.DoubleStream;

/** What the gaps of one task cost the others, on a shared set with the trainer's defaults. */
@Tag("long")
class MissingLabelsTest {

    private static final int SEEDS = 5;

    private static List<Example<MultiTask>> rows() {
        List<Example<MultiTask>> rows = new ArrayList<>();
        TableSource.builder(SharedData.path("tabular/jura/data.csv")).ignore("fold").build().forEach(rows::add);
        Collections.shuffle(rows, new Random(1));
        return rows;
    }

    /** The root mean squared error of each task on the first 107 of 359 rows, after training on the others. */
    private static Map<String, Double> errors(List<Example<MultiTask>> rows, long seed, Optional<String> halved) {
        Random random = new Random(seed);
        List<Example<MultiTask>> train = new ArrayList<>();
        for (Example<MultiTask> row : rows.subList(107, rows.size())) {
            boolean missing = random.nextBoolean();
            ArrayExample<MultiTask> example = new ArrayExample<>(MultiTask.of(row.getOutput().values().stream()
                    .filter(value -> !missing || !halved.equals(Optional.of(value.task()))).toList()));
            row.forEach(example::add);
            train.add(example);
        }
        Dataset<MultiTask> test = TestData.dataset(new MultiTaskFactory(), rows.subList(0, 107));
        Map<String, Double> errors = new TreeMap<>();
        try (EmtalModel<MultiTask> model = EmtalTrainer.<MultiTask>builder().seed(seed).build()
                .train(TestData.dataset(new MultiTaskFactory(), train))) {
            MultiTaskEvaluation evaluation = new MultiTaskEvaluator().evaluate(model, test);
            for (String task : List.of("Cd", "Co", "Cu")) {
                errors.put(task, evaluation.value(MultiTaskMetrics.RMSE, task).orElseThrow());
            }
        }
        return errors;
    }

    /** Over five seeds, which choose the labels to remove too. The means are over all pairs of tasks. */
    @Test
    void halfOfATasksLabelsMissingCostsTheOthersNoMoreThanAnotherSeedWould() {
        List<Example<MultiTask>> rows = rows();
        List<Map<String, Double>> complete = new ArrayList<>();
        for (long seed = 1; seed <= SEEDS; seed++) {
            complete.add(errors(rows, seed, Optional.empty()));
        }
        StringBuilder figures = new StringBuilder();
        List<Double> costs = new ArrayList<>();
        List<Double> noise = new ArrayList<>();
        for (String halved : complete.get(0).keySet()) {
            List<Map<String, Double>> gaps = new ArrayList<>();
            for (long seed = 1; seed <= SEEDS; seed++) {
                gaps.add(errors(rows, seed, Optional.of(halved)));
            }
            for (String other : complete.get(0).keySet()) {
                double mean = mean(complete.stream().mapToDouble(run -> run.get(other)));
                double cost = mean(gaps.stream().mapToDouble(run -> run.get(other))) / mean - 1;
                double deviation = Math.sqrt(complete.stream().mapToDouble(run -> run.get(other) - mean)
                        .map(d -> d * d).sum() / (SEEDS - 1)) / mean;
                figures.append(String.format(Locale.ROOT, "%n%s halved: error of %s %+.2f %%, seeds %.2f %%", halved,
                        other, 100 * cost, 100 * deviation));
                if (!other.equals(halved)) {
                    costs.add(cost);
                    noise.add(deviation);
                }
            }
        }
        assertTrue(mean(costs.stream().mapToDouble(c -> c)) <= mean(noise.stream().mapToDouble(d -> d)),
                figures::toString);
    }

    private static double mean(DoubleStream values) {
        return values.average().orElseThrow();
    }
}

package io.emtal.samples.compare;

import io.emtal.samples.table.Table;
import java.util.List;
import java.util.Map;
import org.tribuo.Output;

/**
 * The metrics of one kind of targets. The test rows of all splits count alike: folds are pooled, not averaged.
 *
 * @param <T> the type of the outputs
 */
interface Metrics<T extends Output<T>> {
    /** The metric by which trainers are ranked. */
    String main();

    /** Whether less of the main metric is better. */
    boolean lowerIsBetter();

    /**
     * Evaluates.
     *
     * @param table the table, for the truth
     * @param outcomes the predictions for each split
     * @return name and value of each metric, the main one first; one that is not defined on these rows is left out,
     *     so no value is NaN
     */
    Map<String, Double> evaluate(Table table, List<Outcome<T>> outcomes);
}

package io.emtal.samples.compare;

import io.emtal.samples.table.Table;
import org.tribuo.Output;

/**
 * A named way to train on a table.
 *
 * @param <T> the outputs that it predicts
 */
public interface Competitor<T extends Output<T>> extends AutoCloseable {
    /**
     * The name in the command line and in reports.
     *
     * @return lower case letters, digits and hyphens
     */
    String name();

    /**
     * Whether another seed gives another model. One that does not is fitted once and reported for every seed.
     *
     * @return whether it does
     */
    boolean seeded();

    /**
     * Trains.
     *
     * @param table the table
     * @param rows the training rows; nothing may be learnt from others, neither scales nor hyper-parameters
     * @param seed the seed of everything random
     * @return the trained model
     */
    Fitted<T> fit(Table table, int[] rows, long seed);

    /** Releases what fits left for later ones. It can still be fitted after that. */
    @Override
    default void close() {
    }
}

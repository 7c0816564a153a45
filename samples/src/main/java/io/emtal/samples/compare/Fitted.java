package io.emtal.samples.compare;

import java.util.List;
import java.util.OptionalLong;
import java.util.function.Supplier;
import org.tribuo.Output;
import org.tribuo.Prediction;

/**
 * A trained competitor.
 *
 * @param <T> the outputs that it predicts
 */
public interface Fitted<T extends Output<T>> extends AutoCloseable {
    /**
     * Makes the examples of some rows, ready to be predicted.
     *
     * @param rows the rows
     * @return what predicts them, in their order and in the units of the file; its run time is the prediction time
     */
    Supplier<List<Prediction<T>>> predictor(int[] rows);

    /**
     * How many numbers the training adjusted.
     *
     * @return the number, or nothing for models that are not a vector of parameters, such as trees
     */
    OptionalLong trainableParameters();

    /**
     * How long the part of the training took that an earlier fit of another competitor did for this one, too. It counts
     * as this one's, for alone it would have had to do it.
     *
     * @return the seconds, 0 where nothing is shared
     */
    default double sharedSeconds() {
        return 0;
    }

    /** Releases what the model holds. */
    @Override
    default void close() {
    }
}

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

    /** Releases what the model holds. */
    @Override
    default void close() {
    }
}

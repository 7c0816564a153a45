package io.emtal.samples.table;

import org.tribuo.Output;
import org.tribuo.OutputFactory;
import org.tribuo.Prediction;

/**
 * How the targets of a row become an output.
 *
 * @param <T> the output's type
 */
public interface TargetView<T extends Output<T>> {
    /**
     * The factory of the outputs.
     *
     * @return the factory
     */
    OutputFactory<T> factory();

    /**
     * The output of a row.
     *
     * @param row the row
     * @return the output
     * @throws io.emtal.onnx.EmtalException if a target's cell is missing; the message names file, line and column
     */
    T output(int row);

    /**
     * Takes a prediction of a model that was trained on this view back to the units of the file.
     *
     * @param predicted the prediction in this view's units
     * @return the prediction in the file's units; the same object where a view has no units of its own
     */
    default Prediction<T> restore(Prediction<T> predicted) {
        return predicted;
    }
}

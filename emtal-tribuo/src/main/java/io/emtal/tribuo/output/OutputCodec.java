package io.emtal.tribuo.output;

import org.tribuo.Example;
import org.tribuo.Output;
import org.tribuo.Prediction;

import java.util.List;

/**
 * Between the outputs of one domain and the columns of a network. Thread-safe.
 *
 * @param <T> the type of output
 */
public interface OutputCodec<T extends Output<T>> {

    /**
     * The number of the network's output columns, the size of the domain.
     *
     * @return C
     */
    int columns();

    /**
     * The column of an output.
     *
     * @param id an output's id in the domain
     * @return its column
     */
    int column(int id);

    /**
     * The name of an output.
     *
     * @param id its id in the domain
     * @return the label, the regression's dimension, or the text of the domain's element
     */
    String name(int id);

    /**
     * Whether the columns are probabilities.
     *
     * @return true if they are
     */
    boolean probabilities();

    /**
     * Reads the labels of training examples. Statistics are of these examples only, never of the domain, which may have
     * seen others.
     *
     * @param training the training examples
     * @return tasks and labels
     * @throws io.emtal.onnx.EmtalException for an output that is unknown or of another domain, and for a task without a
     *     label or with a single class
     */
    EncodedOutputs encode(List<Example<T>> training);

    /**
     * Makes a prediction in Tribuo's conventions.
     *
     * @param columns the network's outputs
     * @param offset where the example's columns begin
     * @param usedFeatures the number of the example's features that the network was given
     * @param example the example
     * @return the prediction
     */
    Prediction<T> prediction(float[] columns, int offset, int usedFeatures, Example<T> example);
}

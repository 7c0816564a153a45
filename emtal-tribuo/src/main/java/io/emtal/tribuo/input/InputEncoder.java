package io.emtal.tribuo.input;

import io.emtal.onnx.data.Examples;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.tribuo.output.EncodedOutputs;
import io.emtal.tribuo.protos.EmtalModelProto;
import org.tribuo.Example;
import org.tribuo.Output;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/** How examples of one kind become rows of a network: the one place that knows what they carry. Thread-safe. */
public interface InputEncoder {

    /**
     * The columns of a row.
     *
     * @return their layout
     */
    FeatureLayout layout();

    /**
     * For every position of a row the id of the feature that stands there.
     *
     * @return a new array; empty where rows are not made of features
     */
    Optional<int[]> featureIds();

    /**
     * What the metadata of an exported network say of its inputs, besides the names of features.
     *
     * @return texts by key
     */
    default Map<String, String> metadata() {
        return Map.of();
    }

    /**
     * Writes an example's inputs.
     *
     * @param where names the example in messages, such as {@code row 17}
     * @param example the example
     * @param row gets the inputs from {@code offset} on
     * @param offset where the row begins
     * @return the number of the example's features that were used, at least 1
     * @throws io.emtal.onnx.EmtalException if the example has no such inputs, or wrong ones
     */
    int encode(String where, Example<?> example, float[] row, int offset);

    /**
     * Reads training examples.
     *
     * @param training the training examples
     * @param outputs their labels
     * @param <T> the type of output
     * @return a row an example, to be closed after the training
     */
    <T extends Output<T>> Examples rows(List<Example<T>> training, EncodedOutputs outputs);

    /**
     * Writes this encoder.
     *
     * @param model the model to write it into
     */
    void serialize(EmtalModelProto.Builder model);
}

package io.emtal.tribuo.input;

import io.emtal.onnx.data.Examples;
import io.emtal.tribuo.output.EncodedOutputs;

/**
 * A data set whose examples lie as rows of features already: a training reads those, and its examples only for their
 * outputs.
 */
public interface RowDataset {

    /**
     * How its features become a row.
     *
     * @return the encoder, bound to the data set's feature map
     */
    FeatureEncoder encoder();

    /**
     * The rows of all examples, in their order.
     *
     * @param outputs their labels
     * @return rows of the encoder's layout; closing them leaves the data set as it is
     */
    Examples rows(EncodedOutputs outputs);
}

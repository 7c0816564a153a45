package io.emtal.samples.compare;

import io.emtal.onnx.EmtalException;
import io.emtal.samples.table.Split;
import java.util.List;
import org.tribuo.Output;
import org.tribuo.Prediction;

/**
 * What a competitor predicted on the test rows of a split.
 *
 * @param <T> the type of the outputs
 * @param split the split
 * @param predictions one for each test row, in their order
 */
record Outcome<T extends Output<T>>(Split split, List<Prediction<T>> predictions) {
    Outcome {
        predictions = List.copyOf(predictions);
        EmtalException.check(predictions.size() == split.test().length, "%s: %d predictions for %d test rows",
                split.name(), predictions.size(), split.test().length);
    }
}

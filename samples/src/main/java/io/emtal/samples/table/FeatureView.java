package io.emtal.samples.table;

import org.tribuo.Example;
import org.tribuo.Output;

/** How the features of a row become the features of an example. */
public interface FeatureView {
    /**
     * Makes the example of a row.
     *
     * @param <T> the output's type
     * @param row the row
     * @param output the example's output
     * @return an example, without features if the row has only missing cells and the view leaves those out
     */
    <T extends Output<T>> Example<T> example(int row, T output);
}

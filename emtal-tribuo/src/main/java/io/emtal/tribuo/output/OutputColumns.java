package io.emtal.tribuo.output;

import io.emtal.onnx.EmtalException;
import org.tribuo.Example;
import org.tribuo.Output;
import org.tribuo.Prediction;

import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * What the columns of a network say of the outputs of one domain, all of them with scores that are probabilities.
 *
 * @param <T> the type of output
 */
interface OutputColumns<T extends Output<T>> {

    /** The number of columns, the size of the domain. */
    int size();

    /**
     * The output alone; what the columns say goes into {@code scores}.
     *
     * @param row the network's outputs
     * @param offset where those of the example begin
     * @param columnOf for every id its column
     * @param scores takes an output for every column
     */
    T read(float[] row, int offset, int[] columnOf, Map<String, T> scores);

    /** The output as a prediction with a score map of all columns. */
    default Prediction<T> prediction(float[] row, int offset, int[] columnOf, int usedFeatures, Example<T> example) {
        Map<String, T> scores = new LinkedHashMap<>();
        T output = read(row, offset, columnOf, scores);
        return new Prediction<>(output, scores, usedFeatures, example, true);
    }

    /**
     * A value that a network gave.
     *
     * @param name what the network's output is called
     * @param value its value
     * @return the value
     * @throws EmtalException if it is not finite, as with inputs so large that the network overflows
     */
    static float finite(String name, float value) {
        EmtalException.check(Float.isFinite(value), "output %s: found %s from the network, allowed is a finite number",
                name, value);
        return value;
    }

    /** For every id its column in a network whose columns follow the ids. */
    default int[] columnsByIds() {
        return IntStream.range(0, size()).toArray();
    }
}

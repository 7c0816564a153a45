package io.emtal.onnx.train;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.task.Heads;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All parameters, or all their gradients, as one flat vector in native memory, of which every tensor is a window: what
 * the graph reads and writes is what the optimiser sees, without a copy a tensor.
 */
final class ParameterBuffer implements AutoCloseable {

    private final FloatBuffer memory;
    private final Map<String, OnnxTensor> tensors = new LinkedHashMap<>();

    /**
     * Makes a vector of zeros.
     *
     * @param parameters the parameters, in order
     * @param prefix put before each parameter's name to name its tensor
     */
    ParameterBuffer(List<Parameter> parameters, String prefix) throws OrtException {
        int size = parameters.stream().mapToInt(Parameter::size).sum();
        memory = direct(size);
        try {
            int position = 0;
            for (Parameter parameter : parameters) {
                FloatBuffer window = memory.slice(position, parameter.size());
                tensors.put(prefix + parameter.name(), OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), window,
                        parameter.initial().shape().extents()));
                position += parameter.size();
            }
            int heads = parameters.stream().filter(p -> p.part().equals(Heads.PART)).mapToInt(Parameter::size).sum();
            if (heads > 0) {
                // Heads are the last parameters.
                tensors.put(prefix + NetworkCompiler.HEADS, OnnxTensor.createTensor(OrtEnvironment.getEnvironment(),
                        memory.slice(size - heads, heads), new long[] {heads}));
            }
        } catch (OrtException | RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    /** Native memory for floats. */
    static FloatBuffer direct(int size) {
        return ByteBuffer.allocateDirect(Math.multiplyExact(size, Float.BYTES)).order(ByteOrder.nativeOrder()).asFloatBuffer();
    }

    /** The first values of parameters, as a flat vector. */
    static float[] initial(List<Parameter> parameters) {
        float[] values = new float[parameters.stream().mapToInt(Parameter::size).sum()];
        int position = 0;
        for (Parameter parameter : parameters) {
            System.arraycopy(parameter.initial().floats(), 0, values, position, parameter.size());
            position += parameter.size();
        }
        return values;
    }

    /** A flat vector as tensors by the parameters' names. */
    static Map<String, Tensor> tensors(List<Parameter> parameters, float[] values) {
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        int position = 0;
        for (Parameter parameter : parameters) {
            tensors.put(parameter.name(), new Tensor(parameter.initial().type(), parameter.initial().shape(),
                    Arrays.copyOfRange(values, position, position + parameter.size())));
            position += parameter.size();
        }
        return tensors;
    }

    /** The windows, by name: one a parameter, and one of all heads. */
    Map<String, OnnxTensor> tensors() {
        return tensors;
    }

    /** Writes the whole vector. */
    void set(float[] values) {
        memory.put(0, values);
    }

    /** Reads the whole vector. */
    void get(float[] values) {
        memory.get(0, values);
    }

    /**
     * Reads a part of the vector.
     *
     * @param position where it begins
     * @param values overwritten from {@code start}
     * @param start the position there
     * @param length the number of elements
     */
    void get(int position, float[] values, int start, int length) {
        memory.get(position, values, start, length);
    }

    /**
     * Adds a part of the vector.
     *
     * @param position where it begins
     * @param sums added to from {@code start}
     * @param start the position there
     * @param length the number of elements
     */
    void addTo(int position, float[] sums, int start, int length) {
        FloatBuffer part = memory.slice(position, length);
        for (int i = 0; i < length; i++) {
            sums[start + i] += part.get(i);
        }
    }

    @Override
    public void close() {
        tensors.values().forEach(OnnxTensor::close);
    }
}

package io.emtal.onnx.autodiff;

import ai.djl.engine.Engine;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.DataType;
import ai.djl.ndarray.types.Shape;
import ai.djl.training.GradientCollector;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Tensor;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * One loss and its gradients by PyTorch's automatic differentiation, through DJL, in double precision: the independent
 * reference for ours.
 *
 * <p>Two traps of DJL: a product with a {@code Number} frees its scalar while the way back still needs it, so numbers
 * are arrays that live as long as this object; and there is one gradient collector in a process, so one object at a
 * time.
 */
public final class PyTorch implements AutoCloseable {

    private final NDManager manager = NDManager.newBaseManager("PyTorch");
    private final Map<Double, NDArray> numbers = new HashMap<>();
    private final Map<String, NDArray> values = new HashMap<>();

    /** A loss and the gradients of it by parameter. */
    public record Step(double loss, Map<String, double[]> gradients) {
    }

    private PyTorch() {
    }

    /**
     * Computes a loss and its gradients.
     *
     * @param parameters what the loss is differentiated by
     * @param inputs other tensors
     * @param loss writes the loss, one element, from {@link #value values}
     */
    public static Step step(Map<String, Tensor> parameters, Map<String, Tensor> inputs,
                            Function<PyTorch, NDArray> loss) {
        try (PyTorch torch = new PyTorch();
             GradientCollector collector = Engine.getEngine("PyTorch").newGradientCollector()) {
            inputs.forEach((name, tensor) -> torch.values.put(name, torch.array(tensor)));
            parameters.forEach((name, tensor) -> {
                NDArray parameter = torch.array(tensor);
                parameter.setRequiresGradient(true);
                torch.values.put(name, parameter);
            });
            NDArray result = loss.apply(torch);
            collector.backward(result);
            Map<String, double[]> gradients = new LinkedHashMap<>();
            parameters.keySet().forEach(name -> {
                try (NDArray gradient = torch.values.get(name).getGradient()) {
                    gradients.put(name, gradient.toDoubleArray());
                }
            });
            return new Step(result.toDoubleArray()[0], gradients);
        }
    }

    /** An input or parameter. */
    public NDArray value(String name) {
        return values.get(name);
    }

    /** A number as an array of shape []. */
    public NDArray number(double x) {
        return numbers.computeIfAbsent(x, n -> manager.create(new double[] {n}, new Shape()));
    }

    /** A constant; real numbers become doubles. */
    public NDArray array(Tensor tensor) {
        Shape shape = new Shape(tensor.shape().extents());
        if (tensor.type() == ElementType.INT64 || tensor.type() == ElementType.INT32) {
            return manager.create(tensor.integers(), shape);
        }
        if (tensor.type() == ElementType.BOOL) {
            return manager.create((boolean[]) tensor.elements(), shape);
        }
        double[] elements = IntStream.range(0, tensor.shape().size()).mapToDouble(tensor::real).toArray();
        return manager.create(elements, shape).toType(DataType.FLOAT64, false);
    }

    @Override
    public void close() {
        manager.close();
    }
}

package io.emtal.onnx.backbone;

import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.Random;

/** A graph that a test writes by hand, with random weights. */
abstract class RandomGraph {

    final GraphBuilder b = new GraphBuilder();
    final Random random = new Random(7);

    /** A constant under a name of its own. */
    final Value constant(String name, long... extents) {
        Tensor tensor = Tensor.filled(ElementType.FLOAT, Shape.of(extents), 0);
        for (int i = 0; i < tensor.floats().length; i++) {
            tensor.floats()[i] = (float) random.nextGaussian();
        }
        return b.initializer(name, tensor);
    }

    final Value linear(String name, Value input, int out) {
        return b.add(b.matMul(input, constant(name + ".weight", input.extent(-1), out)), constant(name + ".bias", out));
    }
}

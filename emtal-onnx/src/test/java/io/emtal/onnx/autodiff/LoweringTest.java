package io.emtal.onnx.autodiff;

import ai.onnxruntime.OrtException;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.GraphSession;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class LoweringTest {

    private static final double EPSILON = 1e-4;

    /** How a model writes layer normalisation. */
    enum Form {
        OPERATOR {
            @Override
            Value write(GraphBuilder b, Value x, Value scale, Value bias) {
                return b.layerNorm(x, scale, bias, EPSILON);
            }
        },
        POWER {
            @Override
            Value write(GraphBuilder b, Value x, Value scale, Value bias) {
                Value c = b.sub(x, b.reduceMean(x, true, -1));
                Value variance = b.reduceMean(b.apply("Pow", Map.of(), c, b.constant(2)), true, -1);
                return b.add(b.mul(b.div(c, b.sqrt(b.add(variance, b.constant(EPSILON)))), scale), bias);
            }
        },
        PRODUCT {
            @Override
            Value write(GraphBuilder b, Value x, Value scale, Value bias) {
                Value c = b.sub(x, b.reduceMean(x, true, 1));
                Value variance = b.reduceMean(b.mul(c, c), true, 1);
                return b.add(b.mul(scale, b.div(c, b.sqrt(b.add(variance, b.constant(EPSILON))))), bias);
            }
        };

        abstract Value write(GraphBuilder b, Value x, Value scale, Value bias);
    }

    @ParameterizedTest
    @EnumSource
    void layerNormalisationIsWrittenAsItsParts(Form form) throws OrtException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        Map<String, Tensor> fed = Map.of("x", tensor(random, 5, 8), "scale", tensor(random, 8),
                "bias", tensor(random, 8));
        GraphBuilder source = new GraphBuilder();
        source.output("y", form.write(source, source.input("x", ElementType.FLOAT, 5, 8),
                source.input("scale", ElementType.FLOAT, 8), source.input("bias", ElementType.FLOAT, 8)));
        Graph graph = source.build();

        Graph plain = copy(graph, false);
        Graph lowered = copy(graph, true);
        assertTrue(lowered.nodes().stream().map(Node::op).anyMatch("ReduceSumSquare"::equals));
        assertTrue(lowered.nodes().stream().map(Node::op)
                .noneMatch(List.of("LayerNormalization", "Pow", "Div")::contains));
        try (GraphSession expected = new GraphSession(plain); GraphSession found = new GraphSession(lowered)) {
            Map<String, Tensor> all = expected.run(fed);
            Map<String, Tensor> ours = found.run(fed);
            assertEquals(all.keySet(), ours.keySet());
            all.forEach((name, tensor) -> assertArrayEquals(tensor.floats(), ours.get(name).floats(), 1e-4f,
                    name + ", seed " + seed));
        }
    }

    /** The graph with the gradients of a weighted sum of its output. */
    private static Graph copy(Graph graph, boolean lowered) {
        GraphBuilder b = new GraphBuilder();
        Map<String, Value> bindings = new HashMap<>();
        graph.inputs().forEach(v -> bindings.put(v.name(), b.input(v.name(), v.type(), v.shape().extents())));
        Value y = b.inline(graph, bindings, lowered ? new Lowering(b, graph) : GraphBuilder.Replacement.NONE)
                .apply(graph.outputs().get(0));
        b.output("out", y);
        List<Value> wrt = List.copyOf(bindings.values());
        Value weight = b.constant(tensor(new Random(1), y.shape().extents()));
        List<Value> gradients = Gradients.of(b, b.reduceSum(b.mul(y, weight), false), wrt);
        for (int i = 0; i < wrt.size(); i++) {
            b.output("d" + wrt.get(i).name(), gradients.get(i));
        }
        return b.build();
    }

    private static Tensor tensor(Random random, long... extents) {
        float[] elements = new float[Shape.of(extents).size()];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = (float) random.nextGaussian();
        }
        return Tensor.of(elements, extents);
    }
}

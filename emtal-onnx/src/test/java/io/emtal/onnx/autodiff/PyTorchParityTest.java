package io.emtal.onnx.autodiff;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.norm.LayerNorm;
import ai.onnxruntime.OrtException;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.GraphSession;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** A small transformer, written once with our builder and once with PyTorch: one loss, the same gradients. */
@Tag("long")
class PyTorchParityTest {

    private static final int ROWS = 6;
    private static final int TOKENS = 17;
    private static final int WIDTH = 32;
    private static final int HEADS = 4;
    private static final int HIDDEN = 64;
    private static final int CLASSES = 5;
    private static final int BLOCKS = 2;
    private static final double EPSILON = 1e-5;

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void gradientsOfATransformer(boolean lowered) throws OrtException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        Map<String, Tensor> parameters = parameters(random);
        Map<String, Tensor> inputs = new HashMap<>();
        inputs.put("x", gaussian(random, 1, ROWS, TOKENS, WIDTH));
        float[] targets = new float[ROWS * CLASSES];
        for (int i = 0; i < ROWS; i++) {
            targets[i * CLASSES + random.nextInt(CLASSES)] = 1f / ROWS;
        }
        inputs.put("targets", Tensor.of(targets, ROWS, CLASSES));

        PyTorch.Step written = PyTorch.step(parameters, inputs, PyTorchParityTest::loss);
        Graph forward = forward(parameters);
        PyTorch.Step computed = PyTorch.step(parameters, inputs,
                torch -> PyTorchGraph.outputs(torch, forward).get("loss"));
        Map<String, Tensor> fed = new HashMap<>(inputs);
        fed.putAll(parameters);
        Map<String, Tensor> ours;
        try (GraphSession session = new GraphSession(withGradients(forward, parameters, lowered))) {
            ours = session.run(fed);
        }
        // The graph's constants, such as 1/√2, are 32-bit floats.
        assertEquals(written.loss(), computed.loss(), 1e-7 * written.loss(), "seed " + seed);
        assertEquals(written.loss(), ours.get("loss").real(0), 1e-6 * written.loss(), "seed " + seed);
        parameters.keySet().forEach(name -> {
            double[] expected = written.gradients().get(name);
            assertTrue(distance(computed.gradients().get(name), expected) < 1e-6, name + ", seed " + seed);
            Tensor gradient = ours.get("gradient " + name);
            double[] found = new double[expected.length];
            for (int i = 0; i < found.length; i++) {
                found[i] = gradient.real(i);
            }
            double distance = distance(found, expected);
            assertTrue(distance < 1e-4, name + ": relative distance " + distance + ", seed " + seed);
        });
    }

    private static double distance(double[] found, double[] expected) {
        double squares = 0;
        double whole = 0;
        for (int i = 0; i < found.length; i++) {
            squares += (found[i] - expected[i]) * (found[i] - expected[i]);
            whole += expected[i] * expected[i];
        }
        return Math.sqrt(squares / whole);
    }

    private static Map<String, Tensor> parameters(Random random) {
        Map<String, Tensor> all = new LinkedHashMap<>();
        for (int i = 0; i < BLOCKS; i++) {
            String block = "block" + i;
            norm(all, random, block + ".norm1");
            linear(all, random, block + ".qkv", WIDTH, 3 * WIDTH);
            linear(all, random, block + ".proj", WIDTH, WIDTH);
            norm(all, random, block + ".norm2");
            linear(all, random, block + ".fc1", WIDTH, HIDDEN);
            linear(all, random, block + ".fc2", HIDDEN, WIDTH);
        }
        norm(all, random, "norm");
        linear(all, random, "head", WIDTH, CLASSES);
        // A bias of the keys has no effect: the softmax cancels it. Its gradient would be noise.
        for (int i = 0; i < BLOCKS; i++) {
            all.remove("block" + i + ".qkv.bias");
        }
        return all;
    }

    private static void norm(Map<String, Tensor> all, Random random, String name) {
        float[] scale = gaussian(random, 0.2, WIDTH).floats();
        for (int i = 0; i < scale.length; i++) {
            scale[i] += 1;
        }
        all.put(name + ".weight", Tensor.of(scale, WIDTH));
        all.put(name + ".bias", gaussian(random, 0.2, WIDTH));
    }

    private static void linear(Map<String, Tensor> all, Random random, String name, int in, int out) {
        all.put(name + ".weight", gaussian(random, 1 / Math.sqrt(in), in, out));
        all.put(name + ".bias", gaussian(random, 0.2, out));
    }

    private static Tensor gaussian(Random random, double deviation, long... extents) {
        float[] elements = new float[io.emtal.onnx.graph.Shape.of(extents).size()];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = (float) (deviation * random.nextGaussian());
        }
        return Tensor.of(elements, extents);
    }

    // With PyTorch's own operators.

    private static NDArray loss(PyTorch torch) {
        NDArray x = torch.value("x");
        for (int i = 0; i < BLOCKS; i++) {
            String block = "block" + i;
            NDArray qkv = norm(torch, block + ".norm1", x).matMul(torch.value(block + ".qkv.weight"))
                    .reshape(ROWS, TOKENS, 3, HEADS, WIDTH / HEADS).transpose(2, 0, 3, 1, 4);
            NDArray scores = qkv.get(0).matMul(qkv.get(1).transpose(0, 1, 3, 2))
                    .mul(torch.number(Math.sqrt((double) HEADS / WIDTH)));
            NDArray mixed = scores.softmax(-1).matMul(qkv.get(2)).transpose(0, 2, 1, 3).reshape(ROWS, TOKENS, WIDTH);
            x = x.add(linear(torch, block + ".proj", mixed));
            NDArray hidden = Activation.gelu(linear(torch, block + ".fc1", norm(torch, block + ".norm2", x)));
            x = x.add(linear(torch, block + ".fc2", hidden));
        }
        NDArray logits = linear(torch, "head", norm(torch, "norm", x).mean(new int[] {1}));
        return logits.logSoftmax(-1).mul(torch.value("targets")).sum().neg();
    }

    private static NDArray norm(PyTorch torch, String name, NDArray x) {
        return LayerNorm.layerNorm(x, new Shape(WIDTH), torch.value(name + ".weight"), torch.value(name + ".bias"),
                (float) EPSILON).singletonOrThrow();
    }

    private static NDArray linear(PyTorch torch, String name, NDArray x) {
        return x.matMul(torch.value(name + ".weight")).add(torch.value(name + ".bias"));
    }

    // With our builder.

    private static Graph forward(Map<String, Tensor> parameters) {
        GraphBuilder b = new GraphBuilder();
        Map<String, Value> p = new HashMap<>();
        parameters.forEach((name, tensor) -> p.put(name, b.input(name, tensor.type(), tensor.shape().extents())));
        Value x = b.input("x", ElementType.FLOAT, ROWS, TOKENS, WIDTH);
        for (int i = 0; i < BLOCKS; i++) {
            String block = "block" + i;
            Value normed = norm(b, p, block + ".norm1", x);
            List<Value> qkv = b.split(b.matMul(normed, p.get(block + ".qkv.weight")), -1, WIDTH, WIDTH, WIDTH);
            Value query = b.transpose(heads(b, qkv.get(0)), 0, 2, 1, 3);
            Value key = b.transpose(heads(b, qkv.get(1)), 0, 2, 3, 1);
            Value value = b.transpose(heads(b, qkv.get(2)), 0, 2, 1, 3);
            Value scores = b.mul(b.matMul(query, key), Math.sqrt((double) HEADS / WIDTH));
            Value mixed = b.transpose(b.matMul(b.softmax(scores, -1), value), 0, 2, 1, 3);
            x = b.add(x, linear(b, p, block + ".proj", b.reshape(mixed, ROWS, TOKENS, WIDTH)));
            Value hidden = b.gelu(linear(b, p, block + ".fc1", norm(b, p, block + ".norm2", x)));
            x = b.add(x, linear(b, p, block + ".fc2", hidden));
        }
        Value logits = linear(b, p, "head", b.reduceMean(norm(b, p, "norm", x), false, 1));
        Value targets = b.input("targets", ElementType.FLOAT, ROWS, CLASSES);
        b.output("loss", b.neg(b.reduceSum(b.mul(b.logSoftmax(logits, -1), targets), false)));
        return b.build();
    }

    private static Value heads(GraphBuilder b, Value x) {
        return b.reshape(x, ROWS, TOKENS, HEADS, WIDTH / HEADS);
    }

    private static Value norm(GraphBuilder b, Map<String, Value> p, String name, Value x) {
        return b.layerNorm(x, p.get(name + ".weight"), p.get(name + ".bias"), EPSILON);
    }

    private static Value linear(GraphBuilder b, Map<String, Value> p, String name, Value x) {
        return b.add(b.matMul(x, p.get(name + ".weight")), p.get(name + ".bias"));
    }

    private static Graph withGradients(Graph forward, Map<String, Tensor> parameters, boolean lowered) {
        GraphBuilder b = new GraphBuilder();
        Map<String, Value> bindings = new HashMap<>();
        forward.inputs().forEach(v -> bindings.put(v.name(), b.input(v.name(), v.type(), v.shape().extents())));
        Value loss = b.inline(forward, bindings, lowered ? new Lowering(b, forward) : GraphBuilder.Replacement.NONE)
                .apply(forward.outputs().get(0));
        b.output(loss);
        List<String> names = List.copyOf(parameters.keySet());
        List<Value> gradients = Gradients.of(b, loss, names.stream().map(bindings::get).toList());
        for (int i = 0; i < names.size(); i++) {
            b.output("gradient " + names.get(i), gradients.get(i));
        }
        return b.build();
    }
}

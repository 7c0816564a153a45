package io.emtal.onnx.autodiff;

import ai.onnxruntime.OrtException;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.GraphSession;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.SharedData;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Kernels and training steps of the Deeploy project against its recorded results. A step is forward, cross-entropy,
 * backward and SGD, batch 1.
 */
class GoldenStepsTest {

    private static final String KERNELS = "deeploy/Kernels/FP32/Softmax/";
    private static final String STEPS = "deeploy/Models/CCT_Train/";
    private static final String UPDATED = "_updated";
    private static final double LEARNING_RATE = 0.01;
    /** Half a unit in the last place of a weight between 0.5 and 1. */
    private static final double ROUNDING = 3e-8;

    @Test
    void softmaxGradient() throws IOException, OrtException {
        Map<String, Tensor> in = SharedData.arrays(KERNELS + "Grad/inputs.npz");
        Tensor y = in.get("y");
        // The softmax of ln y is y.
        float[] logits = new float[y.floats().length];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) Math.log(y.floats()[i]);
        }
        GraphBuilder b = new GraphBuilder();
        Value x = b.input("x", ElementType.FLOAT, y.shape().extents());
        Value loss = b.reduceSum(b.mul(b.softmax(x, -1), b.constant(in.get("dy"))), false);
        b.output("dx", Gradients.of(b, loss, List.of(x)).get(0));
        try (GraphSession session = new GraphSession(b.build())) {
            float[] found = session.run(Map.of("x", new Tensor(y.type(), y.shape(), logits))).get("dx").floats();
            assertArrayEquals(SharedData.arrays(KERNELS + "Grad/outputs.npz").get("dx").floats(), found, 1e-6f);
        }
    }

    @Test
    void crossEntropy() throws IOException, OrtException {
        Map<String, Tensor> in = SharedData.arrays(KERNELS + "CrossEntropy/inputs.npz");
        GraphBuilder b = new GraphBuilder();
        b.output("log_prob", b.logSoftmax(b.constant(in.get("logits")), -1));
        try (GraphSession session = new GraphSession(b.build())) {
            float[] expected = SharedData.arrays(KERNELS + "CrossEntropy/outputs.npz").get("log_prob").floats();
            assertArrayEquals(expected, session.run(Map.of()).get("log_prob").floats(), 3e-6f);
        }
    }

    /** Trains the head only. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void linearProbe(boolean lowered) throws IOException, OrtException {
        Map<String, Tensor> expected = SharedData.arrays(STEPS + "CCT2_LP/outputs.npz");
        Map<String, Tensor> found = step("CCT2_LP", expected, lowered);
        expected.forEach((name, tensor) -> assertArrayEquals(tensor.floats(), found.get(name).floats(), 1e-6f, name));
    }

    /** Trains rank-4 factors of the last block, its pooling and the head. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void lowRankFactors(boolean lowered) throws IOException, OrtException {
        Map<String, Tensor> expected = SharedData.arrays(STEPS + "CCT2_LoRA1/outputs.npz");
        Map<String, Tensor> initial = read("CCT2_LoRA1").initializers();
        Map<String, Tensor> found = step("CCT2_LoRA1", expected, lowered);
        expected.forEach((name, tensor) -> {
            float[] start = initial.get(name.replace(UPDATED, "")).floats();
            double[] theirs = updates(start, tensor.floats());
            double[] ours = updates(start, found.get(name).floats());
            double distance = 0;
            for (int i = 0; i < ours.length; i++) {
                distance += (ours[i] - theirs[i]) * (ours[i] - theirs[i]);
            }
            // Below that the rounding of the weights hides the update.
            double allowed = Math.max(0.01 * norm(theirs), ROUNDING * Math.sqrt(theirs.length));
            assertTrue(Math.sqrt(distance) <= allowed,
                    name + ": distance " + Math.sqrt(distance) + " of " + norm(theirs));
        });
    }

    private static Graph read(String model) throws IOException {
        return OnnxFile.read(SharedData.model(STEPS + model + "/network_infer.onnx"), 1);
    }

    /** What the weights are after one step, by the names of the reference's outputs. */
    private static Map<String, Tensor> step(String model, Map<String, Tensor> outputs, boolean lowered)
            throws IOException, OrtException {
        Graph forward = read(model);
        Map<String, Tensor> fed = new HashMap<>(SharedData.arrays(STEPS + model + "/inputs.npz"));
        int classes = (int) forward.outputs().get(0).extent(-1);
        float[] target = new float[classes];
        target[(int) fed.get("labels").longs()[0]] = 1;

        GraphBuilder b = new GraphBuilder();
        Map<String, Value> bindings = new HashMap<>();
        bindings.put("input", b.input("input", ElementType.FLOAT, forward.inputs().get(0).shape().extents()));
        List<Value> trained = new ArrayList<>();
        for (String output : outputs.keySet()) {
            String name = output.replace(UPDATED, "");
            Tensor weight = forward.initializers().get(name);
            bindings.put(name, b.input(name, ElementType.FLOAT, weight.shape().extents()));
            fed.put(name, weight);
            trained.add(bindings.get(name));
        }
        GraphBuilder.Replacement replacement = lowered ? new Lowering(b, forward) : GraphBuilder.Replacement.NONE;
        Function<Value, Value> lookUp = b.inline(forward, bindings, replacement);
        Value logProbabilities = b.logSoftmax(lookUp.apply(forward.outputs().get(0)), -1);
        Value loss = b.neg(b.reduceSum(b.mul(logProbabilities, b.constant(Tensor.of(target, 1, classes))), false));
        List<Value> gradients = Gradients.of(b, loss, trained);
        for (int i = 0; i < trained.size(); i++) {
            b.output(trained.get(i).name() + UPDATED, b.sub(trained.get(i), b.mul(gradients.get(i), LEARNING_RATE)));
        }
        try (GraphSession session = new GraphSession(b.build())) {
            return session.run(fed);
        }
    }

    private static double[] updates(float[] from, float[] to) {
        double[] updates = new double[from.length];
        for (int i = 0; i < updates.length; i++) {
            updates[i] = (double) to[i] - from[i];
        }
        return updates;
    }

    private static double norm(double[] a) {
        return Math.sqrt(Arrays.stream(a).map(x -> x * x).sum());
    }
}

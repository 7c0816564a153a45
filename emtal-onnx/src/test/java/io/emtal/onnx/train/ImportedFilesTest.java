package io.emtal.onnx.train;

import io.emtal.onnx.adapt.Adaptation;
import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.OnnxBackbone;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphSession;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.SharedData;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.task.BatchLabels;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.Heads;
import io.emtal.onnx.task.Losses;
import io.emtal.onnx.task.QualityRetaining;
import io.emtal.onnx.task.TaskLayout;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/** One trained vision transformer in three files: what training makes of it computes what the files compute. */
class ImportedFilesTest {

    private static final String FOLDER = "vit-mnist-onnx/vit-mnist-";
    private static final int ROWS = 3;
    private static final long SEED = 11;
    private static final TaskLayout TASKS = new TaskLayout(List.of(new CategoricalTask("digit", 10)));
    private static final Losses LOSSES = Losses.builder().labelSmoothing(0).build();

    private static Backbone backbone(String file) {
        return OnnxBackbone.of(SharedData.path(FOLDER + file + ".onnx")).read();
    }

    private static Tensor rows() {
        Random random = new Random(SEED);
        float[] pixels = new float[ROWS * 28 * 28];
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (float) random.nextGaussian();
        }
        return Tensor.of(pixels, ROWS, 1, 28, 28);
    }

    /** The logits that the file with a head gives. */
    private static float[] expected(String file) throws Exception {
        try (GraphSession session = new GraphSession(OnnxFile.read(SharedData.model(FOLDER + file + ".onnx"), ROWS))) {
            return session.run(Map.of("pixel_values", rows())).get("logits").floats();
        }
    }

    /** The old head as a new one's first values. */
    private static List<Parameter> oldHead(int width) throws Exception {
        Graph graph = OnnxFile.read(SharedData.model(FOLDER + "opset17.onnx"), 1);
        float[] stored = graph.initializers().get("mlp_head.1.weight").floats();
        float[] weight = new float[stored.length];
        for (int c = 0; c < 10; c++) {
            for (int d = 0; d < width; d++) {
                weight[d * 10 + c] = stored[c * width + d];
            }
        }
        List<Parameter> fresh = new Heads(TASKS, width).parameters(SEED);
        return List.of(fresh.get(0).startingAt(Tensor.of(weight, width, 10)),
                fresh.get(1).startingAt(graph.initializers().get("mlp_head.1.bias")));
    }

    private static NetworkCompiler compiler(Backbone backbone, Emtal method) throws Exception {
        return new NetworkCompiler(backbone, method.adapt(backbone, SEED), new Heads(TASKS, backbone.pooledWidth()),
                oldHead(backbone.pooledWidth()), TASKS, LOSSES, QualityRetaining.off());
    }

    private static Map<String, Tensor> inputs(NetworkCompiler compiler, double deviation) {
        Random random = new Random(SEED);
        Map<String, Tensor> inputs = new HashMap<>();
        inputs.put("pixel_values", rows());
        inputs.put(NetworkCompiler.FADE, Tensor.scalar(0.3f));
        compiler.parameters().forEach(p -> {
            float[] elements = p.initial().floats().clone();
            for (int i = 0; p.part().equals("lora") && i < elements.length; i++) {
                elements[i] += (float) (deviation * random.nextGaussian());
            }
            inputs.put(p.name(), new Tensor(p.initial().type(), p.initial().shape(), elements));
        });
        float[] targets = new float[ROWS * 10];
        float[] weights = new float[ROWS * 10];
        LOSSES.fill(new BatchLabels(TASKS, new float[] {7, 2, 1}), targets, weights);
        inputs.put(NetworkCompiler.TARGETS, Tensor.of(targets, ROWS, 10));
        inputs.put(NetworkCompiler.WEIGHTS, Tensor.of(weights, ROWS, 10));
        return inputs;
    }

    @ParameterizedTest
    @ValueSource(strings = {"opset12", "opset17"})
    void theFirstStepStartsAtTheFile(String file) throws Exception {
        float[] expected = expected(file);
        NetworkCompiler compiler = compiler(backbone(file), Emtal.builder().experts(8).build());
        for (Graph graph : List.of(compiler.forward(ROWS), compiler.step(ROWS, true, false).graph())) {
            try (GraphSession session = new GraphSession(graph)) {
                Tensor found = session.run(inputs(compiler, 0)).get(NetworkCompiler.LOGITS);
                assertArrayEquals(expected, found.floats(), 1e-4f);
            }
        }
    }

    /** The features file ends before the head's norm, so it is compared with another pooled value than the others. */
    @Test
    void gradientsOfTheFilesAgree() throws Exception {
        Map<String, Tensor> first = gradients("opset17");
        Map<String, Tensor> second = gradients("opset12");
        assertEquals(first.keySet(), second.keySet());
        double largest = 0;
        for (String name : first.keySet()) {
            if (name.startsWith("gradient/")) {
                assertArrayEquals(first.get(name).floats(), second.get(name).floats(), 2e-5f, name);
                for (float g : first.get(name).floats()) {
                    largest = Math.max(largest, Math.abs(g));
                }
            }
        }
        assertTrue(largest > 1e-2, "largest gradient " + largest);
    }

    private static Map<String, Tensor> gradients(String file) throws Exception {
        NetworkCompiler compiler = compiler(backbone(file), Emtal.builder().experts(8).build());
        try (GraphSession session = new GraphSession(compiler.step(ROWS, true, false).graph())) {
            return session.run(inputs(compiler, 0.02));
        }
    }

    /** Along a random direction in all parameters of the adaptation. */
    @ParameterizedTest
    @ValueSource(strings = {"opset12", "opset17", "features"})
    void gradientsAgreeWithDifferences(String file) throws Exception {
        NetworkCompiler compiler = compiler(backbone(file), Emtal.builder().experts(8).build());
        Map<String, Tensor> at = inputs(compiler, 0.02);
        Adaptation adaptation = compiler.adaptation();
        Random random = new Random(SEED + 1);
        Map<String, float[]> direction = new HashMap<>();
        adaptation.parameters().forEach(p -> {
            float[] elements = new float[p.size()];
            for (int i = 0; i < elements.length; i++) {
                elements[i] = (float) random.nextGaussian();
            }
            direction.put(p.name(), elements);
        });
        try (GraphSession session = new GraphSession(compiler.step(ROWS, true, false).graph())) {
            Map<String, Tensor> found = session.run(at);
            double slope = 0;
            for (Map.Entry<String, float[]> entry : direction.entrySet()) {
                float[] gradient = found.get(NetworkCompiler.gradientName(entry.getKey())).floats();
                for (int i = 0; i < gradient.length; i++) {
                    slope += (double) gradient[i] * entry.getValue()[i];
                }
            }
            double step = 1e-3;
            double difference = (loss(session, moved(at, direction, step)) - loss(session, moved(at, direction, -step)))
                    / (2 * step);
            assertEquals(slope, difference, 1e-2 * Math.abs(slope), "seed " + SEED);
        }
    }

    private static Map<String, Tensor> moved(Map<String, Tensor> at, Map<String, float[]> direction, double step) {
        Map<String, Tensor> moved = new HashMap<>(at);
        direction.forEach((name, d) -> {
            float[] elements = at.get(name).floats().clone();
            for (int i = 0; i < elements.length; i++) {
                elements[i] += (float) (step * d[i]);
            }
            moved.put(name, new Tensor(at.get(name).type(), at.get(name).shape(), elements));
        });
        return moved;
    }

    private static double loss(GraphSession session, Map<String, Tensor> inputs) throws Exception {
        float[] logits = session.run(inputs).get(NetworkCompiler.LOGITS).floats();
        return LOSSES.means(new BatchLabels(TASKS, new float[] {7, 2, 1}), logits)[0];
    }
}

package io.emtal.onnx.task;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Value;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** Runs a graph of floats once. */
final class GraphRun {

    private GraphRun() {
    }

    /** Feeds arrays by input name and returns the outputs by name; an open batch takes the arrays' number of rows. */
    static Map<String, float[]> run(Graph graph, Map<String, float[]> feeds) {
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        byte[] model = OnnxFile.toModel(graph, "test").toByteArray();
        Map<String, OnnxTensor> inputs = new LinkedHashMap<>();
        try (OrtSession session = environment.createSession(model)) {
            for (Value input : graph.inputs()) {
                float[] feed = feeds.get(input.name());
                long[] shape = input.shape().withBatch(feed.length / input.shape().withBatch(1).size()).extents();
                inputs.put(input.name(), OnnxTensor.createTensor(environment, FloatBuffer.wrap(feed), shape));
            }
            Map<String, float[]> outputs = new HashMap<>();
            try (OrtSession.Result result = session.run(inputs)) {
                for (var output : result) {
                    FloatBuffer buffer = ((OnnxTensor) output.getValue()).getFloatBuffer();
                    float[] values = new float[buffer.remaining()];
                    buffer.get(values);
                    outputs.put(output.getKey(), values);
                }
            }
            return outputs;
        } catch (OrtException e) {
            throw new IllegalStateException(e);
        } finally {
            inputs.values().forEach(OnnxTensor::close);
        }
    }
}

package io.emtal.onnx.train;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.Value;

import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/** Computes the logits of rows with a forward graph: the training's own at a = 1, or the dense network's. */
final class Evaluator implements AutoCloseable {

    private final OrtSession session;
    private final Examples examples;
    private final int rows;
    private final int columns;
    private final FloatBuffer inputMemory;
    private final FloatBuffer logitMemory;
    private final OnnxTensor input;
    private final OnnxTensor logits;
    private final Map<String, OnnxTensor> inputs = new HashMap<>();

    /**
     * Prepares the evaluation.
     *
     * @param graph takes rows and gives logits
     * @param examples the rows
     * @param rows how many are computed at a time
     * @param parameters what the graph takes besides rows, by name
     */
    Evaluator(Graph graph, Examples examples, int rows, Map<String, OnnxTensor> parameters) {
        this.examples = examples;
        this.rows = rows;
        this.columns = (int) graph.outputs().get(0).extent(1);
        session = Sessions.open(graph, "forward");
        Value rowsIn = graph.inputs().get(0);
        inputMemory = ParameterBuffer.direct(rowsIn.shape().withBatch(rows).size());
        logitMemory = ParameterBuffer.direct(rows * columns);
        try {
            OrtEnvironment environment = OrtEnvironment.getEnvironment();
            input = OnnxTensor.createTensor(environment, inputMemory, rowsIn.shape().withBatch(rows).extents());
            logits = OnnxTensor.createTensor(environment, logitMemory, new long[] {rows, columns});
        } catch (OrtException e) {
            throw Sessions.failed("forward", e);
        }
        inputs.putAll(parameters);
        inputs.put(rowsIn.name(), input);
        inputs.keySet().retainAll(graph.inputs().stream().map(Value::name).toList());
    }

    /**
     * Computes logits.
     *
     * @param positions the rows
     * @return [rows, C], row after row
     */
    float[] logits(int[] positions) {
        float[] all = new float[positions.length * columns];
        for (int start = 0; start < positions.length; start += rows) {
            inputMemory.clear();
            for (int i = 0; i < rows; i++) {
                examples.inputs(positions[Math.min(start + i, positions.length - 1)], inputMemory);
            }
            try (OrtSession.Result result = session.run(inputs, Set.of(), Map.of(NetworkCompiler.LOGITS, logits))) {
                logitMemory.get(0, all, start * columns, Math.min(rows, positions.length - start) * columns);
            } catch (OrtException e) {
                throw Sessions.failed("forward", e);
            }
        }
        return all;
    }

    @Override
    public void close() {
        input.close();
        logits.close();
        try {
            session.close();
        } catch (OrtException e) {
            throw Sessions.failed("forward", e);
        }
    }
}

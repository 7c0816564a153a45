package io.emtal.onnx.train;

import ai.onnx.proto.OnnxMl;
import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.Shape;

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
    private final String outputName;
    private final FloatBuffer inputMemory;
    private final FloatBuffer logitMemory;
    private final OnnxTensor input;
    private final OnnxTensor logits;
    private final Map<String, OnnxTensor> inputs = new HashMap<>();

    /**
     * Prepares the evaluation of the training's own network.
     *
     * @param graph takes rows and gives logits
     * @param examples the rows
     * @param rows how many are computed at a time
     * @param parameters what the graph takes besides rows, by name
     */
    Evaluator(Graph graph, Examples examples, int rows, Map<String, OnnxTensor> parameters) {
        this(Sessions.open(graph, "forward"), examples, rows, graph.inputs().get(0).name(),
                parameters);
    }

    /**
     * Prepares the evaluation of a dense network.
     *
     * @param model takes rows and gives logits
     * @param examples the rows
     * @param rows how many are computed at a time, unless the model's batch is fixed
     * @param input the name of its only input
     */
    Evaluator(OnnxMl.ModelProto model, Examples examples, int rows, String input) {
        this(Sessions.open(model, "dense"), examples, rows, input, Map.of());
    }

    private Evaluator(OrtSession session, Examples examples, int rows, String input, Map<String, OnnxTensor> parameters) {
        this.session = session;
        this.examples = examples;
        try {
            long[] shape = shape(session.getInputInfo().get(input));
            this.rows = shape[0] > 0 ? (int) shape[0] : rows;
            shape[0] = this.rows;
            Map.Entry<String, NodeInfo> output = session.getOutputInfo().entrySet().iterator().next();
            outputName = output.getKey();
            columns = (int) shape(output.getValue())[1];
            inputMemory = ParameterBuffer.direct(Shape.of(shape).size());
            logitMemory = ParameterBuffer.direct(this.rows * columns);
            OrtEnvironment environment = OrtEnvironment.getEnvironment();
            this.input = OnnxTensor.createTensor(environment, inputMemory, shape);
            logits = OnnxTensor.createTensor(environment, logitMemory, new long[] {this.rows, columns});
        } catch (OrtException e) {
            throw Sessions.failed("forward", e);
        }
        inputs.putAll(parameters);
        inputs.keySet().retainAll(session.getInputNames());
        inputs.put(input, this.input);
    }

    private static long[] shape(NodeInfo value) {
        return ((TensorInfo) value.getInfo()).getShape();
    }

    /**
     * Computes logits.
     *
     * @param positions the rows
     * @return [rows, C], row after row
     */
    float[] logits(int[] positions) {
        float[] all = new float[positions.length * columns];
        Examples read = examples.inOrder(positions);
        for (int start = 0; start < positions.length; start += rows) {
            inputMemory.clear();
            for (int i = 0; i < rows; i++) {
                read.inputs(positions[Math.min(start + i, positions.length - 1)], inputMemory);
            }
            try (OrtSession.Result result = session.run(inputs, Set.of(), Map.of(outputName, logits))) {
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

package io.emtal.onnx.train;

import ai.onnx.proto.OnnxMl;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.Shape;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * Computes what a forward graph gives for rows: logits, with the training's own graph at a = 1 or the dense network's,
 * or a frozen prefix's activations.
 */
final class Evaluator implements AutoCloseable {

    private final NativeSession session;
    private final Examples examples;
    private final int rows;
    private final int columns;
    private final FloatBuffer inputMemory;
    private final FloatBuffer outputMemory;
    private final Map<String, OnnxTensor> inputs = new HashMap<>();
    private final Map<String, OnnxTensor> outputs = new HashMap<>();
    private final List<OnnxTensor> owned = new ArrayList<>();

    /**
     * Prepares the evaluation of the training's own network.
     *
     * @param graph takes rows and gives logits
     * @param examples the rows
     * @param rows how many are computed at a time
     * @param parameters what the graph takes besides rows, by name
     */
    Evaluator(Graph graph, Examples examples, int rows, Map<String, OnnxTensor> parameters) {
        this(new NativeSession(graph, "forward", 1), examples, rows, graph.inputs().get(0).name(), parameters);
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
        this(new NativeSession(model, "dense", 1), examples, rows, input, Map.of());
    }

    /**
     * Prepares the evaluation of a graph that takes rows only.
     *
     * @param graph takes a number of rows and gives as many, [rows, width]
     * @param examples the rows
     * @param threads how many compute a batch together
     */
    Evaluator(Graph graph, Examples examples, int threads) {
        this(new NativeSession(graph, "prefix", threads), examples, (int) graph.inputs().get(0).extent(0),
                graph.inputs().get(0).name(), Map.of());
    }

    /** Takes the session over: it is closed with the evaluator, or at once if there will be none. */
    Evaluator(NativeSession session, Examples examples, int rows, String input, Map<String, OnnxTensor> parameters) {
        this.session = session;
        this.examples = examples;
        try {
            long[] shape = session.inputShape(input);
            this.rows = shape[0] > 0 ? (int) shape[0] : rows;
            shape[0] = this.rows;
            Map.Entry<String, long[]> only = session.output();
            columns = (int) only.getValue()[1];
            inputMemory = ParameterBuffer.direct(Shape.of(shape).size());
            outputMemory = ParameterBuffer.direct(Math.multiplyExact(this.rows, columns));
            inputs.putAll(parameters);
            inputs.keySet().retainAll(session.inputs());
            inputs.put(input, tensor(inputMemory, shape));
            outputs.put(only.getKey(), tensor(outputMemory, this.rows, columns));
        } catch (OrtException e) {
            close();
            throw NativeSession.failed("forward", e);
        } catch (RuntimeException | Error e) {
            close();
            throw e;
        }
    }

    private OnnxTensor tensor(FloatBuffer memory, long... shape) throws OrtException {
        OnnxTensor tensor = OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), memory, shape);
        owned.add(tensor);
        return tensor;
    }

    /** How many rows are computed at a time. */
    int rows() {
        return rows;
    }

    /** How many numbers a row gives. */
    int columns() {
        return columns;
    }

    /**
     * Computes rows.
     *
     * @param positions the rows
     * @return [rows, C], row after row
     */
    float[] outputs(int[] positions) {
        FloatBuffer all = FloatBuffer.allocate(positions.length * columns);
        forEachBatch(positions, all::put);
        return all.array();
    }

    /**
     * Computes rows, some at a time.
     *
     * @param positions the rows
     * @param consumer gets [some, C] again and again, in order; the memory is used again
     */
    void forEachBatch(int[] positions, Consumer<FloatBuffer> consumer) {
        Examples read = examples.inOrder(positions);
        for (int start = 0; start < positions.length; start += rows) {
            inputMemory.clear();
            for (int i = 0; i < rows; i++) {
                read.inputs(positions[Math.min(start + i, positions.length - 1)], inputMemory);
            }
            session.run(inputs, outputs, false);
            consumer.accept(outputMemory.slice(0, Math.min(rows, positions.length - start) * columns));
        }
    }

    @Override
    public void close() {
        owned.forEach(OnnxTensor::close);
        session.close();
    }
}

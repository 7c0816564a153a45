package io.emtal.onnx.train;

import ai.onnx.proto.OnnxMl;
import ai.onnxruntime.NodeInfo;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxTensorLike;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Tensor;

import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;

/**
 * An ONNX Runtime session as training uses it: one thread a run where workers run side by side. A graph's large
 * constants are handed over in native memory beside the model, so that they are not copied again and again while a
 * session is made.
 */
final class NativeSession implements AutoCloseable {

    /** Constants of fewer elements stay in the model: ONNX Runtime computes with some of them while it makes a session. */
    private static final int LARGE = 256;

    private final String name;
    private final Map<String, OnnxTensorLike> constants = new HashMap<>();
    private final OrtSession session;

    /**
     * Opens a session of a graph.
     *
     * @param graph the graph
     * @param name what it is, for messages
     * @param threads how many compute a run together
     */
    NativeSession(Graph graph, String name, int threads) {
        this.name = name;
        try {
            for (Map.Entry<String, Tensor> constant : graph.initializers().entrySet()) {
                if (isLarge(constant.getValue())) {
                    constants.put(constant.getKey(), tensor(constant.getValue()));
                }
            }
            session = open(OnnxFile.toModel(graph, name, constants.keySet()), threads);
        } catch (OrtException e) {
            constants.values().forEach(OnnxTensorLike::close);
            throw failed(name, e);
        } catch (RuntimeException | Error e) {
            constants.values().forEach(OnnxTensorLike::close);
            throw e;
        }
    }

    /**
     * Opens a session of a model.
     *
     * @param model the model, with all its tensors
     * @param name what it is, for messages
     * @param threads how many compute a run together
     */
    NativeSession(OnnxMl.ModelProto model, String name, int threads) {
        this.name = name;
        try {
            session = open(model, threads);
        } catch (OrtException e) {
            throw failed(name, e);
        }
    }

    private static boolean isLarge(Tensor tensor) {
        return tensor.type() == ElementType.FLOAT && tensor.shape().size() >= LARGE;
    }

    private static OnnxTensor tensor(Tensor tensor) throws OrtException {
        FloatBuffer memory = ParameterBuffer.direct(tensor.shape().size());
        memory.put(0, tensor.floats());
        return OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), memory, tensor.shape().extents());
    }

    private OrtSession open(OnnxMl.ModelProto model, int threads) throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(threads);
            options.setInterOpNumThreads(1);
            options.setOptimizationLevel(OrtSession.SessionOptions.OptLevel.ALL_OPT);
            if (!constants.isEmpty()) {
                options.addExternalInitializers(constants);
            }
            return OrtEnvironment.getEnvironment().createSession(model.toByteArray(), options);
        }
    }

    /** The names of the constants that lie beside the model. */
    Set<String> constants() {
        return constants.keySet();
    }

    /** The names of the inputs. */
    Set<String> inputs() {
        return session.getInputNames();
    }

    /** The shape of an input; extents that are open are negative. */
    long[] inputShape(String input) {
        try {
            return shape(session.getInputInfo().get(input));
        } catch (OrtException e) {
            throw failed(name, e);
        }
    }

    /** The name and shape of the only output; extents that are open are negative. */
    Map.Entry<String, long[]> output() {
        try {
            Map.Entry<String, NodeInfo> only = session.getOutputInfo().entrySet().iterator().next();
            return Map.entry(only.getKey(), shape(only.getValue()));
        } catch (OrtException e) {
            throw failed(name, e);
        }
    }

    private static long[] shape(NodeInfo value) {
        return ((TensorInfo) value.getInfo()).getShape();
    }

    /**
     * Runs.
     *
     * @param inputs what is fed, by name
     * @param outputs what is overwritten with the results, by name
     * @param givingBack whether memory that is not used afterwards is given back: what a first run has taken piece by
     *     piece, before there was a plan
     */
    void run(Map<String, OnnxTensor> inputs, Map<String, OnnxTensor> outputs, boolean givingBack) {
        try (OrtSession.RunOptions options = givingBack ? givingBack() : null) {
            session.run(inputs, Set.of(), outputs, options).close();
        } catch (OrtException e) {
            throw failed(name, e);
        }
    }

    private static OrtSession.RunOptions givingBack() throws OrtException {
        OrtSession.RunOptions options = new OrtSession.RunOptions();
        options.addRunConfigEntry("memory.enable_memory_arena_shrinkage", "cpu:0");
        return options;
    }

    static EmtalException failed(String what, OrtException cause) {
        return new EmtalException(what + ": ONNX Runtime failed: " + cause.getMessage(), cause);
    }

    @Override
    public void close() {
        try {
            session.close();
        } catch (OrtException e) {
            throw failed(name, e);
        }
        constants.values().forEach(OnnxTensorLike::close);
    }
}

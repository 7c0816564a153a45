package io.emtal.samples.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.emtal.onnx.EmtalException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.HashMap;
import java.util.Map;

/** A network in a session of its own, with inputs that stay the same from run to run. */
final class PredictRun implements Runnable, AutoCloseable {
    private final OrtSession session;
    private final Map<String, OnnxTensor> inputs = new HashMap<>();

    /**
     * Opens a network.
     *
     * @param model an ONNX model
     * @param threads how many threads compute one run
     */
    PredictRun(byte[] model, int threads) {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(threads);
            options.addConfigEntry("session.intra_op.allow_spinning", "0");
            session = OrtEnvironment.getEnvironment().createSession(model, options);
        } catch (OrtException e) {
            throw failed(e);
        }
    }

    /** Sets an input. */
    PredictRun with(String name, FloatBuffer values, long... extents) {
        FloatBuffer direct = ByteBuffer.allocateDirect(values.remaining() * Float.BYTES).order(ByteOrder.nativeOrder())
                .asFloatBuffer().put(values).flip();
        try {
            inputs.put(name, OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), direct, extents));
        } catch (OrtException e) {
            throw failed(e);
        }
        return this;
    }

    @Override
    public void run() {
        try {
            session.run(inputs).close();
        } catch (OrtException e) {
            throw failed(e);
        }
    }

    @Override
    public void close() {
        inputs.values().forEach(OnnxTensor::close);
        try {
            session.close();
        } catch (OrtException e) {
            throw failed(e);
        }
    }

    private static EmtalException failed(OrtException e) {
        return new EmtalException("bench: ONNX Runtime failed: " + e.getMessage(), e);
    }
}

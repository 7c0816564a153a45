package io.emtal.samples.bench;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.OnnxFile;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Map;
import java.util.Set;

/** What the machine reaches in a large product of matrices of 32-bit floats: the ceiling of every network on it. */
final class MatrixCeiling implements AutoCloseable {
    private static final int SIDE = 1024;
    private static final double FLOPS = 2.0 * SIDE * SIDE * SIDE;
    private static final int RUNS = 8;

    private final OrtSession session;
    private final OnnxTensor operand;
    private final OnnxTensor result;
    private double best;

    /**
     * Prepares the measurement.
     *
     * @param threads the number of threads
     */
    MatrixCeiling(int threads) {
        GraphBuilder graph = new GraphBuilder();
        graph.output("c", graph.matMul(graph.input("a", ElementType.FLOAT, SIDE, SIDE),
                graph.input("b", ElementType.FLOAT, SIDE, SIDE)));
        OrtEnvironment environment = OrtEnvironment.getEnvironment();
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(threads);
            options.addConfigEntry("session.intra_op.allow_spinning", "0");
            session = environment.createSession(OnnxFile.toModel(graph.build(), "product").toByteArray(), options);
            operand = tensor(environment);
            result = tensor(environment);
        } catch (OrtException e) {
            throw failed(e);
        }
    }

    private static OnnxTensor tensor(OrtEnvironment environment) throws OrtException {
        return OnnxTensor.createTensor(environment, ByteBuffer.allocateDirect(SIDE * SIDE * Float.BYTES)
                .order(ByteOrder.nativeOrder()).asFloatBuffer(), new long[] {SIDE, SIDE});
    }

    /** Measures some products; the best of all calls counts. */
    void measure() {
        try {
            for (int run = 0; run < RUNS; run++) {
                long begun = System.nanoTime();
                session.run(Map.of("a", operand, "b", operand), Set.of(), Map.of("c", result)).close();
                best = Math.max(best, FLOPS / (System.nanoTime() - begun));
            }
        } catch (OrtException e) {
            throw failed(e);
        }
    }

    /** The best rate so far in GFLOP/s. */
    double gigaflops() {
        return best;
    }

    @Override
    public void close() {
        operand.close();
        result.close();
        try {
            session.close();
        } catch (OrtException e) {
            throw failed(e);
        }
    }

    private static EmtalException failed(OrtException e) {
        return new EmtalException("matrix product: ONNX Runtime failed: " + e.getMessage(), e);
    }
}

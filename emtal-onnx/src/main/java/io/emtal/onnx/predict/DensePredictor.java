package io.emtal.onnx.predict;

import ai.onnx.proto.OnnxMl;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import com.google.protobuf.ByteString;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.ReadLimits;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Predicts with a dense ONNX network: rows of floats in, rows of floats out.
 *
 * <p>Thread-safe; all threads share one ONNX Runtime session, which is created by the first prediction. Once closed, it
 * refuses further predictions; those that run are finished first, and the last of them frees the session. One that is
 * never closed frees its session when it is garbage.
 */
public final class DensePredictor implements AutoCloseable {

    private static final Cleaner CLEANER = Cleaner.create();

    /** The most rows in one run of the network, for cache and memory; wide rows go in smaller batches. */
    private static final int MAX_BATCH = 256;

    /** The most input elements in one run of the network, a single row excepted. */
    private static final int MAX_BATCH_ELEMENTS = 1 << 20;

    private final ByteString model;
    private final String inputName;
    private final long[] inputShape;
    private final int inputWidth;
    private final int outputWidth;
    /** The number of rows of every run, or 0 where the network takes any. */
    private final int fixedBatch;
    private final SharedSession session;
    private final Cleaner.Cleanable cleanable;

    /**
     * Reads a network.
     *
     * @param model an ONNX model with one float input [batch, …] and one float output [batch, C]; where its batch is
     *     fixed, rows go in batches of that size, the last one filled up with zeros
     * @param threads the number of threads that one prediction may use, at least 1; several predictions may run at once
     *     whatever it is
     * @throws EmtalException if the bytes are no such model
     */
    public DensePredictor(ByteString model, int threads) {
        this(model, threads, Optimise.PORTABLE);
    }

    /**
     * Reads a network.
     *
     * @param model as {@link #DensePredictor(ByteString, int)} takes it
     * @param threads the number of threads that one prediction may use, at least 1
     * @param form the form in which the network predicts; {@link #model()} stays as it is
     * @throws EmtalException if the bytes are no such model, or it cannot be written in that form
     */
    public DensePredictor(ByteString model, int threads, Optimise form) {
        EmtalException.check(threads >= 1, "predictor: found %d threads, at least 1 is needed", threads);
        this.model = model;
        OnnxMl.ModelProto loaded = OnnxFile.load(model, ReadLimits.DEFAULT);
        OnnxMl.GraphProto graph = loaded.getGraph();
        Set<String> constants = graph.getInitializerList().stream().map(OnnxMl.TensorProto::getName)
                .collect(Collectors.toSet());
        List<OnnxMl.ValueInfoProto> inputs = graph.getInputList().stream()
                .filter(input -> !constants.contains(input.getName())).toList();
        EmtalException.check(inputs.size() == 1 && graph.getOutputCount() == 1,
                "predictor: found %d inputs and %d outputs, allowed is one of each", inputs.size(), graph.getOutputCount());
        this.inputName = inputs.get(0).getName();
        this.inputShape = rowShape(inputs.get(0));
        this.inputWidth = elements(inputs.get(0), inputShape);
        long[] outputShape = rowShape(graph.getOutput(0));
        EmtalException.check(outputShape.length == 2, "output '%s': found rank %d, allowed is [batch, C]",
                graph.getOutput(0).getName(), outputShape.length);
        this.outputWidth = elements(graph.getOutput(0), outputShape);
        long batch = inputs.get(0).getType().getTensorType().getShape().getDim(0).getDimValue();
        EmtalException.check(batch <= Math.max(1, MAX_BATCH_ELEMENTS / inputWidth), "input '%s': found a fixed batch of"
                + " %d rows, allowed are batches of %d elements", inputName, batch, MAX_BATCH_ELEMENTS);
        this.fixedBatch = (int) batch;
        OnnxMl.ModelProto network = form.apply(OnnxFile.named(loaded));
        this.session = new SharedSession(threads, network == loaded ? model : network.toByteString());
        this.cleanable = CLEANER.register(this, session);
    }

    /** The shape of a value, with 1 for the batch. */
    private static long[] rowShape(OnnxMl.ValueInfoProto value) {
        OnnxMl.TypeProto.Tensor type = value.getType().getTensorType();
        EmtalException.check(type.getElemType() == OnnxMl.TensorProto.DataType.FLOAT.getNumber()
                        && type.getShape().getDimCount() >= 2,
                "value '%s': found element type %d and rank %d, allowed are floats [batch, …]", value.getName(),
                type.getElemType(), type.getShape().getDimCount());
        long[] shape = type.getShape().getDimList().stream()
                .mapToLong(OnnxMl.TensorShapeProto.Dimension::getDimValue).toArray();
        shape[0] = 1;
        return shape;
    }

    private static int elements(OnnxMl.ValueInfoProto value, long[] shape) {
        long product = 1;
        for (long extent : shape) {
            EmtalException.check(extent > 0 && extent <= Integer.MAX_VALUE / product,
                    "value '%s': found extent %d, allowed are fixed positive extents of fewer than 2^31 elements a row",
                    value.getName(), extent);
            product *= extent;
        }
        return (int) product;
    }

    /**
     * The network.
     *
     * @return the ONNX model
     */
    public ByteString model() {
        return model;
    }

    /**
     * The number of input elements of a row.
     *
     * @return the product of the input's extents without the batch
     */
    public int inputWidth() {
        return inputWidth;
    }

    /**
     * The number of output elements of a row.
     *
     * @return C
     */
    public int outputWidth() {
        return outputWidth;
    }

    /**
     * Predicts.
     *
     * @param rows rows of {@link #inputWidth()} elements, one behind the other, from position 0
     * @param count the number of rows
     * @return {@code count} rows of {@link #outputWidth()} elements
     * @throws EmtalException if there are fewer rows, or the network fails on them
     * @throws IllegalStateException if the predictor is closed
     */
    public float[] predict(float[] rows, int count) {
        return predict(FloatBuffer.wrap(rows), count);
    }

    /**
     * Predicts.
     *
     * @param rows rows of {@link #inputWidth()} elements, one behind the other, from the buffer's position, which stays;
     *     a direct buffer in native byte order is read in place
     * @param count the number of rows
     * @return {@code count} rows of {@link #outputWidth()} elements
     * @throws EmtalException if there are fewer rows, or the network fails on them
     * @throws IllegalStateException if the predictor is closed
     */
    public float[] predict(FloatBuffer rows, int count) {
        EmtalException.check(count >= 0 && (long) count * inputWidth <= rows.remaining(),
                "predictor: found %d elements for %d rows, allowed are %d a row", rows.remaining(), count, inputWidth);
        EmtalException.check((long) count * outputWidth <= Integer.MAX_VALUE - 8,
                "predictor: found %d rows of %d outputs, allowed are fewer than 2^31 outputs", count, outputWidth);
        float[] result = new float[count * outputWidth];
        int batch = fixedBatch > 0 ? fixedBatch : Math.max(1, Math.min(MAX_BATCH, MAX_BATCH_ELEMENTS / inputWidth));
        OrtSession running = session.acquire();
        try {
            for (int first = 0; first < count; first += batch) {
                int size = Math.min(batch, count - first);
                run(running, rows.slice(rows.position() + first * inputWidth, size * inputWidth), size, result,
                        first * outputWidth);
            }
        } catch (OrtException e) {
            throw new EmtalException("predictor: ONNX Runtime failed on " + count + " rows: " + e.getMessage(), e);
        } finally {
            session.release();
            Reference.reachabilityFence(this);
        }
        return result;
    }

    private void run(OrtSession running, FloatBuffer rows, int size, float[] result, int offset) throws OrtException {
        long[] shape = inputShape.clone();
        shape[0] = fixedBatch > 0 ? fixedBatch : size;
        int elements = (int) shape[0] * inputWidth;
        try (OnnxTensor input = OnnxTensor.createTensor(OrtEnvironment.getEnvironment(), inPlace(rows, elements), shape);
             OrtSession.Result outputs = running.run(Map.of(inputName, input))) {
            FloatBuffer output = ((OnnxTensor) outputs.get(0)).getFloatBuffer();
            EmtalException.check(output.remaining() == shape[0] * outputWidth,
                    "predictor: found %d output elements for %d rows, allowed are %d a row", output.remaining(), shape[0],
                    outputWidth);
            output.get(result, offset, size * outputWidth);
        }
    }

    /**
     * The rows where ONNX Runtime reads them without mistake, it takes a foreign byte order for the native one; with
     * zeros behind them up to a number of elements.
     */
    private static FloatBuffer inPlace(FloatBuffer rows, int elements) {
        if (rows.isDirect() && rows.order() == ByteOrder.nativeOrder() && rows.remaining() == elements) {
            return rows;
        }
        return ByteBuffer.allocateDirect(elements * Float.BYTES).order(ByteOrder.nativeOrder()).asFloatBuffer()
                .put(rows).clear();
    }

    /** Refuses further predictions. Frees the session as soon as none runs. Closing twice is no error. */
    @Override
    public void close() {
        cleanable.clean();
    }

    /** A session that is freed by the last of its users. It must not know the predictor, whose garbage collection closes it. */
    private static final class SharedSession implements Runnable {

        private final int threads;
        private final ByteString network;
        private OrtSession session;
        private int users;
        private boolean closed;

        private SharedSession(int threads, ByteString network) {
            this.threads = threads;
            this.network = network;
        }

        private synchronized OrtSession acquire() {
            if (closed) {
                throw new IllegalStateException("predictor: found closed, predictions are allowed only before that");
            }
            if (session == null) {
                session = create();
            }
            users++;
            return session;
        }

        private OrtSession create() {
            try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
                options.setIntraOpNumThreads(threads);
                options.setInterOpNumThreads(1);
                options.addConfigEntry("session.intra_op.allow_spinning", "0");
                return OrtEnvironment.getEnvironment().createSession(network.toByteArray(), options);
            } catch (OrtException e) {
                throw new EmtalException("predictor: ONNX Runtime refuses the network: " + e.getMessage(), e);
            }
        }

        private synchronized void release() {
            users--;
            freeIfUnused();
        }

        /** Closes. */
        @Override
        public synchronized void run() {
            closed = true;
            freeIfUnused();
        }

        private void freeIfUnused() {
            if (closed && users == 0 && session != null) {
                try {
                    session.close();
                } catch (OrtException e) {
                    throw new IllegalStateException("predictor: ONNX Runtime failed to close the session", e);
                } finally {
                    session = null;
                }
            }
        }
    }
}

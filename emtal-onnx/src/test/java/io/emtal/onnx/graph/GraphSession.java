package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl;
import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import ai.onnxruntime.OrtSession;
import ai.onnxruntime.TensorInfo;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.DoubleBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** Runs a graph or a model as it is in tests: tensors in, tensors out. */
public final class GraphSession implements AutoCloseable {

    private final OrtEnvironment environment = OrtEnvironment.getEnvironment();
    private final OrtSession session;

    public GraphSession(Graph graph) throws OrtException {
        this(OnnxFile.toModel(graph, "test"));
    }

    public GraphSession(OnnxMl.ModelProto model) throws OrtException {
        try (OrtSession.SessionOptions options = new OrtSession.SessionOptions()) {
            options.setIntraOpNumThreads(1);
            session = environment.createSession(model.toByteArray(), options);
        }
    }

    /** Runs the graph on the given inputs; those that the graph does not need are ignored. */
    public Map<String, Tensor> run(Map<String, Tensor> inputs) throws OrtException {
        Map<String, OnnxTensor> fed = new HashMap<>();
        try {
            for (String name : session.getInputNames()) {
                fed.put(name, tensor(environment, inputs.get(name)));
            }
            try (OrtSession.Result result = session.run(fed)) {
                Map<String, Tensor> outputs = new LinkedHashMap<>();
                for (Map.Entry<String, OnnxValue> output : result) {
                    outputs.put(output.getKey(), tensor((OnnxTensor) output.getValue()));
                }
                return outputs;
            }
        } finally {
            fed.values().forEach(OnnxTensor::close);
        }
    }

    static OnnxTensor tensor(OrtEnvironment environment, Tensor tensor) throws OrtException {
        long[] shape = tensor.shape().extents();
        return switch (tensor.type()) {
            case FLOAT -> OnnxTensor.createTensor(environment, FloatBuffer.wrap((float[]) tensor.elements()), shape);
            case DOUBLE -> OnnxTensor.createTensor(environment, DoubleBuffer.wrap((double[]) tensor.elements()), shape);
            case INT32 -> OnnxTensor.createTensor(environment, IntBuffer.wrap((int[]) tensor.elements()), shape);
            case INT64 -> OnnxTensor.createTensor(environment, LongBuffer.wrap((long[]) tensor.elements()), shape);
            case BOOL -> {
                boolean[] elements = (boolean[]) tensor.elements();
                ByteBuffer bytes = ByteBuffer.allocateDirect(elements.length).order(ByteOrder.nativeOrder());
                for (int i = 0; i < elements.length; i++) {
                    bytes.put(i, (byte) (elements[i] ? 1 : 0));
                }
                yield OnnxTensor.createTensor(environment, bytes, shape, OnnxJavaType.BOOL);
            }
        };
    }

    static Tensor tensor(OnnxTensor value) {
        TensorInfo info = value.getInfo();
        Shape shape = Shape.of(info.getShape());
        return switch (info.type) {
            case FLOAT -> {
                float[] elements = new float[shape.size()];
                value.getFloatBuffer().get(elements);
                yield new Tensor(ElementType.FLOAT, shape, elements);
            }
            case DOUBLE -> {
                double[] elements = new double[shape.size()];
                value.getDoubleBuffer().get(elements);
                yield new Tensor(ElementType.DOUBLE, shape, elements);
            }
            case INT32 -> {
                int[] elements = new int[shape.size()];
                value.getIntBuffer().get(elements);
                yield new Tensor(ElementType.INT32, shape, elements);
            }
            case INT64 -> {
                long[] elements = new long[shape.size()];
                value.getLongBuffer().get(elements);
                yield new Tensor(ElementType.INT64, shape, elements);
            }
            case BOOL -> {
                boolean[] elements = new boolean[shape.size()];
                ByteBuffer bytes = value.getByteBuffer();
                for (int i = 0; i < elements.length; i++) {
                    elements[i] = bytes.get(i) != 0;
                }
                yield new Tensor(ElementType.BOOL, shape, elements);
            }
            default -> throw new IllegalStateException("element type " + info.type);
        };
    }

    @Override
    public void close() throws OrtException {
        session.close();
    }
}

package io.emtal.tribuo;

import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OrtEnvironment;
import ai.onnxruntime.OrtException;
import com.google.protobuf.Any;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;
import org.tribuo.interop.onnx.ExampleTransformer;
import org.tribuo.interop.onnx.protos.ExampleTransformerProto;
import org.tribuo.math.la.SparseVector;
import org.tribuo.math.la.VectorTuple;
import org.tribuo.protos.ProtoSerializableClass;
import org.tribuo.protos.ProtoUtil;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;

/**
 * Feeds an exported network through Tribuo's {@link org.tribuo.interop.onnx.ONNXExternalModel}: a feature that an
 * example lacks is not-a-number, which the network knows as missing. Tribuo's own
 * {@link org.tribuo.interop.onnx.DenseTransformer} says 0 instead, which does as well where only members of nominal
 * columns are absent.
 */
@ProtoSerializableClass(version = MissingAwareTransformer.CURRENT_VERSION)
public final class MissingAwareTransformer implements ExampleTransformer {

    private static final long serialVersionUID = 1L;

    /** The version of the protobuf that this class writes. */
    public static final int CURRENT_VERSION = 0;

    /** The transformer. */
    public MissingAwareTransformer() {
    }

    /**
     * Reads what {@link #serialize()} wrote.
     *
     * @param version the version of the protobuf
     * @param className this class's name
     * @param message the protobuf, empty
     * @return the transformer
     */
    public static MissingAwareTransformer deserializeFromProto(int version, String className, Any message) {
        EmtalException.check(version >= 0 && version <= CURRENT_VERSION,
                "%s: found a protobuf of version %d, allowed are 0 to %d", className, version, CURRENT_VERSION);
        return new MissingAwareTransformer();
    }

    @Override
    public ExampleTransformerProto serialize() {
        return ProtoUtil.serialize(this);
    }

    @Override
    public OnnxTensor transform(OrtEnvironment environment, SparseVector vector) throws OrtException {
        return transform(environment, List.of(vector));
    }

    @Override
    public OnnxTensor transform(OrtEnvironment environment, List<SparseVector> vectors) throws OrtException {
        int width = vectors.get(0).size();
        FloatBuffer rows = ByteBuffer.allocateDirect(Math.multiplyExact(vectors.size() * width, Float.BYTES))
                .order(ByteOrder.nativeOrder()).asFloatBuffer();
        float[] row = new float[width];
        for (SparseVector vector : vectors) {
            Arrays.fill(row, Float.NaN);
            for (VectorTuple feature : vector) {
                row[feature.index] = (float) feature.value;
            }
            rows.put(row);
        }
        return OnnxTensor.createTensor(environment, rows.rewind(), new long[] {vectors.size(), width});
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "ExampleTransformer");
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MissingAwareTransformer;
    }

    @Override
    public int hashCode() {
        return MissingAwareTransformer.class.hashCode();
    }

    @Override
    public String toString() {
        return "MissingAwareTransformer()";
    }
}

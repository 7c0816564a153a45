package io.emtal.tribuo.output;

import com.google.protobuf.Any;
import io.emtal.tribuo.Versions;
import io.emtal.tribuo.multitask.MultiTask;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.protos.ProtoSerializableClass;

/**
 * Reads {@link MultiTask} outputs from a network in Tribuo's {@link org.tribuo.interop.onnx.ONNXExternalModel}: one
 * float tensor {@code [B, D]}, its columns in the order of the domain's ids. Columns of categorical and binary tasks
 * are probabilities, those of real tasks are numbers in the task's unit.
 */
@ProtoSerializableClass(version = MultiTaskTransformer.CURRENT_VERSION)
public final class MultiTaskTransformer extends ColumnsTransformer<MultiTask> {

    private static final long serialVersionUID = 1L;

    /** The version of the protobuf that this class writes. */
    public static final int CURRENT_VERSION = 0;

    /** A transformer. */
    public MultiTaskTransformer() {
    }

    /**
     * Reads what {@link #serialize()} wrote.
     *
     * @param version the version of the protobuf
     * @param className this class's name
     * @param message the protobuf, empty
     * @return the transformer
     */
    public static MultiTaskTransformer deserializeFromProto(int version, String className, Any message) {
        Versions.check(MultiTaskTransformer.class, version, CURRENT_VERSION);
        return new MultiTaskTransformer();
    }

    @Override
    OutputColumns<MultiTask> columns(ImmutableOutputInfo<MultiTask> domain) {
        return new MultiTaskColumns(domain);
    }

    @Override
    public Class<MultiTask> getTypeWitness() {
        return MultiTask.class;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MultiTaskTransformer;
    }

    @Override
    public int hashCode() {
        return MultiTaskTransformer.class.hashCode();
    }

    @Override
    public String toString() {
        return "MultiTaskTransformer()";
    }
}

package io.emtal.tribuo.multitask;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import io.emtal.tribuo.Versions;
import io.emtal.tribuo.protos.MultiTaskInfoProto;
import org.tribuo.MutableOutputInfo;
import org.tribuo.protos.core.OutputDomainProto;

import java.util.Objects;

/** Observes outputs. Not thread-safe. */
public final class MutableMultiTaskInfo extends MultiTaskInfo implements MutableOutputInfo<MultiTask> {

    private static final long serialVersionUID = 1L;

    /** The version of the protobuf that this class writes. */
    public static final int CURRENT_VERSION = 0;

    MutableMultiTaskInfo() {
    }

    MutableMultiTaskInfo(MultiTaskInfo other) {
        super(other);
    }

    private MutableMultiTaskInfo(MultiTaskInfoProto proto) {
        super(proto);
    }

    /**
     * Counts an output.
     *
     * @param output the output
     * @throws io.emtal.onnx.EmtalException if one of its tasks had values of another kind before; nothing is counted
     *     then
     */
    @Override
    public void observe(MultiTask output) {
        if (output == MultiTaskFactory.UNKNOWN_MULTITASK) {
            unknown++;
            return;
        }
        for (TaskValue value : output.values()) {
            if (tasks.containsKey(value.task())) {
                tasks.get(value.task()).check(value);
            }
        }
        output.values().forEach(value -> task(value).observe(value));
        observed++;
    }

    /** Makes the column of a value known without having observed it. */
    void declare(TaskValue value) {
        task(value).declare(value);
    }

    private TaskStatistics task(TaskValue value) {
        return tasks.computeIfAbsent(value.task(), task -> new TaskStatistics(task, value.kind()));
    }

    @Override
    public void clear() {
        tasks.clear();
        observed = 0;
        unknown = 0;
    }

    @Override
    public MutableMultiTaskInfo copy() {
        return new MutableMultiTaskInfo(this);
    }

    @Override
    public OutputDomainProto serialize() {
        return OutputDomainProto.newBuilder().setVersion(CURRENT_VERSION)
                .setClassName(MutableMultiTaskInfo.class.getName()).setSerializedData(Any.pack(proto().build()))
                .build();
    }

    /**
     * Reads what {@link #serialize()} wrote.
     *
     * @param version the version of the protobuf
     * @param className this class's name
     * @param message the protobuf
     * @return the info
     * @throws InvalidProtocolBufferException if the message is none of this class
     */
    public static MutableMultiTaskInfo deserializeFromProto(int version, String className, Any message)
            throws InvalidProtocolBufferException {
        Versions.check(MutableMultiTaskInfo.class, version, CURRENT_VERSION);
        return new MutableMultiTaskInfo(message.unpack(MultiTaskInfoProto.class));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MutableMultiTaskInfo that && tasks.equals(that.tasks) && observed == that.observed
                && unknown == that.unknown;
    }

    @Override
    public int hashCode() {
        return Objects.hash(tasks, observed, unknown);
    }
}

package io.emtal.tribuo.multitask;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.oracle.labs.mlrg.olcut.util.Pair;
import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.Versions;
import io.emtal.tribuo.protos.MultiTaskInfoProto;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.protos.core.OutputDomainProto;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Iterator;
import java.util.Map;
import java.util.Objects;
import java.util.stream.IntStream;

/**
 * Gives the elements of the domain their ids, in the order of task and class. Only the domain of a network that was
 * made elsewhere may have another order.
 */
public final class ImmutableMultiTaskInfo extends MultiTaskInfo implements ImmutableOutputInfo<MultiTask> {

    private static final long serialVersionUID = 1L;

    /** The version of the protobuf that this class writes. */
    public static final int CURRENT_VERSION = 0;

    private final MultiTask[] elements;
    private final Map<MultiTask, Integer> ids = new HashMap<>();

    ImmutableMultiTaskInfo(MultiTaskInfo other) {
        super(other);
        elements = other instanceof ImmutableMultiTaskInfo that ? that.elements
                : columns().keySet().toArray(MultiTask[]::new);
        number();
    }

    /** @param mapping a bijection between the columns of the tasks and the ids */
    ImmutableMultiTaskInfo(MultiTaskInfo other, Map<MultiTask, Integer> mapping) {
        super(other);
        elements = new MultiTask[size()];
        mapping.forEach((column, id) -> elements[id] = TaskStatistics.column(column.values().get(0)));
        number();
    }

    private ImmutableMultiTaskInfo(MultiTaskInfoProto proto) {
        super(proto);
        EmtalException.check(proto.getIdList().stream().sorted().toList()
                        .equals(IntStream.range(0, size()).boxed().toList()),
                "outputs: found the ids %s, allowed is each from 0 to %d once", proto.getIdList(), size() - 1);
        elements = new MultiTask[size()];
        Iterator<Integer> order = proto.getIdList().iterator();
        columns().keySet().forEach(column -> elements[order.next()] = column);
        number();
    }

    private void number() {
        for (int id = 0; id < elements.length; id++) {
            ids.put(elements[id], id);
        }
    }

    /**
     * The id of a column.
     *
     * @param output an output of one value: the class of a categorical task, or any value of a binary or real task
     * @return its id, -1 if the task, its class or its kind is unknown, or there are several values or none
     */
    @Override
    public int getID(MultiTask output) {
        return output.values().size() == 1 ? ids.getOrDefault(TaskStatistics.column(output.values().get(0)), -1) : -1;
    }

    /**
     * The element of a domain.
     *
     * @param id an id
     * @return the output of one value that stands for the column, null if there is none of that id
     */
    @Override
    public MultiTask getOutput(int id) {
        return id >= 0 && id < elements.length ? elements[id] : null;
    }

    @Override
    public long getTotalObservations() {
        return observed;
    }

    @Override
    public Iterator<Pair<Integer, MultiTask>> iterator() {
        return IntStream.range(0, elements.length).mapToObj(id -> new Pair<>(id, elements[id])).iterator();
    }

    @Override
    public ImmutableMultiTaskInfo copy() {
        return new ImmutableMultiTaskInfo(this);
    }

    @Override
    public OutputDomainProto serialize() {
        MultiTaskInfoProto.Builder proto = proto();
        columns().keySet().forEach(column -> proto.addId(ids.get(column)));
        return OutputDomainProto.newBuilder().setVersion(CURRENT_VERSION)
                .setClassName(ImmutableMultiTaskInfo.class.getName()).setSerializedData(Any.pack(proto.build()))
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
    public static ImmutableMultiTaskInfo deserializeFromProto(int version, String className, Any message)
            throws InvalidProtocolBufferException {
        Versions.check(ImmutableMultiTaskInfo.class, version, CURRENT_VERSION);
        return new ImmutableMultiTaskInfo(message.unpack(MultiTaskInfoProto.class));
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ImmutableMultiTaskInfo that && tasks.equals(that.tasks) && observed == that.observed
                && unknown == that.unknown && Arrays.equals(elements, that.elements);
    }

    @Override
    public int hashCode() {
        return Objects.hash(tasks, observed, unknown, Arrays.hashCode(elements));
    }
}

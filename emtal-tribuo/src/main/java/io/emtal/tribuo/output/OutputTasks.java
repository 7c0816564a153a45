package io.emtal.tribuo.output;

import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenancable;
import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.protos.OutputTasksProto;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.Output;
import org.tribuo.OutputFactory;
import org.tribuo.interop.onnx.OutputTransformer;
import org.tribuo.protos.ProtoSerializable;

import java.util.List;

/**
 * How outputs of one type become tasks: the one place that knows the type. Implementations are immutable once
 * configured.
 *
 * @param <T> the type of output
 */
public interface OutputTasks<T extends Output<T>>
        extends Configurable, ProtoSerializable<OutputTasksProto>, Provenancable<ConfiguredObjectProvenance> {

    /**
     * The factory of the outputs.
     *
     * @return a factory, whose type witness is the type
     */
    OutputFactory<T> factory();

    /**
     * An output of one dimension, as it stands in a domain.
     *
     * @param name what {@link OutputCodec#name} says of it
     * @return the output
     */
    T output(String name);

    /**
     * The reader of such outputs from an exported network.
     *
     * @return the transformer that {@link org.tribuo.interop.onnx.ONNXExternalModel} needs
     */
    OutputTransformer<T> transformer();

    /**
     * Binds to a domain.
     *
     * @param domain the outputs and their ids
     * @return the codec of that domain
     * @throws EmtalException if the domain gives no task
     */
    OutputCodec<T> codec(ImmutableOutputInfo<T> domain);

    /**
     * These tasks, of which some may have a single class in the training examples, so that a constant is learnt: for a part
     * of a data set, whose rare classes lie in other parts.
     *
     * @return these unless an implementation refuses such tasks
     */
    default OutputTasks<T> withConstantTasks() {
        return this;
    }

    /**
     * The defaults for a type of output.
     *
     * @param type a type of output
     * @param <T> the type of output
     * @return its tasks
     * @throws EmtalException if the type is not supported
     */
    static <T extends Output<T>> OutputTasks<T> of(Class<T> type) {
        List<OutputTasks<?>> known = List.of(new MultiLabelTasks(), new RegressorTasks(), new LabelTasks(),
                new MultiTaskTasks());
        for (OutputTasks<?> candidate : known) {
            if (candidate.factory().getTypeWitness().equals(type)) {
                @SuppressWarnings("unchecked") // its type witness is the class of T
                OutputTasks<T> tasks = (OutputTasks<T>) candidate;
                return tasks;
            }
        }
        throw new EmtalException("outputs: found " + type.getName() + ", allowed are "
                + known.stream().map(t -> t.factory().getTypeWitness().getName()).toList());
    }
}

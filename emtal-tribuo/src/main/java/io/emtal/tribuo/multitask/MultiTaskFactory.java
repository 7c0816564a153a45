package io.emtal.tribuo.multitask;

import com.google.protobuf.Any;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.Versions;
import org.tribuo.OutputFactory;
import org.tribuo.protos.core.OutputFactoryProto;
import org.tribuo.provenance.OutputFactoryProvenance;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** Makes {@link MultiTask} outputs, and what observes and evaluates them. */
public final class MultiTaskFactory implements OutputFactory<MultiTask> {

    private static final long serialVersionUID = 1L;

    /** The version of the protobuf that this class writes. */
    public static final int CURRENT_VERSION = 0;

    /**
     * The output of an example of which no ground truth is given. It is known by its identity, which protobufs and Java
     * serialisation keep. An output whose tasks are all missing is another.
     */
    public static final MultiTask UNKNOWN_MULTITASK = MultiTask.UNKNOWN;

    /** A factory. */
    public MultiTaskFactory() {
    }

    /**
     * Makes an output.
     *
     * @param label an output, which is given back; a map from names of tasks to Booleans for binary tasks, numbers for
     *     real ones and text for categorical ones, null for a missing one; a collection of {@link TaskValue}s and texts
     *     of outputs; or anything else, whose text is {@link MultiTask#parse parsed}
     * @param <V> the type of the input
     * @return the output
     * @throws EmtalException if it gives none
     */
    @Override
    public <V> MultiTask generateOutput(V label) {
        if (label instanceof MultiTask output) {
            return output;
        }
        List<TaskValue> values = new ArrayList<>();
        if (label instanceof Map<?, ?> map) {
            map.forEach((task, value) -> {
                if (value != null) {
                    values.add(value(String.valueOf(task), value));
                }
            });
        } else if (label instanceof Collection<?> collection) {
            for (Object element : collection) {
                if (element instanceof TaskValue value) {
                    values.add(value);
                    continue;
                }
                MultiTask output = generateOutput(element);
                if (output == UNKNOWN_MULTITASK) {
                    EmtalException.check(collection.size() == 1, "outputs: found the unknown one among %d, allowed is it"
                            + " alone", collection.size());
                    return output;
                }
                values.addAll(output.values());
            }
        } else {
            return MultiTask.parse(String.valueOf(label));
        }
        return MultiTask.of(values);
    }

    private static TaskValue value(String task, Object value) {
        if (value instanceof Boolean answer) {
            return new TaskValue.Binary(task, answer, Double.NaN);
        } else if (value instanceof Number number) {
            return new TaskValue.Real(task, number.doubleValue());
        } else if (value instanceof String text) {
            return new TaskValue.Category(task, text, Double.NaN);
        }
        throw new EmtalException("task " + Quoted.of(task) + ": found a value of " + value.getClass().getName()
                + ", allowed are Booleans, numbers and text");
    }

    @Override
    public MultiTask getUnknownOutput() {
        return UNKNOWN_MULTITASK;
    }

    @Override
    public MutableMultiTaskInfo generateInfo() {
        return new MutableMultiTaskInfo();
    }

    /**
     * The domain of a network that was made elsewhere, of which nothing was observed.
     *
     * @param mapping the network's columns: outputs of one value, as {@link ImmutableMultiTaskInfo#getID} takes them,
     *     with the ids from 0 on
     * @return the domain
     */
    @Override
    public ImmutableMultiTaskInfo constructInfoForExternalModel(Map<MultiTask, Integer> mapping) {
        OutputFactory.validateMapping(mapping);
        MutableMultiTaskInfo info = new MutableMultiTaskInfo();
        mapping.forEach((column, id) -> {
            EmtalException.check(column.values().size() == 1, "output %d: found %s, allowed is one value a column",
                    id, Quoted.of(column.toString()));
            info.declare(column.values().get(0));
        });
        EmtalException.check(info.size() == mapping.size(), "outputs: found %d columns of the %d %s, allowed is one for"
                + " each", mapping.size(), info.size(), info.getDomain());
        return new ImmutableMultiTaskInfo(info, mapping);
    }

    /** An evaluator of each task over the rows that are labelled for it, see {@link MultiTaskEvaluator}. */
    @Override
    public MultiTaskEvaluator getEvaluator() {
        return new MultiTaskEvaluator();
    }

    @Override
    public Class<MultiTask> getTypeWitness() {
        return MultiTask.class;
    }

    @Override
    public OutputFactoryProvenance getProvenance() {
        return new MultiTaskFactoryProvenance();
    }

    @Override
    public OutputFactoryProto serialize() {
        return OutputFactoryProto.newBuilder().setVersion(CURRENT_VERSION)
                .setClassName(MultiTaskFactory.class.getName()).build();
    }

    /**
     * Reads what {@link #serialize()} wrote.
     *
     * @param version the version of the protobuf
     * @param className this class's name
     * @param message the protobuf, empty
     * @return the factory
     */
    public static MultiTaskFactory deserializeFromProto(int version, String className, Any message) {
        Versions.check(MultiTaskFactory.class, version, CURRENT_VERSION);
        return new MultiTaskFactory();
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MultiTaskFactory;
    }

    @Override
    public int hashCode() {
        return MultiTaskFactory.class.hashCode();
    }

    @Override
    public String toString() {
        return "MultiTaskFactory()";
    }

    /** The provenance of a factory, which has no settings. */
    public static final class MultiTaskFactoryProvenance implements OutputFactoryProvenance {

        private static final long serialVersionUID = 1L;

        MultiTaskFactoryProvenance() {
        }

        /**
         * Reads a marshalled provenance.
         *
         * @param map the settings, none
         */
        public MultiTaskFactoryProvenance(Map<String, Provenance> map) {
        }

        @Override
        public String getClassName() {
            return MultiTaskFactory.class.getName();
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof MultiTaskFactoryProvenance;
        }

        @Override
        public int hashCode() {
            return MultiTaskFactoryProvenance.class.hashCode();
        }

        @Override
        public String toString() {
            return generateString("OutputFactory");
        }
    }
}

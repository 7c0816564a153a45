package io.emtal.tribuo.output;

import com.google.protobuf.Any;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;
import io.emtal.tribuo.Versions;
import io.emtal.tribuo.protos.OutputTasksProto;
import org.tribuo.Example;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.OutputFactory;
import org.tribuo.Prediction;
import org.tribuo.interop.onnx.OutputTransformer;
import org.tribuo.interop.onnx.RegressorTransformer;
import org.tribuo.protos.ProtoSerializableClass;
import org.tribuo.protos.ProtoUtil;
import org.tribuo.regression.RegressionFactory;
import org.tribuo.regression.Regressor;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * One regression task for every dimension of a {@link Regressor}. A dimension that is not-a-number, or that an example
 * does not have, is a missing label. Targets are standardised with the training examples' statistics.
 */
@ProtoSerializableClass(version = RegressorTasks.CURRENT_VERSION)
public final class RegressorTasks implements OutputTasks<Regressor> {

    /** The version of the protobuf that this class writes. */
    public static final int CURRENT_VERSION = 0;

    /** The tasks. */
    public RegressorTasks() {
    }

    /**
     * Reads what {@link #serialize()} wrote.
     *
     * @param version the version of the protobuf
     * @param className this class's name
     * @param message the protobuf, empty
     * @return the tasks
     */
    public static RegressorTasks deserializeFromProto(int version, String className, Any message) {
        Versions.check(RegressorTasks.class, version, CURRENT_VERSION);
        return new RegressorTasks();
    }

    @Override
    public OutputTasksProto serialize() {
        return ProtoUtil.serialize(this);
    }

    @Override
    public OutputFactory<Regressor> factory() {
        return new RegressionFactory();
    }

    @Override
    public Regressor output(String name) {
        return new Regressor(name, 1);
    }

    @Override
    public OutputTransformer<Regressor> transformer() {
        return new RegressorTransformer();
    }

    @Override
    public OutputCodec<Regressor> codec(ImmutableOutputInfo<Regressor> domain) {
        return new Codec(IntStream.range(0, domain.size()).mapToObj(id -> domain.getOutput(id).getNames()[0])
                .toArray(String[]::new));
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "OutputTasks");
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof RegressorTasks;
    }

    @Override
    public int hashCode() {
        return RegressorTasks.class.hashCode();
    }

    @Override
    public String toString() {
        return "RegressorTasks()";
    }

    /** @param names the dimensions by id, which is their column */
    private record Codec(String[] names) implements OutputCodec<Regressor> {

        @Override
        public int columns() {
            return names.length;
        }

        @Override
        public int column(int id) {
            return id;
        }

        @Override
        public String name(int id) {
            return names[id];
        }

        @Override
        public boolean probabilities() {
            return false;
        }

        @Override
        public EncodedOutputs encode(List<Example<Regressor>> training) {
            Map<String, Integer> ids = new HashMap<>();
            for (int id = 0; id < names.length; id++) {
                ids.put(names[id], id);
            }
            float[] labels = new float[EncodedOutputs.labels(training.size(), names.length)];
            double[][] targets = new double[names.length][training.size()];
            for (double[] target : targets) {
                Arrays.fill(target, Double.NaN);
            }
            for (int row = 0; row < training.size(); row++) {
                Regressor output = training.get(row).getOutput();
                String[] dimensions = output.getNames();
                double[] values = output.getValues();
                for (int i = 0; i < dimensions.length; i++) {
                    Integer id = ids.get(dimensions[i]);
                    if (id == null || output == RegressionFactory.UNKNOWN_REGRESSOR) {
                        throw new EmtalException("row " + row + ": found the unknown output '" + dimensions[i]
                                + "', allowed are " + Arrays.toString(names));
                    }
                    if (Double.isInfinite((float) values[i])) {
                        throw new EmtalException("row " + row + ", task '" + dimensions[i] + "': found target "
                                + values[i] + ", allowed is a finite single-precision number, or NaN for a missing"
                                + " label");
                    }
                    targets[id][row] = values[i];
                }
            }
            List<Task> tasks = new ArrayList<>();
            for (int id = 0; id < names.length; id++) {
                RealTask task = RealTask.of(names[id], targets[id], 1);
                tasks.add(task);
                for (int row = 0; row < training.size(); row++) {
                    labels[row * names.length + id] = task.standardise(targets[id][row]);
                }
            }
            return EncodedOutputs.of(new TaskLayout(tasks), labels, Collections.nCopies(names.length, List.of()), true);
        }

        @Override
        public Prediction<Regressor> prediction(float[] columns, int offset, int usedFeatures,
                                                Example<Regressor> example) {
            double[] values = new double[names.length];
            for (int id = 0; id < names.length; id++) {
                values[id] = OutputColumns.finite(names[id], columns[offset + id]);
            }
            return new Prediction<>(new Regressor(names, values), usedFeatures, example);
        }
    }
}

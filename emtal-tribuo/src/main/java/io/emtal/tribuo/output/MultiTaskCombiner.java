package io.emtal.tribuo.output;

import com.google.protobuf.Any;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.Versions;
import io.emtal.tribuo.multitask.MultiTask;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.Prediction;
import org.tribuo.ensemble.EnsembleCombiner;
import org.tribuo.protos.ProtoSerializableClass;
import org.tribuo.protos.ProtoUtil;
import org.tribuo.protos.core.EnsembleCombinerProto;

import java.util.Arrays;
import java.util.List;

/**
 * Combines the predictions of an ensemble's members, in Tribuo's {@link org.tribuo.ensemble.WeightedEnsembleModel} and
 * {@link org.tribuo.ensemble.BaggingTrainer}: the mean of each class's probability and of each real task's number. Of
 * the means the most probable class or answer is predicted.
 */
@ProtoSerializableClass(version = MultiTaskCombiner.CURRENT_VERSION)
public final class MultiTaskCombiner implements EnsembleCombiner<MultiTask> {

    private static final long serialVersionUID = 1L;

    /** The version of the protobuf that this class writes. */
    public static final int CURRENT_VERSION = 0;

    /** A combiner. */
    public MultiTaskCombiner() {
    }

    /**
     * Reads what {@link #serialize()} wrote.
     *
     * @param version the version of the protobuf
     * @param className this class's name
     * @param message the protobuf, empty
     * @return the combiner
     */
    public static MultiTaskCombiner deserializeFromProto(int version, String className, Any message) {
        Versions.check(MultiTaskCombiner.class, version, CURRENT_VERSION);
        return new MultiTaskCombiner();
    }

    @Override
    public EnsembleCombinerProto serialize() {
        return ProtoUtil.serialize(this);
    }

    @Override
    public Prediction<MultiTask> combine(ImmutableOutputInfo<MultiTask> domain,
                                         List<Prediction<MultiTask>> predictions) {
        float[] weights = new float[predictions.size()];
        Arrays.fill(weights, 1);
        return combine(domain, predictions, weights);
    }

    /**
     * The weighted mean.
     *
     * @param domain the ensemble's domain
     * @param predictions one a member, of the same example
     * @param weights one a member, at least 0 and not all 0
     * @return the prediction of the ensemble
     * @throws EmtalException if the weights are others, or a member does not score all of the domain
     */
    @Override
    public Prediction<MultiTask> combine(ImmutableOutputInfo<MultiTask> domain,
                                         List<Prediction<MultiTask>> predictions, float[] weights) {
        double total = 0;
        for (float weight : weights) {
            EmtalException.check(weight >= 0 && Float.isFinite(weight), "ensemble: found the weights %s, allowed are"
                    + " finite ones of at least 0", Arrays.toString(weights));
            total += weight;
        }
        EmtalException.check(predictions.size() == weights.length && total > 0, "ensemble: found %d predictions with"
                + " the weights %s, allowed is one for each, and one above 0", predictions.size(),
                Arrays.toString(weights));
        MultiTaskColumns columns = new MultiTaskColumns(domain);
        double[] sums = new double[columns.size()];
        int usedFeatures = 0;
        for (int member = 0; member < weights.length; member++) {
            double[] row = columns.row(predictions.get(member));
            for (int id = 0; id < row.length; id++) {
                sums[id] += weights[member] * row[id];
            }
            usedFeatures = Math.max(usedFeatures, predictions.get(member).getNumActiveFeatures());
        }
        float[] means = new float[sums.length];
        for (int id = 0; id < means.length; id++) {
            means[id] = (float) (sums[id] / total);
        }
        return columns.prediction(means, 0, columns.columnsByIds(), usedFeatures, predictions.get(0).getExample());
    }

    @Override
    public Class<MultiTask> getTypeWitness() {
        return MultiTask.class;
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "EnsembleCombiner");
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof MultiTaskCombiner;
    }

    @Override
    public int hashCode() {
        return MultiTaskCombiner.class.hashCode();
    }

    @Override
    public String toString() {
        return "MultiTaskCombiner()";
    }
}

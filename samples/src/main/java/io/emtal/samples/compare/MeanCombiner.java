package io.emtal.samples.compare;

import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import java.util.Arrays;
import java.util.List;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.Prediction;
import org.tribuo.ensemble.EnsembleCombiner;
import org.tribuo.protos.core.EnsembleCombinerProto;
import org.tribuo.regression.Regressor;
import org.tribuo.regression.ensemble.AveragingCombiner;
import org.tribuo.util.onnx.ONNXNode;
import org.tribuo.util.onnx.ONNXRef;

/**
 * The mean of the members' predictions. {@link AveragingCombiner} of Tribuo 4.3.2 returns the last member unless it is
 * given weights, so that its nearest neighbours are the k-th neighbour only; this gives it equal weights.
 */
final class MeanCombiner implements EnsembleCombiner<Regressor> {
    private final AveragingCombiner weighted = new AveragingCombiner();

    @Override
    public Prediction<Regressor> combine(ImmutableOutputInfo<Regressor> outputs,
            List<Prediction<Regressor>> predictions) {
        float[] weights = new float[predictions.size()];
        Arrays.fill(weights, 1);
        return weighted.combine(outputs, predictions, weights);
    }

    @Override
    public Prediction<Regressor> combine(ImmutableOutputInfo<Regressor> outputs,
            List<Prediction<Regressor>> predictions, float[] weights) {
        return weighted.combine(outputs, predictions, weights);
    }

    @Override
    public Class<Regressor> getTypeWitness() {
        return Regressor.class;
    }

    @Override
    public EnsembleCombinerProto serialize() {
        return weighted.serialize();
    }

    @Override
    public ONNXNode exportCombiner(ONNXNode input) {
        return weighted.exportCombiner(input);
    }

    @Override
    public <T extends ONNXRef<?>> ONNXNode exportCombiner(ONNXNode input, T weight) {
        return weighted.exportCombiner(input, weight);
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "EnsembleCombiner");
    }
}

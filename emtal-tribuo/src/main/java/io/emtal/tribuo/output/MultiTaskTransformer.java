package io.emtal.tribuo.output;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import com.google.protobuf.Any;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.Versions;
import io.emtal.tribuo.multitask.MultiTask;
import org.tribuo.Example;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.Prediction;
import org.tribuo.interop.onnx.OutputTransformer;
import org.tribuo.interop.onnx.protos.OutputTransformerProto;
import org.tribuo.protos.ProtoSerializableClass;
import org.tribuo.protos.ProtoUtil;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;

/**
 * Reads {@link MultiTask} outputs from a network in Tribuo's {@link org.tribuo.interop.onnx.ONNXExternalModel}: one
 * float tensor {@code [B, D]}, its columns in the order of the domain's ids. Columns of categorical and binary tasks
 * are probabilities, those of real tasks are numbers in the task's unit.
 */
@ProtoSerializableClass(version = MultiTaskTransformer.CURRENT_VERSION)
public final class MultiTaskTransformer implements OutputTransformer<MultiTask> {

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
    public OutputTransformerProto serialize() {
        return ProtoUtil.serialize(this);
    }

    @Override
    public Prediction<MultiTask> transformToPrediction(List<OnnxValue> value, ImmutableOutputInfo<MultiTask> domain,
                                                       int usedFeatures, Example<MultiTask> example) {
        return transformToBatchPrediction(value, domain, new int[] {usedFeatures}, List.of(example)).get(0);
    }

    @Override
    public List<Prediction<MultiTask>> transformToBatchPrediction(List<OnnxValue> value,
                                                                  ImmutableOutputInfo<MultiTask> domain,
                                                                  int[] usedFeatures,
                                                                  List<Example<MultiTask>> examples) {
        MultiTaskColumns columns = new MultiTaskColumns(domain);
        float[][] rows = rows(value, columns.size());
        EmtalException.check(rows.length == examples.size(), "network: found %d rows of outputs, allowed are %d, one an"
                + " example", rows.length, examples.size());
        int[] columnOf = columns.columnsByIds();
        List<Prediction<MultiTask>> predictions = new ArrayList<>();
        for (int row = 0; row < rows.length; row++) {
            predictions.add(columns.prediction(rows[row], 0, columnOf, usedFeatures[row], examples.get(row)));
        }
        return predictions;
    }

    @Override
    public MultiTask transformToOutput(List<OnnxValue> value, ImmutableOutputInfo<MultiTask> domain) {
        List<MultiTask> outputs = transformToBatchOutput(value, domain);
        EmtalException.check(outputs.size() == 1, "network: found %d rows of outputs, allowed is 1", outputs.size());
        return outputs.get(0);
    }

    @Override
    public List<MultiTask> transformToBatchOutput(List<OnnxValue> value, ImmutableOutputInfo<MultiTask> domain) {
        MultiTaskColumns columns = new MultiTaskColumns(domain);
        int[] columnOf = columns.columnsByIds();
        return Arrays.stream(rows(value, columns.size()))
                .map(row -> columns.read(row, 0, columnOf, new HashMap<>())).toList();
    }

    private static float[][] rows(List<OnnxValue> values, int columns) {
        EmtalException.check(values.size() == 1 && values.get(0) instanceof OnnxTensor, "network: found the outputs %s,"
                + " allowed is one tensor", values);
        OnnxTensor tensor = (OnnxTensor) values.get(0);
        long[] shape = tensor.getInfo().getShape();
        EmtalException.check(tensor.getInfo().type == OnnxJavaType.FLOAT && shape.length == 2 && shape[1] == columns,
                "network: found outputs %s %s, allowed are FLOAT [B, %d]", tensor.getInfo().type,
                Arrays.toString(shape), columns);
        try {
            return (float[][]) tensor.getValue();
        } catch (OrtException e) {
            throw new IllegalStateException("a tensor whose type was checked", e);
        }
    }

    /** {@inheritDoc} Every score is one; numbers of real tasks have none. */
    @Override
    public boolean generatesProbabilities() {
        return true;
    }

    @Override
    public Class<MultiTask> getTypeWitness() {
        return MultiTask.class;
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "OutputTransformer");
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

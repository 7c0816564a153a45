package io.emtal.tribuo.output;

import ai.onnxruntime.OnnxJavaType;
import ai.onnxruntime.OnnxTensor;
import ai.onnxruntime.OnnxValue;
import ai.onnxruntime.OrtException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;
import org.tribuo.Example;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.Output;
import org.tribuo.Prediction;
import org.tribuo.interop.onnx.OutputTransformer;
import org.tribuo.interop.onnx.protos.OutputTransformerProto;
import org.tribuo.protos.ProtoUtil;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;

/**
 * Reads one float tensor {@code [B, D]}, its columns in the order of the domain's ids.
 *
 * @param <T> the type of output
 */
abstract class ColumnsTransformer<T extends Output<T>> implements OutputTransformer<T> {

    private static final long serialVersionUID = 1L;

    /** What the columns say of a domain. */
    abstract OutputColumns<T> columns(ImmutableOutputInfo<T> domain);

    @Override
    public OutputTransformerProto serialize() {
        return ProtoUtil.serialize(this);
    }

    @Override
    public Prediction<T> transformToPrediction(List<OnnxValue> value, ImmutableOutputInfo<T> domain, int usedFeatures,
                                               Example<T> example) {
        return transformToBatchPrediction(value, domain, new int[] {usedFeatures}, List.of(example)).get(0);
    }

    @Override
    public List<Prediction<T>> transformToBatchPrediction(List<OnnxValue> value, ImmutableOutputInfo<T> domain,
                                                          int[] usedFeatures, List<Example<T>> examples) {
        OutputColumns<T> columns = columns(domain);
        float[][] rows = rows(value, columns.size());
        EmtalException.check(rows.length == examples.size(), "network: found %d rows of outputs, allowed are %d, one an"
                + " example", rows.length, examples.size());
        int[] columnOf = columns.columnsByIds();
        List<Prediction<T>> predictions = new ArrayList<>();
        for (int row = 0; row < rows.length; row++) {
            predictions.add(columns.prediction(rows[row], 0, columnOf, usedFeatures[row], examples.get(row)));
        }
        return predictions;
    }

    @Override
    public T transformToOutput(List<OnnxValue> value, ImmutableOutputInfo<T> domain) {
        List<T> outputs = transformToBatchOutput(value, domain);
        EmtalException.check(outputs.size() == 1, "network: found %d rows of outputs, allowed is 1", outputs.size());
        return outputs.get(0);
    }

    @Override
    public List<T> transformToBatchOutput(List<OnnxValue> value, ImmutableOutputInfo<T> domain) {
        OutputColumns<T> columns = columns(domain);
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
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "OutputTransformer");
    }
}

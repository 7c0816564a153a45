package io.emtal.tribuo.output;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import com.oracle.labs.mlrg.olcut.config.Config;
import io.emtal.tribuo.Versions;
import io.emtal.tribuo.protos.SeparatedLabelsTransformerProto;
import org.tribuo.ImmutableOutputInfo;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.protos.ProtoSerializableClass;
import org.tribuo.protos.ProtoSerializableField;

/**
 * Reads {@link MultiLabel} outputs with categorical tasks, as {@link MultiLabelTasks} makes them of labels that share a
 * prefix, from a network in Tribuo's {@link org.tribuo.interop.onnx.ONNXExternalModel}: one float tensor {@code [B, D]}
 * of probabilities, its columns in the order of the domain's ids.
 */
@ProtoSerializableClass(version = SeparatedLabelsTransformer.CURRENT_VERSION,
        serializedDataClass = SeparatedLabelsTransformerProto.class)
public final class SeparatedLabelsTransformer extends ColumnsTransformer<MultiLabel> {

    private static final long serialVersionUID = 1L;

    /** The version of the protobuf that this class writes. */
    public static final int CURRENT_VERSION = 0;

    @Config(mandatory = true, description = "What ends the prefix that the classes of a categorical task share.")
    @ProtoSerializableField
    private String labelSeparator;

    /** For OLCUT. */
    private SeparatedLabelsTransformer() {
    }

    /**
     * A transformer.
     *
     * @param labelSeparator what ends the prefix that the classes of a categorical task share
     */
    public SeparatedLabelsTransformer(String labelSeparator) {
        this.labelSeparator = labelSeparator;
    }

    /**
     * Reads what {@link #serialize()} wrote.
     *
     * @param version the version of the protobuf
     * @param className this class's name
     * @param message the protobuf
     * @return the transformer
     * @throws InvalidProtocolBufferException if the message is none of this class
     */
    public static SeparatedLabelsTransformer deserializeFromProto(int version, String className, Any message)
            throws InvalidProtocolBufferException {
        Versions.check(SeparatedLabelsTransformer.class, version, CURRENT_VERSION);
        return new SeparatedLabelsTransformer(message.unpack(SeparatedLabelsTransformerProto.class)
                .getLabelSeparator());
    }

    @Override
    OutputColumns<MultiLabel> columns(ImmutableOutputInfo<MultiLabel> domain) {
        return new MultiLabelColumns(domain, labelSeparator);
    }

    @Override
    public Class<MultiLabel> getTypeWitness() {
        return MultiLabel.class;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof SeparatedLabelsTransformer that && labelSeparator.equals(that.labelSeparator);
    }

    @Override
    public int hashCode() {
        return labelSeparator.hashCode();
    }

    @Override
    public String toString() {
        return "SeparatedLabelsTransformer(labelSeparator='" + labelSeparator + "')";
    }
}

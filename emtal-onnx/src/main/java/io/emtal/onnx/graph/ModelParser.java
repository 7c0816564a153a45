package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedInputStream;
import com.google.protobuf.Descriptors;
import com.google.protobuf.WireFormat;
import io.emtal.onnx.EmtalException;

import java.io.IOException;

/**
 * Parses the bytes of a model. A first pass over the bytes makes no objects and counts what the second will make, for a
 * few bytes of protobuf can ask for a hundred times their size.
 */
final class ModelParser {

    /** Messages and texts that one operator has at most on average, with its tensors and type annotations. */
    private static final long PARTS_PER_NODE = 50;
    /** Bytes of integers that are stored one by one, not as raw data; each takes up to 16 bytes of memory. */
    private static final long MOST_INTEGER_BYTES = 64L << 20;
    /**
     * The deepest nesting: model, graph, node, attribute, tensor, external data, with room for a subgraph's refusal.
     */
    private static final int DEEPEST = 24;

    private final CodedInputStream in;
    private final long mostParts;
    private long parts;
    private long integerBytes;

    private ModelParser(CodedInputStream in, long mostParts) {
        this.in = in;
        this.mostParts = mostParts;
    }

    /**
     * Parses a model. The result shares memory with the bytes.
     *
     * @param bytes the file
     * @param limits how many operators are allowed
     * @return the model, of which nothing is checked yet
     * @throws EmtalException if the bytes are no model, or one that would take too much memory
     */
    static OnnxMl.ModelProto parse(ByteString bytes, ReadLimits limits) {
        EmtalException.check(!bytes.isEmpty(), "found no bytes, allowed is an ONNX model");
        EmtalException.check(bytes.size() <= limits.fileBytes(), "found %d bytes, allowed are %d", bytes.size(),
                limits.fileBytes());
        try {
            new ModelParser(bytes.newCodedInput(), PARTS_PER_NODE * (limits.nodes() + 1L))
                    .scan(OnnxMl.ModelProto.getDescriptor(), 1);
            CodedInputStream second = bytes.newCodedInput();
            second.enableAliasing(true);
            return OnnxMl.ModelProto.parseFrom(second);
        } catch (IOException e) {
            throw new EmtalException("found " + bytes.size() + " bytes that are no ONNX model: " + e.getMessage(), e);
        }
    }

    private void scan(Descriptors.Descriptor message, int depth) throws IOException {
        EmtalException.check(depth <= DEEPEST, "found protobuf messages nested more than %d deep", DEEPEST);
        for (int tag = in.readTag(); tag != 0; tag = in.readTag()) {
            int wire = WireFormat.getTagWireType(tag);
            EmtalException.check(wire != WireFormat.WIRETYPE_START_GROUP && wire != WireFormat.WIRETYPE_END_GROUP,
                    "found a protobuf group, which no ONNX model has");
            Descriptors.FieldDescriptor field = message.findFieldByNumber(WireFormat.getTagFieldNumber(tag));
            int start = in.getTotalBytesRead();
            if (field != null && field.getJavaType() == Descriptors.FieldDescriptor.JavaType.MESSAGE
                    && wire == WireFormat.WIRETYPE_LENGTH_DELIMITED) {
                count();
                int outer = in.pushLimit(in.readRawVarint32());
                scan(field.getMessageType(), depth + 1);
                in.popLimit(outer);
                continue;
            }
            in.skipField(tag);
            if (field == null || field.getJavaType() == Descriptors.FieldDescriptor.JavaType.STRING
                    || field.getJavaType() == Descriptors.FieldDescriptor.JavaType.BYTE_STRING) {
                count();
            } else if (field.getJavaType() == Descriptors.FieldDescriptor.JavaType.INT
                    || field.getJavaType() == Descriptors.FieldDescriptor.JavaType.LONG
                    || field.getJavaType() == Descriptors.FieldDescriptor.JavaType.ENUM) {
                integerBytes += in.getTotalBytesRead() - start;
                EmtalException.check(integerBytes <= MOST_INTEGER_BYTES,
                        "found more than %d bytes of integers that are not raw data", MOST_INTEGER_BYTES);
            }
        }
    }

    private void count() {
        EmtalException.check(++parts <= mostParts, "found more than %d protobuf parts, allowed are %d for each of as"
                + " many nodes as the limits say", mostParts, PARTS_PER_NODE);
    }
}

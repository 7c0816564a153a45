package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.EmtalException;

/** The element types of ONNX tensors that this library computes with. */
public enum ElementType {
    /** 32-bit floating point. */
    FLOAT(OnnxMl.TensorProto.DataType.FLOAT, 4),
    /** 64-bit floating point. */
    DOUBLE(OnnxMl.TensorProto.DataType.DOUBLE, 8),
    /** 32-bit signed integer. */
    INT32(OnnxMl.TensorProto.DataType.INT32, 4),
    /** 64-bit signed integer. */
    INT64(OnnxMl.TensorProto.DataType.INT64, 8),
    /** Boolean, one byte an element. */
    BOOL(OnnxMl.TensorProto.DataType.BOOL, 1);

    private final OnnxMl.TensorProto.DataType proto;
    private final int bytes;

    ElementType(OnnxMl.TensorProto.DataType proto, int bytes) {
        this.proto = proto;
        this.bytes = bytes;
    }

    /**
     * The number that ONNX gives this type.
     *
     * @return the code of {@code TensorProto.DataType}
     */
    public int code() {
        return proto.getNumber();
    }

    /**
     * The size of one element.
     *
     * @return bytes
     */
    public int bytes() {
        return bytes;
    }

    /**
     * Finds the type of an ONNX code.
     *
     * @param code the code of {@code TensorProto.DataType}
     * @param where what has this type, for the message
     * @return the type
     * @throws EmtalException if this library does not compute with that type
     */
    public static ElementType ofCode(long code, String where) {
        for (ElementType type : values()) {
            if (type.code() == code) {
                return type;
            }
        }
        OnnxMl.TensorProto.DataType found = code == (int) code
                ? OnnxMl.TensorProto.DataType.forNumber((int) code) : null;
        throw new EmtalException(where + ": element type " + (found == null ? "code " + code : found)
                + " is not supported; allowed are FLOAT, DOUBLE, INT32, INT64, BOOL"
                + " (export half-precision or quantised models as 32-bit floats)");
    }
}

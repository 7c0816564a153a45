package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl;
import com.google.protobuf.UnsafeByteOperations;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * A constant tensor: element type, shape and elements in row-major order. The elements are one of {@code float[]},
 * {@code double[]}, {@code int[]}, {@code long[]}, {@code boolean[]}, by the type. They are not copied: whoever
 * makes or reads a tensor must not change them.
 *
 * @param type the element type
 * @param shape a static shape
 * @param elements the elements
 */
public record Tensor(ElementType type, Shape shape, Object elements) {

    /** Checks that the array fits type and shape. */
    public Tensor {
        int found = switch (type) {
            case FLOAT -> ((float[]) elements).length;
            case DOUBLE -> ((double[]) elements).length;
            case INT32 -> ((int[]) elements).length;
            case INT64 -> ((long[]) elements).length;
            case BOOL -> ((boolean[]) elements).length;
        };
        EmtalException.check(found == shape.size(), "tensor of shape %s: found %d elements, allowed are %d",
                shape, found, shape.size());
    }

    /**
     * A tensor of 32-bit floats.
     *
     * @param elements the elements, row-major
     * @param extents the shape
     * @return the tensor
     */
    public static Tensor of(float[] elements, long... extents) {
        return new Tensor(ElementType.FLOAT, Shape.of(extents), elements);
    }

    /**
     * A tensor of 64-bit integers.
     *
     * @param elements the elements, row-major
     * @param extents the shape
     * @return the tensor
     */
    public static Tensor of(long[] elements, long... extents) {
        return new Tensor(ElementType.INT64, Shape.of(extents), elements);
    }

    /**
     * A scalar of 32-bit floating point.
     *
     * @param value the value
     * @return a tensor of shape []
     */
    public static Tensor scalar(float value) {
        return of(new float[] {value});
    }

    /**
     * A tensor of one number repeated.
     *
     * @param type any but BOOL
     * @param shape the shape
     * @param value the number, which a type of integers has without its fraction
     * @return the tensor
     * @throws EmtalException if the type is BOOL
     */
    public static Tensor filled(ElementType type, Shape shape, double value) {
        EmtalException.check(type != ElementType.BOOL, "tensor of type BOOL where one of numbers is needed");
        int size = shape.size();
        return new Tensor(type, shape, switch (type) {
            case FLOAT -> {
                float[] elements = new float[size];
                Arrays.fill(elements, (float) value);
                yield elements;
            }
            case DOUBLE -> {
                double[] elements = new double[size];
                Arrays.fill(elements, value);
                yield elements;
            }
            case INT32 -> {
                int[] elements = new int[size];
                Arrays.fill(elements, (int) value);
                yield elements;
            }
            default -> {
                long[] elements = new long[size];
                Arrays.fill(elements, (long) value);
                yield elements;
            }
        });
    }

    /**
     * The elements as floats.
     *
     * @return the array itself
     * @throws EmtalException if the type is another
     */
    public float[] floats() {
        EmtalException.check(type == ElementType.FLOAT, "tensor of type %s where FLOAT is needed", type);
        return (float[]) elements;
    }

    /**
     * The elements as 64-bit integers.
     *
     * @return the array itself
     * @throws EmtalException if the type is another
     */
    public long[] longs() {
        EmtalException.check(type == ElementType.INT64, "tensor of type %s where INT64 is needed", type);
        return (long[]) elements;
    }

    /**
     * The elements of a tensor of integers.
     *
     * @return the array itself, or a widened copy if the type is INT32
     * @throws EmtalException if the type is another
     */
    public long[] integers() {
        return type == ElementType.INT32 ? Arrays.stream((int[]) elements).asLongStream().toArray() : longs();
    }

    /**
     * One floating-point element.
     *
     * @param i its position, row-major
     * @return the element
     */
    public double real(int i) {
        return type == ElementType.DOUBLE ? ((double[]) elements)[i] : floats()[i];
    }

    /**
     * Writes the tensor as an ONNX protobuf.
     *
     * @param name its name there; empty for a tensor inside an attribute
     * @return the protobuf, with raw little-endian data
     */
    public OnnxMl.TensorProto toProto(String name) {
        ByteBuffer raw = ByteBuffer.allocate(Math.multiplyExact(shape.size(), type.bytes()))
                .order(ByteOrder.LITTLE_ENDIAN);
        switch (type) {
            case FLOAT -> raw.asFloatBuffer().put((float[]) elements);
            case DOUBLE -> raw.asDoubleBuffer().put((double[]) elements);
            case INT32 -> raw.asIntBuffer().put((int[]) elements);
            case INT64 -> raw.asLongBuffer().put((long[]) elements);
            case BOOL -> {
                for (boolean b : (boolean[]) elements) {
                    raw.put((byte) (b ? 1 : 0));
                }
                raw.rewind();
            }
        }
        OnnxMl.TensorProto.Builder proto = OnnxMl.TensorProto.newBuilder().setName(name).setDataType(type.code());
        for (long extent : shape.extents()) {
            proto.addDims(extent);
        }
        return proto.setRawData(UnsafeByteOperations.unsafeWrap(raw)).build();
    }

    /**
     * Reads a tensor from an ONNX protobuf whose data is inline.
     *
     * @param proto the protobuf
     * @return the tensor
     * @throws EmtalException if type, shape and data do not fit each other, or the data lies outside the file
     */
    public static Tensor fromProto(OnnxMl.TensorProto proto) {
        String where = "tensor " + Quoted.of(proto.getName());
        EmtalException.check(proto.getDataLocation() != OnnxMl.TensorProto.DataLocation.EXTERNAL,
                "%s: its data lies in another file", where);
        ElementType type = ElementType.ofCode(proto.getDataType(), where);
        Shape shape = Shape.of(proto.getDimsList().stream().mapToLong(Long::longValue).toArray());
        int size = shape.size();
        boolean raw = proto.hasRawData();
        int typed = switch (type) {
            case FLOAT -> proto.getFloatDataCount();
            case DOUBLE -> proto.getDoubleDataCount();
            case INT32, BOOL -> proto.getInt32DataCount();
            case INT64 -> proto.getInt64DataCount();
        };
        long found = raw ? proto.getRawData().size() : (long) typed * type.bytes();
        EmtalException.check(found == (long) size * type.bytes(), "%s of shape %s and type %s: found %d bytes,"
                + " allowed are %d", where, shape, type, found, (long) size * type.bytes());
        ByteBuffer buffer = proto.getRawData().asReadOnlyByteBuffer().order(ByteOrder.LITTLE_ENDIAN);
        Object elements = switch (type) {
            case FLOAT -> {
                float[] a = new float[size];
                if (raw) {
                    buffer.asFloatBuffer().get(a);
                } else {
                    for (int i = 0; i < size; i++) {
                        a[i] = proto.getFloatData(i);
                    }
                }
                yield a;
            }
            case DOUBLE -> {
                double[] a = new double[size];
                if (raw) {
                    buffer.asDoubleBuffer().get(a);
                } else {
                    Arrays.setAll(a, proto::getDoubleData);
                }
                yield a;
            }
            case INT32 -> {
                int[] a = new int[size];
                if (raw) {
                    buffer.asIntBuffer().get(a);
                } else {
                    Arrays.setAll(a, proto::getInt32Data);
                }
                yield a;
            }
            case INT64 -> {
                long[] a = new long[size];
                if (raw) {
                    buffer.asLongBuffer().get(a);
                } else {
                    Arrays.setAll(a, proto::getInt64Data);
                }
                yield a;
            }
            case BOOL -> {
                boolean[] a = new boolean[size];
                for (int i = 0; i < size; i++) {
                    a[i] = raw ? buffer.get(i) != 0 : proto.getInt32Data(i) != 0;
                }
                yield a;
            }
        };
        return new Tensor(type, shape, elements);
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Tensor t && type == t.type && shape.equals(t.shape)
                && Arrays.deepEquals(new Object[] {elements}, new Object[] {t.elements});
    }

    @Override
    public int hashCode() {
        return 31 * shape.hashCode() + Arrays.deepHashCode(new Object[] {elements});
    }

    @Override
    public String toString() {
        return type + shape.toString();
    }
}

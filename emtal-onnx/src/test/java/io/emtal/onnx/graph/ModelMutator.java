package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl.ModelProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;

import java.io.ByteArrayOutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/** Changes models at random: fields anywhere in the protobuf, or the bytes of the file. */
final class ModelMutator {

    private static final long[] NUMBERS = {0, 1, -1, 2, 3, 7, 11, 16, 17, 64, 1 << 16, Integer.MAX_VALUE, 1L << 31,
            1L << 33, Long.MAX_VALUE, Long.MIN_VALUE};
    private static final List<String> TEXTS = List.of("", "MatMul", "Add", "Reshape", "Gather", "Slice", "Unsqueeze",
            "Concat", "Conv", "Split", "Where", "Pad", "Expand", "Softmax", "Loop", "com.microsoft", "axis", "axes",
            "../w.bin");

    private final Random random;
    private final List<String> texts = new ArrayList<>(TEXTS);

    ModelMutator(Random random, ModelProto model) {
        this.random = random;
        model.getGraph().getNodeList().forEach(node -> {
            texts.addAll(node.getInputList());
            texts.addAll(node.getOutputList());
            texts.add(node.getOpType());
        });
        model.getGraph().getInitializerList().forEach(tensor -> texts.add(tensor.getName()));
    }

    /** Cuts, inserts, removes or repeats bytes, or flips up to three bits. */
    byte[] bytes(byte[] file) {
        int at = random.nextInt(file.length);
        int other = random.nextInt(file.length);
        byte[] noise = new byte[1 + random.nextInt(8)];
        random.nextBytes(noise);
        return switch (random.nextInt(6)) {
            case 0 -> Arrays.copyOf(file, at);
            case 1 -> joined(Arrays.copyOf(file, at), noise, Arrays.copyOfRange(file, at, file.length));
            case 2 -> joined(Arrays.copyOf(file, at), Arrays.copyOfRange(file,
                    Math.min(file.length, at + noise.length), file.length));
            case 3 -> joined(Arrays.copyOf(file, at), Arrays.copyOfRange(file, other, file.length));
            default -> {
                byte[] flipped = file.clone();
                for (int i = random.nextInt(3); i >= 0; i--) {
                    flipped[random.nextInt(flipped.length)] ^= (byte) (1 << random.nextInt(8));
                }
                yield flipped;
            }
        };
    }

    private static byte[] joined(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }

    /** Changes one to three fields. */
    ModelProto fields(ModelProto model) {
        ModelProto.Builder changed = model.toBuilder();
        for (int i = random.nextInt(3); i >= 0; i--) {
            descend(changed);
        }
        return changed.build();
    }

    private void descend(Message.Builder message) {
        List<FieldDescriptor> inner = message.getAllFields().keySet().stream()
                .filter(f -> f.getJavaType() == FieldDescriptor.JavaType.MESSAGE).toList();
        if (inner.isEmpty() || random.nextInt(5) == 0) {
            change(message);
            return;
        }
        FieldDescriptor field = inner.get(random.nextInt(inner.size()));
        descend(field.isRepeated() ? message.getRepeatedFieldBuilder(field,
                random.nextInt(message.getRepeatedFieldCount(field))) : message.getFieldBuilder(field));
    }

    private void change(Message.Builder message) {
        List<FieldDescriptor> present = List.copyOf(message.getAllFields().keySet());
        List<FieldDescriptor> all = message.getDescriptorForType().getFields();
        FieldDescriptor field = present.isEmpty() || random.nextInt(4) == 0 ? all.get(random.nextInt(all.size()))
                : present.get(random.nextInt(present.size()));
        if (!field.isRepeated()) {
            if (random.nextInt(3) == 0) {
                message.clearField(field);
            } else {
                message.setField(field, value(message, field, message.getField(field)));
            }
            return;
        }
        int count = message.getRepeatedFieldCount(field);
        int at = count == 0 ? 0 : random.nextInt(count);
        switch (count == 0 ? 0 : random.nextInt(5)) {
            case 0 -> message.addRepeatedField(field, value(message, field, count == 0 ? null
                    : message.getRepeatedField(field, at)));
            case 1 -> message.setRepeatedField(field, at, value(message, field, message.getRepeatedField(field, at)));
            case 2 -> {
                int other = random.nextInt(count);
                Object swapped = message.getRepeatedField(field, at);
                message.setRepeatedField(field, at, message.getRepeatedField(field, other));
                message.setRepeatedField(field, other, swapped);
            }
            case 3 -> message.addRepeatedField(field, message.getRepeatedField(field, at));
            default -> {
                List<Object> kept = new ArrayList<>((List<?>) message.getField(field));
                kept.remove(at);
                message.setField(field, kept);
            }
        }
    }

    private Object value(Message.Builder message, FieldDescriptor field, Object before) {
        long number = random.nextBoolean() && before instanceof Number n ? n.longValue() + random.nextInt(5) - 2
                : NUMBERS[random.nextInt(NUMBERS.length)];
        return switch (field.getJavaType()) {
            case INT -> (int) number;
            case LONG -> number;
            case FLOAT -> random.nextBoolean() ? Float.NaN : (float) number;
            case DOUBLE -> (double) number;
            case BOOLEAN -> random.nextBoolean();
            case STRING -> texts.get(random.nextInt(texts.size()));
            case BYTE_STRING -> before instanceof ByteString b && b.size() > 0 && random.nextBoolean()
                    ? b.substring(random.nextInt(b.size()))
                    : ByteString.copyFromUtf8(texts.get(random.nextInt(texts.size())));
            case ENUM -> {
                List<EnumValueDescriptor> values = field.getEnumType().getValues();
                yield values.get(random.nextInt(values.size()));
            }
            case MESSAGE -> before instanceof Message m && random.nextBoolean() ? m
                    : message.newBuilderForField(field).build();
        };
    }
}

package io.emtal.tribuo;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;

import io.emtal.tribuo.protos.EmtalModelProto;
import com.google.protobuf.ByteString;
import com.google.protobuf.InvalidProtocolBufferException;
import org.tribuo.Model;

/** Compares the networks inside of models bit by bit. */
final class OnnxAssertions {

    private OnnxAssertions() {
    }

    static void assertSameNetwork(Model<?> expected, Model<?> actual) {
        assertEquals(network(expected), network(actual));
    }

    static void assertDifferentNetworks(Model<?> first, Model<?> second) {
        assertNotEquals(network(first), network(second));
    }

    private static ByteString network(Model<?> model) {
        try {
            return model.serialize().getSerializedData().unpack(EmtalModelProto.class).getOnnx();
        } catch (InvalidProtocolBufferException e) {
            throw new AssertionError(e);
        }
    }
}

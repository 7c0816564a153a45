package io.emtal.tribuo.output;

import io.emtal.onnx.EmtalException;

/** The rule for versions of protobufs: older ones are read, newer ones are refused. */
final class Versions {

    private Versions() {
    }

    static void check(Class<?> reader, int found, int newest) {
        EmtalException.check(found >= 0 && found <= newest, "%s: found a protobuf of version %d, allowed are 0 to %d",
                reader.getName(), found, newest);
    }
}

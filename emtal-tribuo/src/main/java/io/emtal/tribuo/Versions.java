package io.emtal.tribuo;

import io.emtal.onnx.EmtalException;

/** The rule for versions of protobufs: older ones are read, newer ones are refused. */
public final class Versions {

    private Versions() {
    }

    /**
     * Checks the version of a protobuf that is about to be read.
     *
     * @param reader the class that reads it
     * @param found the version of the protobuf
     * @param newest the version that the class writes
     * @throws EmtalException if the class cannot read it
     */
    public static void check(Class<?> reader, int found, int newest) {
        EmtalException.check(found >= 0 && found <= newest, "%s: found a protobuf of version %d, allowed are 0 to %d",
                reader.getName(), found, newest);
    }
}

package io.emtal.onnx.train;

/** The phases of a training. */
public enum Phase {
    /** Dense training of a fresh backbone. */
    PRETRAIN,
    /** Training of the adaptation. */
    ADAPT
}

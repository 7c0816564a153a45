/**
 * Adaptation methods: what is trained on top of a backbone, where it attaches, and how it merges into dense weights.
 * A method writes its forward computation; it never writes a gradient and never runs a graph.
 */
package io.emtal.onnx.adapt;

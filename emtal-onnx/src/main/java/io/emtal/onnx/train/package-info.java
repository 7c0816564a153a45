/** Training: the step compiled to an ONNX graph, run by workers over micro-batches, with optimiser, schedule and history. */
package io.emtal.onnx.train;

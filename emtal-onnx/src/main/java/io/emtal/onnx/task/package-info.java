/**
 * What the network is trained for: tasks, their columns of the logits, heads, losses and Quality Retaining.
 *
 * <p>The labels and masks of a batch are known in Java before its step. So every quantity that depends on a whole
 * batch (means over labelled rows, task weights, teachers) is computed here and fed to the graph per row, and
 * micro-batches add up to exactly the batch's loss.
 */
package io.emtal.onnx.task;

/** Rows to learn from, packed outside the heap: inputs of a fixed width and a label a task, either of which may be missing. */
package io.emtal.onnx.data;

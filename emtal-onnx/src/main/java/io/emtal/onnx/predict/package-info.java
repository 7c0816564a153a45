/** Prediction with a dense ONNX network. */
package io.emtal.onnx.predict;

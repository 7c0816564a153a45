/**
 * EMTAL as a Tribuo trainer: {@link io.emtal.tribuo.EmtalTrainer} takes a data set of multi-labels, regressors,
 * labels or tasks of mixed kinds and gives an {@link io.emtal.tribuo.EmtalModel} with a dense ONNX network inside.
 *
 * <p>Trainer and model are stable; a model that was written as a protobuf is read by every later version.
 */
package io.emtal.tribuo;

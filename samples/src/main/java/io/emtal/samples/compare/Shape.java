package io.emtal.samples.compare;

/**
 * The size of a training problem, on which some hyper-parameters depend.
 *
 * @param rows training rows
 * @param inputs inputs of a model, after nominal features have become indicators
 * @param outputs targets, labels or classes
 */
record Shape(int rows, int inputs, int outputs) {
}

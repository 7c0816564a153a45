/**
 * Benchmarks that anyone can repeat: a training step beside the same network in DJL's PyTorch engine, prediction before
 * and after training, and what tasks cost.
 */
package io.emtal.samples.bench;

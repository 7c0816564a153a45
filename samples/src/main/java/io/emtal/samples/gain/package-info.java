/** Measures what tasks of mixed kinds, with labels missing, gain from being learnt together. */
package io.emtal.samples.gain;

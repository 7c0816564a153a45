/**
 * A search for a configuration of {@link io.emtal.tribuo.EmtalTrainer}:
 * {@link io.emtal.tribuo.search.SearchTrainer} is a Tribuo trainer around it whose models are means of networks of the
 * best configurations that it found on the training examples.
 */
package io.emtal.tribuo.search;

/**
 * Comparison of trainers on tables: the same rows, the same splits and the same metrics for all.
 *
 * <p>A {@link io.emtal.samples.compare.Competitor} is a named way to train. Tribuo's own trainers get standardised
 * features, and hyper-parameters chosen on the training rows where they need it.
 */
package io.emtal.samples.compare;

/**
 * Metrics as pure functions of truths and predictions, over what is labelled only. A metric that has no value on some
 * rows is an empty {@link java.util.OptionalDouble}, and takes no part in averages; none is ever not-a-number.
 */
package io.emtal.tribuo.evaluation;

package io.emtal.tribuo.multitask;

/**
 * The numbers of a real task, in the task's own unit. What is not defined for so few numbers is not-a-number.
 *
 * @param count how many there are
 * @param min the least
 * @param max the greatest
 * @param mean their mean
 * @param variance their sample variance, the sum of squared differences from the mean over {@code count - 1}
 */
public record RealStatistics(long count, double min, double max, double mean, double variance) {
}

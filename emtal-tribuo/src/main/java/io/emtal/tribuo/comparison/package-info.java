/**
 * What learning tasks together gained over learning each alone: {@link io.emtal.tribuo.comparison.TaskComparison}
 * trains both under one protocol, {@link io.emtal.tribuo.comparison.TaskGains} says by how much they differ, over
 * seeds.
 */
package io.emtal.tribuo.comparison;

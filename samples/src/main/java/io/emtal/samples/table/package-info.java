/**
 * Tables for multi-task learning: a folder with {@code schema.json} and CSV files becomes Tribuo data sets.
 *
 * <p>{@link io.emtal.samples.table.Schema} says which columns there are and how the rows are split,
 * {@link io.emtal.samples.table.Table} holds the cells, a {@link io.emtal.samples.table.FeatureView} and a
 * {@link io.emtal.samples.table.TargetView} turn rows into examples. Everything that a view learns from the data
 * (means, scales) it learns from the rows that it is given, which are the training rows.
 *
 * <p>Columns and files are read by {@link io.emtal.tribuo.table}.
 */
package io.emtal.samples.table;

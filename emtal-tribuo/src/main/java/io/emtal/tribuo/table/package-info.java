/**
 * Tables: CSV files with a typed schema as data for several tasks.
 *
 * <p>A {@link io.emtal.tribuo.table.TableSchema} says what the columns hold: features are numbers or nominal, tasks are
 * categorical, binary or real. It is read from a JSON file beside the table, built in code, or inferred from the table to
 * be looked at. {@link io.emtal.tribuo.table.TableSource} makes Tribuo examples of the rows, an empty cell being a missing
 * feature or a missing label; {@link io.emtal.tribuo.table.TableDataset} is for tables larger than the heap;
 * {@link io.emtal.tribuo.table.TableWriter} writes what they read.
 *
 * <p>Files are RFC 4180 in UTF-8 with one line of column names. Parsing does not depend on the locale, and what is wrong
 * with a file is an {@link io.emtal.onnx.EmtalException} that names file, line and column.
 */
package io.emtal.tribuo.table;

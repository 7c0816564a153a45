/**
 * An output of several named tasks of different kinds, {@link io.emtal.tribuo.multitask.MultiTask}: each task is
 * categorical, binary or real, and an example may lack the value of any of them. With it come what Tribuo asks of an
 * output: its factory, the statistics of a data set's outputs, the ids of a model's columns, and the evaluation of each
 * task over the rows that are labelled for it.
 *
 * <p>All of it is stable; outputs, domains and factories that were written as protobufs are read by every later
 * version.
 */
package io.emtal.tribuo.multitask;

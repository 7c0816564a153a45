/**
 * The intermediate representation of ONNX graphs: typed values with shapes, nodes, one fluent builder of operators,
 * and reading and writing of {@code .onnx} files. Nothing here runs a graph.
 */
package io.emtal.onnx.graph;

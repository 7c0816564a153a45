/**
 * Reverse-mode differentiation of graphs: {@link io.emtal.onnx.autodiff.Gradients} writes the backward part of a
 * graph with the same builder that wrote its forward part, one {@link io.emtal.onnx.autodiff.BackwardRule} for each
 * operator. Nothing here runs a graph.
 */
package io.emtal.onnx.autodiff;

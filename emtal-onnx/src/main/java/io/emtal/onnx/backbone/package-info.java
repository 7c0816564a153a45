/** Transformers as ONNX graphs with known structure: fresh ones for tables and images, and where adapters find their layers. */
package io.emtal.onnx.backbone;

/**
 * Fine-tuning of a pre-trained transformer on tables of images: from an ONNX file and CSV files to an ONNX file with
 * new weights and heads, beside other ways to get there.
 */
package io.emtal.samples.finetune;

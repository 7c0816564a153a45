package io.emtal.onnx.predict;

import ai.onnx.proto.OnnxMl;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.BackboneSource;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.NumericColumns;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.task.OneTask;

import java.util.Random;

/**
 * Untrained networks of rows of numbers, and such rows.
 *
 * @param width the numbers of a row
 * @param seed decides weights and numbers
 */
record RowNetworks(int width, long seed) {

    /** A fresh backbone as a model with a metadata entry. */
    OnnxMl.ModelProto model(BackboneSource source) {
        FeatureLayout layout = NumericColumns.layout(width);
        float[] all = numbers(20 * width);
        PackedExamples rows = PackedExamples.pack(20, width, 1, (row, inputs, labels) ->
                System.arraycopy(all, row * width, inputs, 0, width));
        Backbone backbone = source.create(layout, OneTask.LAYOUT, rows, seed);
        return OnnxFile.toModel(backbone.graph(), "test").toBuilder().addMetadataProps(OnnxMl.StringStringEntryProto
                .newBuilder().setKey("key").setValue("value")).build();
    }

    /** Normally distributed numbers, each time the same. */
    float[] numbers(int count) {
        Random random = new Random(seed);
        float[] numbers = new float[count];
        for (int i = 0; i < count; i++) {
            numbers[i] = (float) random.nextGaussian();
        }
        return numbers;
    }
}

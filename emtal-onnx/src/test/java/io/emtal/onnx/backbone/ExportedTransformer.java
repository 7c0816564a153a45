package io.emtal.onnx.backbone;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OrtException;
import io.emtal.onnx.backbone.BlockDescription.Norm;
import io.emtal.onnx.backbone.ExporterVariant.Activation;
import io.emtal.onnx.graph.GraphSession;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;

import java.util.Arrays;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;

/**
 * A model as an exporter writes it, with what is known of it from the start.
 *
 * @param variant how it is built and written
 * @param seed decides the weights and the order of the nodes
 * @param model the model
 * @param image the extents of one image
 * @param blocks the number of blocks
 * @param tokens N
 * @param width D
 * @param heads attention heads
 * @param headWidth the width of a head
 * @param hidden H
 * @param norm where blocks normalise
 * @param pooling what importers are to find of the pooling
 * @param pooledWidth the width of what they find
 * @param head makes logits of what they find: the model's own, where it has one, else another
 * @param classes the outputs of the model's own head; empty where it has none
 */
record ExportedTransformer(ExporterVariant variant, long seed, ModelProto model, long[] image, int blocks, int tokens,
                           int width, int heads, int headWidth, int hidden, Norm norm, Pooling.Kind pooling,
                           int pooledWidth, Head head, OptionalInt classes) {

    static final String INPUT = "pixel_values";

    /**
     * A linear layer over the pooled representation.
     *
     * @param weight [pooled width, C], row-major
     * @param bias [C]
     */
    record Head(float[] weight, float[] bias) {

        /** The logits of one row of pooled representations. */
        float[] logits(float[] pooled, int row) {
            float[] logits = new float[bias.length];
            int in = weight.length / bias.length;
            for (int c = 0; c < logits.length; c++) {
                double sum = bias[c];
                for (int i = 0; i < in; i++) {
                    sum += (double) pooled[row * in + i] * weight[i * logits.length + c];
                }
                logits[c] = (float) sum;
            }
            return logits;
        }
    }

    /** The field's name of the function between fc1 and fc2. */
    String activation() {
        return switch (variant.get(Activation.class)) {
            case GELU -> "GELU";
            case GELU_TANH -> "GELU (tanh)";
            case RELU -> "ReLU";
            case SILU -> "SiLU";
            case QUICK_GELU -> "quick GELU";
        };
    }

    /** Images, drawn at random. */
    Tensor images(int count, long random) {
        long[] extents = new long[image.length + 1];
        extents[0] = count;
        System.arraycopy(image, 0, extents, 1, image.length);
        float[] pixels = new float[Shape.of(extents).size()];
        Random source = new Random(random);
        for (int i = 0; i < pixels.length; i++) {
            pixels[i] = (float) source.nextGaussian();
        }
        return Tensor.of(pixels, extents);
    }

    /** What the model itself says of images, in ONNX Runtime: one row an image, one image a time. */
    float[][] run(Tensor images) throws OrtException {
        float[][] results = new float[(int) images.shape().extent(0)][];
        try (GraphSession session = new GraphSession(model)) {
            for (int i = 0; i < results.length; i++) {
                results[i] = session.run(Map.of(INPUT, image(images, i))).values().iterator().next().floats();
            }
        }
        return results;
    }

    static Tensor image(Tensor images, int i) {
        int size = images.shape().with(0, 1).size();
        return Tensor.of(Arrays.copyOfRange(images.floats(), i * size, (i + 1) * size),
                images.shape().with(0, 1).extents());
    }

    /** The pooled representation of one image, from what a model without head says of it. */
    private float[] pooled(float[] result) {
        if (pooling != Pooling.Kind.CLASS_TOKEN && pooling != Pooling.Kind.MEAN) {
            return result;
        }
        float[] pooled = new float[width];
        int read = pooling == Pooling.Kind.CLASS_TOKEN ? 1 : tokens;
        for (int i = 0; i < read * width; i++) {
            pooled[i % width] += result[i] / read;
        }
        return pooled;
    }

    /** What can be seen of the logits of one image, from what the model says of it. */
    float[] seen(float[] result) {
        return classes.isPresent() ? result : head.logits(pooled(result), 0);
    }

    /** What the model would show of logits: they themselves, or probabilities. */
    float[] shown(float[] logits) {
        if (!variant.is(ExporterVariant.Head.SOFTMAX)) {
            return logits;
        }
        double sum = 0;
        for (float logit : logits) {
            sum += Math.exp(logit);
        }
        float[] probabilities = new float[logits.length];
        for (int c = 0; c < logits.length; c++) {
            probabilities[c] = (float) (Math.exp(logits[c]) / sum);
        }
        return probabilities;
    }

    @Override
    public String toString() {
        return variant + ", seed " + seed;
    }
}

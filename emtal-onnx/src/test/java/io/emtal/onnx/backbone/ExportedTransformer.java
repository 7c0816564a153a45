package io.emtal.onnx.backbone;

import ai.onnx.proto.OnnxMl.ModelProto;
import ai.onnxruntime.OrtException;
import io.emtal.onnx.backbone.BlockDescription.Norm;
import io.emtal.onnx.backbone.ExporterVariant.Activation;
import io.emtal.onnx.graph.GraphSession;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;

import java.util.Arrays;
import java.util.List;
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
 * @param oldHeads the layers that make logits of what they find; none where the model ends with the representation
 */
record ExportedTransformer(ExporterVariant variant, long seed, ModelProto model, long[] image, int blocks, int tokens,
                           int width, int heads, int headWidth, int hidden, Norm norm, Pooling.Kind pooling,
                           int pooledWidth, List<OldHead> oldHeads) {

    static final String INPUT = "pixel_values";

    /**
     * A layer that was trained together with the transformer.
     *
     * @param weight [D, C], row-major
     * @param bias [C]
     */
    record OldHead(float[] weight, float[] bias) {
    }

    Activation activation() {
        return variant.get(Activation.class);
    }

    OptionalInt classes() {
        return oldHeads.isEmpty() ? OptionalInt.empty() : OptionalInt.of(oldHeads.get(0).bias.length);
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

    /** What a result of the model is to be compared by: logits, the representation, or that of all tokens. */
    float[] compared(float[] result) {
        if (!oldHeads.isEmpty() || pooling == Pooling.Kind.VALUE || pooling == Pooling.Kind.PAIR) {
            return result;
        }
        float[] pooled = new float[width];
        int read = pooling == Pooling.Kind.CLASS_TOKEN ? 1 : tokens;
        for (int i = 0; i < read * width; i++) {
            pooled[i % width] += result[i] / read;
        }
        return pooled;
    }

    /** The same from a pooled representation: the mean of the old heads' logits, or the representation itself. */
    float[] compared(float[] pooled, int row) {
        float[] own = Arrays.copyOfRange(pooled, row * pooledWidth, (row + 1) * pooledWidth);
        if (oldHeads.isEmpty()) {
            return own;
        }
        float[] logits = new float[oldHeads.get(0).bias.length];
        int in = pooledWidth / oldHeads.size();
        for (int h = 0; h < oldHeads.size(); h++) {
            OldHead head = oldHeads.get(h);
            for (int c = 0; c < logits.length; c++) {
                double sum = head.bias[c];
                for (int i = 0; i < in; i++) {
                    sum += (double) own[h * in + i] * head.weight[i * logits.length + c];
                }
                logits[c] += (float) (sum / oldHeads.size());
            }
        }
        return logits;
    }

    @Override
    public String toString() {
        return variant + ", seed " + seed;
    }
}

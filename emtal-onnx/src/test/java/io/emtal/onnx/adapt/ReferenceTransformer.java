package io.emtal.onnx.adapt;

import io.emtal.onnx.graph.Tensor;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/** The network of {@link Backbones#vision} in double precision, written from its formulas. */
final class ReferenceTransformer {

    private static final double EPSILON = 1e-5;

    private final Map<String, double[][]> weights = new HashMap<>();

    /** Takes over the initialisers of a backbone; vectors become matrices of one row. */
    ReferenceTransformer(Map<String, Tensor> initializers) {
        initializers.forEach((name, tensor) -> {
            if (tensor.elements() instanceof float[] elements && tensor.shape().rank() > 0) {
                int columns = (int) tensor.shape().extent(-1);
                weights.put(name, Matrices.of(elements, elements.length / columns, columns));
            }
        });
    }

    double[][] weight(String name) {
        return weights.get(name);
    }

    /** Another weight in the place of one. */
    void replace(String name, double[][] weight) {
        weights.put(name, weight);
    }

    /** How the linear layers compute: {@code attn.qkv}, {@code attn.proj}, {@code mlp.fc1}, {@code mlp.fc2}. */
    interface Layers {
        double[][] apply(int block, String layer, double[][] x);
    }

    /** x·W + b. */
    double[][] dense(int block, String layer, double[][] x) {
        String name = "blocks." + block + "." + layer;
        return Matrices.plusRow(Matrices.times(x, weight(name + ".weight")), weight(name + ".bias")[0]);
    }

    /** The pooled representations of images, one a row. */
    double[][] pooled(Tensor images, Layers layers) {
        double[][] pixels = Matrices.of(images.floats(), (int) images.shape().extent(0),
                (int) images.shape().extent(1));
        return Arrays.stream(pixels).map(image -> pooled(image, layers)).toArray(double[][]::new);
    }

    private double[] pooled(double[] image, Layers layers) {
        int across = Backbones.SIDE / Backbones.PATCH;
        double[][] patches = new double[across * across][Backbones.PATCH * Backbones.PATCH];
        for (int y = 0; y < Backbones.SIDE; y++) {
            for (int x = 0; x < Backbones.SIDE; x++) {
                int i = y % Backbones.PATCH * Backbones.PATCH + x % Backbones.PATCH;
                patches[y / Backbones.PATCH * across + x / Backbones.PATCH][i] = (image[y * Backbones.SIDE + x]
                        - weight("input.mean")[0][i]) * weight("input.scale")[0][i];
            }
        }
        double[][] embedded = Matrices.plusRow(Matrices.times(patches, weight("patch_embed.weight")),
                weight("patch_embed.bias")[0]);
        double[][] tokens = new double[embedded.length + 1][];
        tokens[0] = weight("cls_token")[0];
        System.arraycopy(embedded, 0, tokens, 1, embedded.length);
        double[][] x = Matrices.plus(tokens, weight("pos_embed"));
        for (int block = 0; block < Backbones.DEPTH; block++) {
            x = Matrices.plus(x, attention(block, norm("blocks." + block + ".norm1", x), layers));
            double[][] hidden = Matrices.gelu(layers.apply(block, "mlp.fc1", norm("blocks." + block + ".norm2", x)));
            x = Matrices.plus(x, layers.apply(block, "mlp.fc2", hidden));
        }
        return norm("norm", x)[0];
    }

    private double[][] attention(int block, double[][] x, Layers layers) {
        double[][] qkv = layers.apply(block, "attn.qkv", x);
        int width = Backbones.WIDTH;
        int size = width / Backbones.HEADS;
        double[][] mixed = new double[x.length][width];
        for (int head = 0; head < Backbones.HEADS; head++) {
            for (int i = 0; i < x.length; i++) {
                double[] scores = new double[x.length];
                for (int j = 0; j < x.length; j++) {
                    for (int c = head * size; c < (head + 1) * size; c++) {
                        scores[j] += qkv[i][c] * qkv[j][width + c] / Math.sqrt(size);
                    }
                }
                double[] attention = Matrices.softmax(scores);
                for (int j = 0; j < x.length; j++) {
                    for (int c = head * size; c < (head + 1) * size; c++) {
                        mixed[i][c] += attention[j] * qkv[j][2 * width + c];
                    }
                }
            }
        }
        return layers.apply(block, "attn.proj", mixed);
    }

    private double[][] norm(String name, double[][] x) {
        double[] scale = weight(name + ".weight")[0];
        double[] shift = weight(name + ".bias")[0];
        return Arrays.stream(x).map(row -> {
            double mean = Arrays.stream(row).average().orElseThrow();
            double variance = Arrays.stream(row).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
            double[] normed = new double[row.length];
            Arrays.setAll(normed, i -> (row[i] - mean) / Math.sqrt(variance + EPSILON) * scale[i] + shift[i]);
            return normed;
        }).toArray(double[][]::new);
    }
}

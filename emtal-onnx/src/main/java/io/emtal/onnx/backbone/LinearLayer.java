package io.emtal.onnx.backbone;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.Tensor;

import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/**
 * A linear layer inside a backbone's graph: y = x·W + b over the last axis.
 *
 * @param role its place in the block
 * @param block the block's index, from 0
 * @param weight the name of the weight's initialiser, [in, out], or [out, in] if transposed
 * @param bias the name of the bias's initialiser, if there is one: [out], or what broadcasts to the result, [..., out]
 * @param transposed whether the weight lies as [out, in]
 * @param in the input width
 * @param out the output width
 * @param product the name of the value x·W
 * @param result the name of the value with the bias added; the same as {@code product} without a bias, or where one
 *     node does both
 */
public record LinearLayer(Role role, int block, String weight, Optional<String> bias, boolean transposed, int in,
                          int out, String product, String result) {

    /** The place of a linear layer in a transformer block. */
    public enum Role {
        /** Queries, keys and values in one. */
        QKV,
        /** Queries alone. */
        QUERY,
        /** Keys alone. */
        KEY,
        /** Values alone. */
        VALUE,
        /** The output projection of the attention. */
        ATTENTION_OUTPUT,
        /** The first layer of the feed-forward network, D → H. */
        FC1,
        /** The second layer of the feed-forward network, H → D. */
        FC2
    }

    /** Checks that nothing is missing. */
    public LinearLayer {
        Objects.requireNonNull(role, "role");
        Objects.requireNonNull(weight, "weight");
        EmtalException.check(in > 0 && out > 0, "linear layer '%s': found widths %d → %d, allowed are positive ones",
                weight, in, out);
    }

    /**
     * A name for what is trained at this layer.
     *
     * @return for instance {@code block3.fc1}
     */
    public String name() {
        return "block" + block + "." + role.name().toLowerCase(Locale.ROOT);
    }

    /**
     * The weight as a matrix [in, out].
     *
     * @param initializers the graph's initialisers
     * @return row-major elements, a copy
     */
    public float[] weights(Map<String, Tensor> initializers) {
        float[] stored = initializers.get(weight).floats();
        return transposed ? transpose(stored, out, in) : stored.clone();
    }

    /**
     * A matrix [in, out] as this layer's initialiser stores it.
     *
     * @param matrix row-major elements, [in, out]
     * @return the tensor for the initialiser {@link #weight()}
     */
    public Tensor stored(float[] matrix) {
        return transposed ? Tensor.of(transpose(matrix, in, out), out, in) : Tensor.of(matrix, in, out);
    }

    private static float[] transpose(float[] matrix, int rows, int columns) {
        float[] result = new float[matrix.length];
        for (int i = 0; i < rows; i++) {
            for (int j = 0; j < columns; j++) {
                result[j * rows + i] = matrix[i * columns + j];
            }
        }
        return result;
    }
}

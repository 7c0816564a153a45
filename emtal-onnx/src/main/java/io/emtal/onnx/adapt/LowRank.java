package io.emtal.onnx.adapt;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.LinearLayer;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.IntUnaryOperator;
import java.util.random.RandomGenerator;

/**
 * The low-rank update of a linear layer, ΔW = s·A·B (LoRA, Hu et al. 2021, arXiv 2106.09685). Where experts own ranges
 * of the layer's columns or rows, each has a pair of its own: expert e of c owns columns e·out/c onwards and updates
 * them with A[:, e·r to (e+1)·r] and its columns of B; rows likewise. One expert means one pair for the whole matrix.
 *
 * @param layer the layer
 * @param rank r
 * @param scale s
 * @param columnExperts how many experts the columns belong to; A is [in, columnExperts·r]
 * @param rowExperts how many experts the rows belong to; B is [rowExperts·r, out]
 */
record LowRank(LinearLayer layer, int rank, double scale, int columnExperts, int rowExperts) {

    /** Measured at rank 8: a weight that is not constant is also packed anew in every product. */
    private static final long MANY = 6;

    /** Checks that every weight can get an update of its own. */
    static void checkTargets(Backbone backbone) {
        Map<String, LinearLayer> byWeight = new HashMap<>();
        backbone.layers().forEach(layer -> {
            LinearLayer other = byWeight.put(layer.weight(), layer);
            EmtalException.check(other == null, "weight '%s': found in %s and %s, allowed is one layer a weight, which"
                    + " takes one update", layer.weight(), other == null ? "" : other.name(), layer.name());
        });
    }

    /** The factor s that rank and alpha stand for; an alpha of 0 means alpha = rank. */
    static double scale(int rank, double alpha) {
        return alpha == 0 ? 1 : alpha / rank;
    }

    /** One pair for a whole matrix. */
    static LowRank shared(LinearLayer layer, int rank, double scale) {
        return new LowRank(layer, rank, scale, 1, 1);
    }

    private String nameA() {
        return layer.name() + ".lora.a";
    }

    private String nameB() {
        return layer.name() + ".lora.b";
    }

    /** A as LoRA's authors start it, uniform within ±1/√in, and B zero: the first step sees the backbone unchanged. */
    List<Parameter> startingAtZero(RandomGenerator random) {
        double bound = 1 / Math.sqrt(layer.in());
        return parameters(i -> (float) random.nextDouble(-bound, bound), i -> 0);
    }

    /** Both factors normally distributed. */
    List<Parameter> starting(RandomGenerator random, double deviation) {
        Entry normal = i -> (float) (deviation * random.nextGaussian());
        return parameters(normal, normal);
    }

    private interface Entry {
        float at(int i);
    }

    private List<Parameter> parameters(Entry a, Entry b) {
        return List.of(parameter(nameA(), a, layer.in(), columnExperts * rank),
                parameter(nameB(), b, rowExperts * rank, layer.out()));
    }

    private static Parameter parameter(String name, Entry entry, int rows, int columns) {
        float[] elements = new float[rows * columns];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = entry.at(i);
        }
        return Parameter.shared(name, "lora", Tensor.of(elements, rows, columns), true);
    }

    /**
     * Writes x·W + b + s·(x·A)·B.
     *
     * @return [..., out], shaped like the input
     */
    Value write(Site site, Value input) {
        GraphBuilder graph = site.graph();
        if (isOfManyRows(input)) {
            return site.dense(layer, input, graph.matMul(left(site), false, right(site), false, scale));
        }
        Value dense = site.dense(layer, input);
        Value projected = graph.mul(graph.matMul(rows(graph, input), left(site)), scale);
        // Gemm adds onto its third operand while it multiplies: no pass of its own over [B·N, out].
        Value sum = graph.gemm(projected, right(site), rows(graph, dense));
        return input.rank() == 2 ? sum : graph.reshape(sum, likeInput(input));
    }

    /**
     * Whether x·(W + s·A·B) takes less time than x·W + s·(x·A)·B: one sum of the weight's size instead of passes over
     * the layer's results, forward, and over the gradient of its input, backward.
     */
    private boolean isOfManyRows(Value input) {
        long in = layer.in();
        long out = layer.out();
        return input.shape().isStatic() && input.shape().size() / in * (in + out) >= MANY * in * out;
    }

    private static Value rows(GraphBuilder graph, Value x) {
        return x.rank() == 2 ? x : graph.reshape(x, -1, x.extent(-1));
    }

    private long[] likeInput(Value input) {
        long[] extents = input.shape().extents();
        extents[extents.length - 1] = layer.out();
        return extents;
    }

    private Value left(Site site) {
        Value a = site.parameter(nameA());
        return rowExperts == 1 ? a : blockDiagonal(site.graph(), a, rowExperts, layer.in(), (long) rowExperts * rank,
                rowExperts, layer.in() / rowExperts, 1, rank);
    }

    private Value right(Site site) {
        Value b = site.parameter(nameB());
        return columnExperts == 1 ? b : blockDiagonal(site.graph(), b, columnExperts, (long) columnExperts * rank,
                layer.out(), 1, rank, columnExperts, layer.out() / columnExperts);
    }

    /** The experts' factors as blocks on the diagonal of a matrix, so that one product serves all experts. */
    private static Value blockDiagonal(GraphBuilder graph, Value factor, int experts, long rows, long columns,
                                       long... view) {
        float[] identity = new float[experts * experts];
        for (int e = 0; e < experts; e++) {
            identity[e * experts + e] = 1;
        }
        Value diagonal = graph.constant(Tensor.of(identity, experts, 1, experts, 1));
        return graph.reshape(graph.mul(graph.reshape(factor, view), diagonal), rows, columns);
    }

    /**
     * The layer's weight with the update added, summed in double precision. Entries without an update keep their bits.
     *
     * @param initializers the backbone's constants
     * @param values the parameters' values
     * @param row where a row of the original weight lies among the rows of A
     * @param column where a column of the original weight lies among the columns of B
     * @return the initialiser as the layer stores it
     */
    Tensor merged(Map<String, Tensor> initializers, Function<String, Tensor> values, IntUnaryOperator row,
                  IntUnaryOperator column) {
        float[] a = values.apply(nameA()).floats();
        float[] b = values.apply(nameB()).floats();
        float[] weights = layer.weights(initializers);
        int in = layer.in();
        int out = layer.out();
        for (int i = 0; i < in; i++) {
            int p = row.applyAsInt(i);
            int firstOfB = p / (in / rowExperts) * rank;
            for (int j = 0; j < out; j++) {
                int q = column.applyAsInt(j);
                int firstOfA = p * columnExperts * rank + q / (out / columnExperts) * rank;
                double update = 0;
                for (int k = 0; k < rank; k++) {
                    update += (double) a[firstOfA + k] * b[(firstOfB + k) * out + q];
                }
                if (update != 0) {
                    weights[i * out + j] = (float) (weights[i * out + j] + scale * update);
                }
            }
        }
        return layer.stored(weights);
    }
}

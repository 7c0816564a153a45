package io.emtal.onnx.backbone;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.random.RandomGenerator;

/**
 * Writes the blocks of a fresh pre-norm transformer encoder, x + attention(norm(x)), then x + ffn(norm(x)), in
 * operators that every ONNX runtime has, and notes where the linear layers are.
 */
final class EncoderWriter {

    private static final double EPSILON = 1e-5;

    private final GraphBuilder graph;
    private final int width;
    private final int hidden;
    private final int depth;
    private final RandomGenerator random;
    private final List<Block> blocks = new ArrayList<>();
    private final Set<String> trainable = new HashSet<>();
    private final Set<String> perMember = new HashSet<>();

    /**
     * Starts an encoder.
     *
     * @param graph where it is written
     * @param width token width D
     * @param hidden width H of the feed-forward networks
     * @param depth the number of blocks L, which scales the initial weights of the residual branches
     * @param random for the initial weights
     */
    EncoderWriter(GraphBuilder graph, int width, int hidden, int depth, RandomGenerator random) {
        EmtalException.check(width > 0 && hidden > 0 && depth > 0,
                "transformer: found %d blocks of width %d and hidden width %d, allowed are 1 and more", depth, width, hidden);
        this.graph = graph;
        this.width = width;
        this.hidden = hidden;
        this.depth = depth;
        this.random = random;
    }

    /**
     * Writes all blocks and the final norm.
     *
     * @param tokens [batch, N, D]
     * @param heads attention heads; must divide D
     * @param firstNorm whether the first block's attention reads normalised tokens, as all others do
     * @return [batch, N, D]
     */
    Value encode(Value tokens, int heads, boolean firstNorm) {
        EmtalException.check(heads > 0 && width % heads == 0,
                "transformer: found token width %d with %d attention heads, allowed are heads that divide the width", width, heads);
        Value x = tokens;
        for (int i = 0; i < depth; i++) {
            List<LinearLayer> attention = new ArrayList<>();
            x = attention(i, x, heads, i > 0 || firstNorm, attention);
            x = feedForward(i, x, attention);
        }
        return norm("norm", x);
    }

    /**
     * Writes all blocks without their attention, so that no token knows of another, and the final norm.
     *
     * @param tokens [batch, N, D]
     * @return [batch, N, D]
     */
    Value encodeApart(Value tokens) {
        Value x = tokens;
        for (int i = 0; i < depth; i++) {
            x = feedForward(i, x, List.of());
        }
        return norm("norm", x);
    }

    /** An initialiser [M, ...] that dense training trains, of which every member of an ensemble has an entry. */
    Value perMember(String name, Tensor initial) {
        perMember.add(name);
        return trainable(name, initial);
    }

    /** An initialiser that dense training trains. */
    Value trainable(String name, Tensor initial) {
        trainable.add(name);
        return graph.initializer(name, initial);
    }

    /** A weight matrix [in, out] with entries of standard deviation gain / √in. */
    Value weight(String name, int in, int out, double gain) {
        return trainable(name, Tensor.of(gaussian(in * out, gain / Math.sqrt(in)), in, out));
    }

    /** The finished backbone around a graph that this writer wrote its blocks into. */
    Backbone backbone(Graph built, boolean learnsMissing) {
        Set<String> frozen = new HashSet<>();
        built.initializers().forEach((name, tensor) -> {
            if (tensor.type() == ElementType.FLOAT && !trainable.contains(name)) {
                frozen.add(name);
            }
        });
        return new Backbone(built, blocks, frozen, learnsMissing, Optional.empty(), Optional.empty(), Map.of(),
                perMember);
    }

    /** Normally distributed numbers. */
    float[] gaussian(int count, double deviation) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (deviation * random.nextGaussian());
        }
        return values;
    }

    Value norm(String name, Value x) {
        float[] ones = new float[width];
        Arrays.fill(ones, 1);
        return graph.layerNorm(x, trainable(name + ".weight", Tensor.of(ones, width)),
                trainable(name + ".bias", Tensor.of(new float[width], width)), EPSILON);
    }

    private Value attention(int index, Value x, int heads, boolean normed, List<LinearLayer> layers) {
        String name = "blocks." + index;
        int tokens = (int) x.extent(1);
        Linear qkv = linear(LinearLayer.Role.QKV, index, name + ".attn.qkv", normed ? norm(name + ".norm1", x) : x,
                3 * width, 1);
        List<Value> parts = graph.split(qkv.output, -1, width, width, width);
        Value query = split(parts.get(0), tokens, heads, 0, 2, 1, 3);
        Value key = split(parts.get(1), tokens, heads, 0, 2, 3, 1);
        Value value = split(parts.get(2), tokens, heads, 0, 2, 1, 3);
        Value scores = graph.mul(graph.matMul(query, key), Math.sqrt((double) heads / width));
        Value mixed = graph.matMul(graph.softmax(scores, -1), value);
        Value joined = graph.reshape(graph.transpose(mixed, 0, 2, 1, 3), 0, tokens, width);
        Linear output = linear(LinearLayer.Role.ATTENTION_OUTPUT, index, name + ".attn.proj", joined, width, residualGain());
        layers.add(qkv.layer);
        layers.add(output.layer);
        return graph.add(x, output.output);
    }

    private Value feedForward(int index, Value x, List<LinearLayer> attention) {
        String name = "blocks." + index;
        Linear fc1 = linear(LinearLayer.Role.FC1, index, name + ".mlp.fc1", norm(name + ".norm2", x), hidden, 1);
        Linear fc2 = linear(LinearLayer.Role.FC2, index, name + ".mlp.fc2", graph.gelu(fc1.output), width, residualGain());
        blocks.add(new Block(index, attention, fc1.layer, fc2.layer));
        return graph.add(x, fc2.output);
    }

    private double residualGain() {
        return 1 / Math.sqrt(2 * depth);
    }

    /** Tokens [batch, N, D] as [batch, N, heads, D/heads], reordered. */
    private Value split(Value x, int tokens, int heads, long... permutation) {
        return graph.transpose(graph.reshape(x, 0, tokens, heads, width / heads), permutation);
    }

    private record Linear(LinearLayer layer, Value output) {
    }

    private Linear linear(LinearLayer.Role role, int block, String name, Value x, int out, double gain) {
        int in = (int) x.extent(-1);
        Value weight = weight(name + ".weight", in, out, gain);
        Value bias = trainable(name + ".bias", Tensor.of(new float[out], out));
        Value product = graph.matMul(x, weight);
        Value result = graph.add(product, bias);
        return new Linear(new LinearLayer(role, block, weight.name(), Optional.of(bias.name()), false, in, out,
                product.name(), result.name()), result);
    }
}

package io.emtal.onnx.backbone;

import io.emtal.onnx.backbone.BlockDescription.Norm;
import io.emtal.onnx.backbone.ExporterVariant.Activation;
import io.emtal.onnx.backbone.ExporterVariant.ActivationForm;
import io.emtal.onnx.backbone.ExporterVariant.Attention;
import io.emtal.onnx.backbone.ExporterVariant.Batch;
import io.emtal.onnx.backbone.ExporterVariant.BiasSide;
import io.emtal.onnx.backbone.ExporterVariant.Biases;
import io.emtal.onnx.backbone.ExporterVariant.Cut;
import io.emtal.onnx.backbone.ExporterVariant.Clutter;
import io.emtal.onnx.backbone.ExporterVariant.Depth;
import io.emtal.onnx.backbone.ExporterVariant.Exponents;
import io.emtal.onnx.backbone.ExporterVariant.FinalNorm;
import io.emtal.onnx.backbone.ExporterVariant.Head;
import io.emtal.onnx.backbone.ExporterVariant.HeadForm;
import io.emtal.onnx.backbone.ExporterVariant.HeadWidth;
import io.emtal.onnx.backbone.ExporterVariant.Hidden;
import io.emtal.onnx.backbone.ExporterVariant.Keys;
import io.emtal.onnx.backbone.ExporterVariant.LayerScale;
import io.emtal.onnx.backbone.ExporterVariant.Linear;
import io.emtal.onnx.backbone.ExporterVariant.NormForm;
import io.emtal.onnx.backbone.ExporterVariant.NormPlace;
import io.emtal.onnx.backbone.ExporterVariant.Outputs;
import io.emtal.onnx.backbone.ExporterVariant.Pool;
import io.emtal.onnx.backbone.ExporterVariant.PoolForm;
import io.emtal.onnx.backbone.ExporterVariant.Positions;
import io.emtal.onnx.backbone.ExporterVariant.Qkv;
import io.emtal.onnx.backbone.ExporterVariant.QueryKeyNorm;
import io.emtal.onnx.backbone.ExporterVariant.Registers;
import io.emtal.onnx.backbone.ExporterVariant.Scale;
import io.emtal.onnx.backbone.ExporterVariant.Size;
import io.emtal.onnx.backbone.ExporterVariant.Stem;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Random;

/**
 * Small vision transformers with random weights, in the forms that exporters write. Weights depend on the seed and
 * their name alone: variants that differ in how they are written compute the same.
 */
final class ExporterGraphs {

    private static final int CLASSES = 5;
    private static final float EPSILON = 1e-5f;

    private final ExporterVariant variant;
    private final long seed;
    private final ExporterGraph graph;

    private final int channels;
    private final int side;
    private final int width;
    private final int heads;
    private final int headWidth;
    private final int hidden;
    private final int blocks;
    private final int grid;
    /** Class token, distillation token. */
    private final int extra;
    private final int registers;
    private final int tokens;

    private ExporterGraphs(ExporterVariant variant, long seed) {
        this.variant = variant;
        this.seed = seed;
        this.graph = new ExporterGraph(variant);
        boolean larger = variant.is(Size.LARGER);
        channels = larger ? 3 : 1;
        side = larger ? 12 : 8;
        width = larger ? 24 : 16;
        heads = larger ? 3 : 2;
        headWidth = width / heads + (variant.is(HeadWidth.WIDER) ? 4 : 0);
        hidden = switch (variant.get(Hidden.class)) {
            case TWICE -> 2 * width;
            case FOUR_TIMES -> 4 * width;
            case EQUAL -> width;
        };
        blocks = variant.is(Depth.THREE) ? 3 : 2;
        grid = side / 4;
        extra = switch (variant.get(Pool.class)) {
            case CLASS_TOKEN, MEAN_OF_PATCHES, TOKENS -> 1;
            case CLASS_AND_DISTILLATION_TOKEN -> 2;
            case MEAN, TOKENS_WITHOUT_CLASS -> 0;
        };
        registers = variant.is(Registers.PRESENT) ? 2 : 0;
        tokens = grid * grid + extra + registers;
    }

    /** Writes a variant. */
    static ExportedTransformer write(ExporterVariant variant, long seed) {
        return new ExporterGraphs(variant, seed).write();
    }

    private ExportedTransformer write() {
        long rows = variant.is(Batch.STATIC) ? 1 : Shape.BATCH;
        long[] image = variant.is(Stem.CHANNELS_LAST) ? new long[] {side, side, channels}
                : new long[] {channels, side, side};
        String x = graph.input(ExportedTransformer.INPUT, rows, image[0], image[1], image[2]);
        if (variant.is(Clutter.LEFTOVERS)) {
            row("mask_token", width, 0, 1);
            graph.gather(graph.shape(x), 0, 2);
        }
        x = embed(x);
        x = variant.is(Attention.ENCODER_SEQUENCE_FIRST) ? graph.transpose(encode(graph.transpose(x, 1, 0, 2)), 1, 0, 2)
                : encode(x);
        boolean finalNormLater = variant.is(FinalNorm.AFTER_POOLING);
        Pooling.Kind pooling = Pooling.Kind.VALUE;
        int pooledWidth = width;
        graph.module("");
        switch (variant.get(Pool.class)) {
            case TOKENS, TOKENS_WITHOUT_CLASS -> {
                if (variant.is(Outputs.PROJECTION_TOO)) {
                    String projected = gemm("pooler.dense", token(x, 0), width, width, true);
                    graph.output("last_hidden_state", x, rows, tokens, width);
                    graph.output("pooler_output", graph.node("Tanh", Map.of(), projected), rows, width);
                } else {
                    graph.output("last_hidden_state", x, rows, tokens, width);
                }
                pooling = extra > 0 ? Pooling.Kind.CLASS_TOKEN : Pooling.Kind.MEAN;
            }
            case CLASS_AND_DISTILLATION_TOKEN -> {
                pooling = Pooling.Kind.PAIR;
                pooledWidth = 2 * width;
                String a = token(x, 0);
                String b = token(x, 1);
                if (variant.is(Head.NONE)) {
                    graph.output("features", graph.concat(1, a, b), rows, pooledWidth);
                } else {
                    String sum = graph.add(head("head", a), head("head_dist", b));
                    graph.output("logits", graph.node("Div", Map.of(), sum, graph.scalar(2)), rows, CLASSES);
                }
            }
            default -> {
                String pooled = pooled(x);
                if (finalNormLater) {
                    pooled = norm("fc_norm", pooled);
                }
                if (variant.is(Head.NONE)) {
                    graph.output("features", pooled, rows, width);
                } else if (variant.is(Head.SOFTMAX)) {
                    graph.output("probabilities", graph.node("Softmax", Map.of("axis", 1L), head("head", pooled)), rows,
                            CLASSES);
                } else {
                    graph.output("logits", head("head", pooled), rows, CLASSES);
                }
            }
        }
        boolean headed = !variant.is(Head.NONE) && !variant.is(Pool.TOKENS) && !variant.is(Pool.TOKENS_WITHOUT_CLASS);
        Norm norm = variant.is(NormPlace.AFTER) ? Norm.AFTER : Norm.BEFORE;
        return new ExportedTransformer(variant, seed, graph.model(new Random(seed)), image, blocks, tokens, width,
                heads, headWidth, hidden, norm, pooling, pooledWidth, wholeHead(pooledWidth),
                headed ? OptionalInt.of(CLASSES) : OptionalInt.empty());
    }

    // Weights.

    private Random random(String path) {
        return new Random(31 * seed + path.hashCode());
    }

    private float[] gaussian(String path, int size, double mean, double deviation) {
        Random random = random(path);
        float[] elements = new float[size];
        for (int i = 0; i < size; i++) {
            elements[i] = (float) (mean + deviation * random.nextGaussian());
        }
        return elements;
    }

    private String row(String path, int size, double mean, double deviation) {
        return weight(path, gaussian(path, size, mean, deviation), size);
    }

    /** A weight [in, out] of a linear layer; a joint layer has those of its parts side by side. */
    private float[] matrix(String path, int in, int out) {
        if (!path.endsWith("qkv.weight")) {
            return gaussian(path, in * out, 0, 1.2 / Math.sqrt(in));
        }
        float[] whole = new float[in * out];
        int part = out / 3;
        List<String> names = List.of("query", "key", "value");
        for (int k = 0; k < 3; k++) {
            float[] single = matrix(path.replace("qkv", names.get(k)), in, part);
            for (int i = 0; i < in; i++) {
                System.arraycopy(single, i * part, whole, i * out + k * part, part);
            }
        }
        return whole;
    }

    private float[] biases(String path, int out) {
        if (!path.endsWith("qkv.bias")) {
            return gaussian(path, out, 0, 0.2);
        }
        float[] whole = new float[out];
        List<String> names = List.of("query", "key", "value");
        for (int k = 0; k < 3; k++) {
            System.arraycopy(biases(path.replace("qkv", names.get(k)), out / 3), 0, whole, k * out / 3, out / 3);
        }
        return whole;
    }

    private String weight(String path, float[] elements, long... extents) {
        return graph.weight(path, Tensor.of(elements, extents), false);
    }

    /** A weight [in, out], which exporters write in place of the transposed one. */
    private String folded(String path, int in, int out) {
        return graph.weight(path, Tensor.of(matrix(path, in, out), in, out), true);
    }

    /** A weight as [out, in], as torch has it. */
    private String transposed(String path, int in, int out) {
        float[] matrix = matrix(path, in, out);
        float[] result = new float[matrix.length];
        for (int i = 0; i < matrix.length; i++) {
            result[i % out * in + i / out] = matrix[i];
        }
        return weight(path, result, out, in);
    }

    private boolean hasBias(String path) {
        boolean qkv = path.endsWith("qkv") || path.endsWith("query") || path.endsWith("key") || path.endsWith("value");
        return path.contains("blocks") ? variant.is(Biases.ALL) || variant.is(Biases.ALL_BUT_QKV) && !qkv : true;
    }

    private String bias(String path, int out) {
        return hasBias(path) ? weight(path + ".bias", biases(path + ".bias", out), out) : null;
    }

    // Linear layers.

    private boolean isGemm() {
        return variant.is(Linear.GEMM) || variant.is(Linear.GEMM_TRANSPOSED);
    }

    /** A linear layer over [batch, N, in]. */
    private String linear(String path, String x, int in, int out) {
        if (!isGemm()) {
            String product = product(path, x, in, out);
            if (variant.is(Clutter.LEFTOVERS)) {
                graph.declare(product, variant.is(Batch.STATIC) ? 1 : Shape.BATCH, tokens, out);
            }
            return biased(product, bias(path, out));
        }
        String flat = graph.reshaped(x, graph.integers(-1, in));
        return reshaped(gemm(path, flat, in, out, variant.is(Linear.GEMM_TRANSPOSED)), x, tokens, out);
    }

    private String gemm(String path, String flat, int in, int out, boolean transposed) {
        String weight = transposed ? transposed(path + ".weight", in, out) : folded(path + ".weight", in, out);
        Map<String, Object> attributes = Map.of("alpha", 1f, "beta", 1f, "transB", transposed ? 1L : 0L);
        String bias = bias(path, out);
        return bias == null ? graph.node("Gemm", attributes, flat, weight)
                : graph.node("Gemm", attributes, flat, weight, bias);
    }

    private String product(String path, String x, int in, int out) {
        if (variant.is(Linear.TRANSPOSED_MATMUL)) {
            return graph.matMul(x, graph.transpose(transposed(path + ".weight", in, out), 1, 0));
        }
        return graph.matMul(x, folded(path + ".weight", in, out));
    }

    private String biased(String product, String bias) {
        return bias == null ? product : variant.is(BiasSide.LEFT) ? graph.add(bias, product) : graph.add(product, bias);
    }

    // Shapes.

    /** Reshapes to [batch, extents…], the batch being the first extent of a value. */
    private String reshaped(String x, String like, long... extents) {
        long[] all = new long[extents.length + 1];
        System.arraycopy(extents, 0, all, 1, extents.length);
        switch (variant.get(Batch.class)) {
            case STATIC -> all[0] = 1;
            case ZEROS, FILLED -> all[0] = x.equals(like) ? 0 : -1;
            case SHAPES -> {
                String[] parts = new String[all.length];
                parts[0] = rows(like);
                for (int i = 1; i < all.length; i++) {
                    parts[i] = graph.unsqueeze(graph.integer(extents[i - 1]), 0);
                }
                return graph.reshaped(x, graph.concat(0, parts));
            }
            default -> throw new IllegalStateException();
        }
        return graph.reshaped(x, graph.integers(all));
    }

    /** The number of rows of a value, [1]. */
    private String rows(String x) {
        return graph.unsqueeze(graph.gather(graph.shape(x), 0, 0), 0);
    }

    /** Learned tokens [1, n, D] for every row of a value. */
    private String repeated(String token, String like) {
        switch (variant.get(Batch.class)) {
            case STATIC -> {
                return token;
            }
            case ZEROS -> {
                String rows = graph.slice(graph.shape(like), 0, 0, 1);
                return graph.node("Expand", Map.of(), token, graph.concat(0, rows, graph.integers(1, 1)));
            }
            case FILLED -> {
                String extents = graph.concat(0, rows(like), graph.integers(1), graph.integers(1));
                Tensor zero = Tensor.of(new float[1], 1);
                return graph.add(graph.node("ConstantOfShape", Map.of("value", zero), extents), token);
            }
            case SHAPES -> {
                // As torch writes expand(b, −1, −1): −1 becomes 1.
                String wanted = graph.reshaped(graph.concat(0, rows(like), graph.integers(-1), graph.integers(-1)),
                        graph.integers(-1));
                String ones = graph.node("ConstantOfShape", Map.of("value", Tensor.of(new long[] {1}, 1)),
                        graph.shape(wanted));
                String kept = graph.node("Equal", Map.of(), wanted, graph.mul(ones, graph.integer(-1)));
                return graph.node("Expand", Map.of(), token, graph.node("Where", Map.of(), kept, ones, wanted));
            }
            default -> throw new IllegalStateException();
        }
    }

    // The stem.

    private String embed(String image) {
        graph.module("patch_embed");
        String x = patches(image);
        graph.module("");
        List<String> parts = new ArrayList<>();
        List<String> names = List.of("cls_token", "dist_token");
        for (String name : names.subList(0, extra)) {
            parts.add(repeated(weight(name, gaussian(name, width, 0, 1), 1, 1, width), x));
        }
        if (extra > 0) {
            parts.add(x);
            x = graph.concat(1, parts.toArray(new String[0]));
        }
        if (variant.is(Positions.OF_TOKENS)) {
            int placed = tokens - registers;
            x = graph.add(x, weight("pos_embed", gaussian("pos_embed", placed * width, 0, 0.5), 1, placed, width));
        }
        if (registers > 0) {
            float[] elements = gaussian("register_tokens", registers * width, 0, 1);
            String learned = weight("register_tokens", elements, 1, registers, width);
            x = graph.concat(1, graph.slice(x, 1, 0, extra), repeated(learned, x),
                    graph.slice(x, 1, extra, Long.MAX_VALUE));
        }
        return x;
    }

    /** Patches as tokens [batch, grid², D]. */
    private String patches(String image) {
        int half = width / 2;
        String x = switch (variant.get(Stem.class)) {
            case PATCHES -> conv("proj", image, channels, width, 4, 4, 0);
            case CHANNELS_LAST -> conv("proj", graph.transpose(image, 0, 3, 1, 2), channels, width, 4, 4, 0);
            case CONVOLUTIONS -> {
                String normed = batchNorm("bn", conv("conv1", image, channels, half, 3, 2, 1), half);
                yield conv("proj", graph.node("Relu", Map.of(), normed), half, width, 2, 2, 0);
            }
            case CONVOLUTION_AND_POOL -> {
                String pooled = graph.node("MaxPool", Map.of("kernel_shape", new long[] {3, 3}, "strides",
                        new long[] {2, 2}, "pads", new long[] {1, 1, 1, 1}),
                        graph.node("Relu", Map.of(), conv("conv1", image, channels, width, 3, 1, 1)));
                yield graph.node("AveragePool", Map.of("kernel_shape", new long[] {2, 2}, "strides", new long[] {2, 2}),
                        pooled);
            }
            case HARD_SWISH -> conv("proj", graph.node("HardSwish", Map.of(),
                    batchNorm("bn", conv("conv1", image, channels, half, 3, 2, 1), half)), half, width, 3, 2, 1);
            case LINEAR_PATCHES -> {
                String cut = reshaped(image, image, channels, grid, 4, grid, 4);
                int in = 16 * channels;
                String rows = reshaped(graph.transpose(cut, 0, 2, 4, 3, 5, 1), image, (long) grid * grid, in);
                yield biased(graph.matMul(rows, folded("patch_embed.1.weight", in, width)),
                        row("patch_embed.1.bias", width, 0, 0.1));
            }
        };
        if (variant.is(Stem.LINEAR_PATCHES)) {
            return x;
        }
        return graph.transpose(flattened(x), 0, 2, 1);
    }

    /** [batch, D, h, w] as [batch, D, h·w]. */
    private String flattened(String x) {
        if (!variant.is(Batch.SHAPES)) {
            return reshaped(x, x, width, -1);
        }
        String extents = graph.slice(graph.shape(x), 0, 0, 2);
        return graph.reshaped(x, graph.concat(0, extents, graph.integers(-1)));
    }

    private String conv(String name, String x, int in, int out, int kernel, int stride, int pad) {
        String path = "patch_embed." + name;
        int window = in * kernel * kernel;
        float[] kernels = gaussian(path + ".weight", out * window, 0, 1 / Math.sqrt(window));
        String weight = weight(path + ".weight", kernels, out, in, kernel, kernel);
        Map<String, Object> attributes = new LinkedHashMap<>();
        attributes.put("kernel_shape", new long[] {kernel, kernel});
        attributes.put("strides", new long[] {stride, stride});
        attributes.put("pads", new long[] {pad, pad, pad, pad});
        attributes.put("dilations", new long[] {1, 1});
        attributes.put("group", 1L);
        return graph.node("Conv", attributes, x, weight, row(path + ".bias", out, 0, 0.1));
    }

    private String batchNorm(String name, String x, int size) {
        String path = "patch_embed." + name;
        float[] variance = gaussian(path + ".running_var", size, 1, 0.2);
        for (int i = 0; i < size; i++) {
            variance[i] = 0.1f + Math.abs(variance[i]);
        }
        return graph.node("BatchNormalization", Map.of("epsilon", EPSILON, "momentum", 0.9f), x,
                row(path + ".weight", size, 1, 0.2), row(path + ".bias", size, 0, 0.2),
                row(path + ".running_mean", size, 0, 0.2), weight(path + ".running_var", variance, size));
    }

    // Blocks.

    /** A branch that is still to be added to the tokens; its bias as well, if there is one. */
    private record Branch(String value, String bias) {
    }

    /** The sum of tokens and branch, and its norm. */
    private record Sum(String value, String norm) {
    }

    private String encode(String embedded) {
        boolean after = variant.is(NormPlace.AFTER);
        String x = embedded;
        String normed = after ? x : norm("blocks.0.norm1", x);
        for (int i = 0; i < blocks; i++) {
            String path = "blocks." + i;
            Sum attended = sum(path + ".norm2", x, attention(path + ".attn", normed));
            x = after ? attended.norm : attended.value;
            normed = attended.norm;
            Branch mlp = mlp(path + ".mlp", normed);
            boolean last = i + 1 == blocks;
            if (last && !after && !variant.is(FinalNorm.BEFORE_POOLING)) {
                graph.module(path);
                return plainSum(x, mlp);
            }
            Sum all = sum(after ? path + ".norm3" : last ? "norm" : "blocks." + (i + 1) + ".norm1", x, mlp);
            x = after ? all.norm : all.value;
            normed = all.norm;
        }
        return normed;
    }

    private String plainSum(String x, Branch branch) {
        return graph.add(x, biased(branch.value, branch.bias));
    }

    private Sum sum(String normPath, String x, Branch branch) {
        graph.module(module(normPath));
        if (!variant.is(NormForm.WITH_SUM)) {
            String sum = plainSum(x, branch);
            return new Sum(sum, norm(normPath, sum));
        }
        List<String> inputs = new ArrayList<>(List.of(x, branch.value, row(normPath + ".weight", width, 1, 0.2),
                row(normPath + ".bias", width, 0, 0.2)));
        if (branch.bias != null) {
            inputs.add(branch.bias);
        }
        List<String> results = graph.nodes("com.microsoft", "SkipLayerNormalization", Map.of("epsilon", EPSILON), 4,
                inputs.toArray(new String[0]));
        return new Sum(results.get(3), results.get(0));
    }

    private static String module(String path) {
        return path.replace('.', '/');
    }

    private String norm(String path, String x) {
        graph.module(module(path));
        return norm(path, x, width);
    }

    private String norm(String path, String x, int size) {
        String weight = row(path + ".weight", size, 1, 0.2);
        String bias = row(path + ".bias", size, 0, 0.2);
        if (!variant.is(NormForm.DECOMPOSED)) {
            return graph.node("LayerNormalization", Map.of("axis", -1L, "epsilon", EPSILON), x, weight, bias);
        }
        String centred = graph.node("Sub", Map.of(), x, graph.reduceMean(x, true, -1));
        String variance = graph.reduceMean(power(centred, 2), true, -1);
        String deviation = graph.node("Sqrt", Map.of(), graph.add(variance, graph.scalar(EPSILON)));
        return graph.add(graph.mul(graph.node("Div", Map.of(), centred, deviation), weight), bias);
    }

    private String power(String x, long exponent) {
        return graph.node("Pow", Map.of(), x, variant.is(Exponents.INTEGER) ? graph.integer(exponent)
                : graph.scalar(exponent));
    }

    /** The layer that ends a branch. Its bias is left to a following norm that adds it, if there is one. */
    private Branch end(String path, String scalePath, String x, int in) {
        if (variant.is(LayerScale.PRESENT)) {
            String y = linear(path, x, in, width);
            return new Branch(graph.mul(y, row(scalePath, width, 0.7, 0.2)), null);
        }
        return variant.is(NormForm.WITH_SUM) && !isGemm() ? new Branch(product(path, x, in, width), bias(path, width))
                : new Branch(dropped(linear(path, x, in, width)), null);
    }

    private Branch attention(String path, String x) {
        graph.module(module(path));
        if (variant.is(Attention.SEQUENCE_FIRST) || variant.is(Attention.ENCODER_SEQUENCE_FIRST)) {
            return sequenceFirst(path, x);
        }
        String mixed = switch (variant.get(Attention.class)) {
            case DECOMPOSED -> decomposed(path, x);
            case SEQUENCE_FIRST, ENCODER_SEQUENCE_FIRST -> throw new IllegalStateException();
            case CONTRIB_ATTENTION -> {
                int inner = heads * headWidth;
                yield graph.contrib("Attention", Map.of("num_heads", (long) heads), x,
                        folded(path + ".qkv.weight", width, 3 * inner), bias(path + ".qkv", 3 * inner));
            }
            case CONTRIB_MULTI_HEAD -> multiHead(path, x);
        };
        return end(path + ".proj", path.replace("attn", "ls1.gamma"), mixed, heads * headWidth);
    }

    private String multiHead(String path, String x) {
        int inner = heads * headWidth;
        List<String> operands = new ArrayList<>();
        for (String part : List.of("query", "key", "value")) {
            operands.add(product(path + "." + part, x, width, inner));
        }
        if (hasBias(path + ".qkv")) {
            operands.add(bias(path + ".qkv", 3 * inner));
        }
        return graph.contrib("MultiHeadAttention", Map.of("num_heads", (long) heads), operands.toArray(new String[0]));
    }

    private String decomposed(String path, String x) {
        int inner = heads * headWidth;
        String query;
        String key;
        String value;
        if (variant.is(Qkv.JOINT) && (variant.is(Cut.GATHER) || variant.is(Cut.UNBIND))) {
            String joint = linear(path + ".qkv", x, width, 3 * inner);
            String all = graph.transpose(reshaped(joint, joint, tokens, 3, heads, headWidth), 2, 0, 3, 1, 4);
            List<String> parts = new ArrayList<>();
            if (variant.is(Cut.GATHER)) {
                for (int i = 0; i < 3; i++) {
                    parts.add(graph.gather(all, 0, i));
                }
            } else {
                graph.split(all, 0, 3, 3).forEach(part -> parts.add(graph.squeeze(part, 0)));
            }
            query = parts.get(0);
            key = graph.transpose(parts.get(1), 0, 1, 3, 2);
            value = parts.get(2);
        } else {
            List<String> parts = parts(path, x);
            query = graph.transpose(reshaped(parts.get(0), parts.get(0), tokens, heads, headWidth), 0, 2, 1, 3);
            String keys = reshaped(parts.get(1), parts.get(1), tokens, heads, headWidth);
            key = variant.is(Keys.ONCE) ? graph.transpose(keys, 0, 2, 3, 1)
                    : graph.transpose(graph.transpose(keys, 0, 2, 1, 3), 0, 1, 3, 2);
            value = graph.transpose(reshaped(parts.get(2), parts.get(2), tokens, heads, headWidth), 0, 2, 1, 3);
        }
        if (variant.is(QueryKeyNorm.PRESENT)) {
            query = headNorm(path + ".q_norm", query);
            key = graph.transpose(headNorm(path + ".k_norm", graph.transpose(key, 0, 1, 3, 2)), 0, 1, 3, 2);
        }
        String scores = scores(query, key);
        if (variant.is(Positions.OF_SCORES)) {
            String bias = path + ".position_bias";
            scores = graph.add(scores, weight(bias, gaussian(bias, heads * tokens * tokens, 0, 1), 1, heads, tokens,
                    tokens));
        }
        String weights = graph.node("Softmax", Map.of("axis", variant.opset() < 13 ? 3L : -1L), scores);
        weights = dropped(variant.is(Clutter.CASTS) ? graph.node("Cast", Map.of("to", 1L), weights) : weights);
        String joined = graph.transpose(graph.matMul(weights, value), 0, 2, 1, 3);
        return reshaped(joined, joined, tokens, inner);
    }

    private String headNorm(String path, String x) {
        return norm(path, x, headWidth);
    }

    private String dropped(String x) {
        if (!variant.is(Clutter.DROPOUTS)) {
            return x;
        }
        return variant.opset() < 12 ? graph.node("Dropout", Map.of("ratio", 0.1f), x)
                : graph.node("Dropout", Map.of(), x, graph.scalar(0.1));
    }

    /** Queries, keys and values, [batch, N, inner] each. */
    private List<String> parts(String path, String x) {
        int inner = heads * headWidth;
        List<String> parts = new ArrayList<>();
        if (variant.is(Qkv.SEPARATE)) {
            for (String part : List.of("query", "key", "value")) {
                parts.add(linear(path + "." + part, x, width, inner));
            }
            return parts;
        }
        String joint = linear(path + ".qkv", x, width, 3 * inner);
        if (variant.is(Cut.SPLIT)) {
            return graph.split(joint, variant.opset() < 13 ? 2 : -1, 3, 3L * inner);
        }
        for (int i = 0; i < 3; i++) {
            // What torch writes for "to the end".
            parts.add(graph.slice(joint, 2, (long) i * inner, i == 2 ? Long.MAX_VALUE : (i + 1L) * inner));
        }
        return parts;
    }

    /** Scaled products of queries [batch, heads, N, d] and keys [batch, heads, d, N]. */
    private String scores(String query, String key) {
        double scale = 1 / Math.sqrt(headWidth);
        return switch (variant.get(Scale.class)) {
            case MUL_SCORES -> graph.mul(graph.matMul(query, key), graph.scalar(scale));
            case DIV_SCORES -> graph.node("Div", Map.of(), graph.matMul(query, key), graph.scalar(1 / scale));
            case MUL_QUERY -> graph.matMul(graph.mul(query, graph.scalar(scale)), key);
            case SQRT_ON_BOTH -> graph.matMul(graph.mul(query, graph.scalar(Math.sqrt(scale))),
                    graph.mul(key, graph.scalar(Math.sqrt(scale))));
            case SDPA -> {
                // The width of a head is read off the queries, as scaled_dot_product_attention does.
                String last = graph.slice(graph.shape(query), 0, -1, Long.MAX_VALUE);
                String real = graph.node("Cast", Map.of("to", 1L), last);
                String factor = graph.node("Div", Map.of(), graph.constant(Tensor.of(new float[] {1}, 1)),
                        graph.node("Sqrt", Map.of(), real));
                String root = graph.node("Sqrt", Map.of(), graph.node("Cast", Map.of("to", 1L), factor));
                yield graph.matMul(graph.mul(query, root), graph.mul(key, root));
            }
        };
    }

    /**
     * As nn.MultiheadAttention does: tokens first, heads in one axis with the batch, and an output layer over rows. A
     * joint layer's result is taken apart through an axis in front.
     */
    private Branch sequenceFirst(String path, String x) {
        int inner = heads * headWidth;
        boolean turns = variant.is(Attention.SEQUENCE_FIRST);
        String turned = turns ? graph.transpose(x, 1, 0, 2) : x;
        List<String> parts = new ArrayList<>();
        if (variant.is(Qkv.JOINT)) {
            String joint = biased(product(path + ".qkv", turned, width, 3 * inner), bias(path + ".qkv", 3 * inner));
            String cut = graph.unsqueeze(graph.reshaped(joint, graph.integers(tokens, -1, 3, inner)), 0);
            String front = graph.squeeze(graph.transpose(cut, 3, 1, 2, 0, 4), 3);
            for (int i = 0; i < 3; i++) {
                parts.add(graph.gather(front, 0, i));
            }
        } else {
            for (String part : List.of("query", "key", "value")) {
                parts.add(biased(product(path + "." + part, turned, width, inner), bias(path + "." + part, inner)));
            }
        }
        String query = graph.transpose(graph.reshaped(parts.get(0), graph.integers(tokens, -1, headWidth)), 1, 0, 2);
        String key = graph.transpose(graph.reshaped(parts.get(1), graph.integers(tokens, -1, headWidth)), 1, 2, 0);
        String value = graph.transpose(graph.reshaped(parts.get(2), graph.integers(tokens, -1, headWidth)), 1, 0, 2);
        String weights = graph.node("Softmax", Map.of("axis", variant.opset() < 13 ? 2L : -1L), scores(query, key));
        String mixed = graph.transpose(graph.matMul(weights, value), 1, 0, 2);
        String output = gemm(path + ".proj", graph.reshaped(mixed, graph.integers(-1, inner)), inner, width, true);
        String apart = graph.reshaped(output, graph.integers(tokens, -1, width));
        String result = turns ? graph.transpose(apart, 1, 0, 2) : apart;
        return new Branch(variant.is(LayerScale.PRESENT)
                ? graph.mul(result, row(path.replace("attn", "ls1.gamma"), width, 0.7, 0.2)) : result, null);
    }

    private Branch mlp(String path, String x) {
        graph.module(module(path));
        String fc1 = path + ".fc1";
        boolean biasInActivation = variant.is(ActivationForm.CONTRIB_WITH_BIAS);
        String h = biasInActivation ? activation(product(fc1, x, width, hidden), bias(fc1, hidden))
                : activation(linear(fc1, x, width, hidden), null);
        h = dropped(h);
        return end(path + ".fc2", path.replace("mlp", "ls2.gamma"), h, hidden);
    }

    /** The activation of x, or of x and a bias where an operator adds it. */
    private String activation(String x, String bias) {
        String[] operands = bias == null ? new String[] {x} : new String[] {x, bias};
        ActivationForm form = variant.get(ActivationForm.class);
        boolean decomposed = form == ActivationForm.DECOMPOSED;
        return switch (variant.get(Activation.class)) {
            case RELU -> graph.node("Relu", Map.of(), x);
            case SILU -> graph.mul(x, graph.node("Sigmoid", Map.of(), x));
            case QUICK_GELU -> decomposed
                    ? graph.mul(x, graph.node("Sigmoid", Map.of(), graph.mul(x, graph.scalar(1.702))))
                    : graph.contrib("QuickGelu", Map.of("alpha", 1.702f), x);
            case GELU -> decomposed ? erfGelu(x)
                    : form == ActivationForm.OPERATOR ? graph.node("Gelu", Map.of("approximate", "none"), x)
                    : graph.contrib(bias == null ? "Gelu" : "BiasGelu", Map.of(), operands);
            case GELU_TANH -> decomposed ? tanhGelu(x)
                    : form == ActivationForm.OPERATOR ? graph.node("Gelu", Map.of("approximate", "tanh"), x)
                    : graph.contrib("FastGelu", Map.of(), operands);
        };
    }

    private String erfGelu(String x) {
        String erf = graph.node("Erf", Map.of(), graph.node("Div", Map.of(), x, graph.scalar(Math.sqrt(2))));
        return graph.mul(graph.mul(x, graph.add(erf, graph.scalar(1))), graph.scalar(0.5));
    }

    private String tanhGelu(String x) {
        String cube = graph.mul(power(x, 3), graph.scalar(0.044715));
        String inner = graph.mul(graph.add(x, cube), graph.scalar(Math.sqrt(2 / Math.PI)));
        String one = graph.add(graph.node("Tanh", Map.of(), inner), graph.scalar(1));
        return graph.mul(graph.mul(x, graph.scalar(0.5)), one);
    }

    // The end.

    /** One token as [batch, D]. */
    private String token(String x, int i) {
        return variant.is(PoolForm.GATHER_OR_MEAN) ? graph.gather(x, 1, i)
                : graph.squeeze(graph.slice(x, 1, i, i + 1), 1);
    }

    private String pooled(String x) {
        if (variant.is(Pool.CLASS_TOKEN)) {
            return token(x, 0);
        }
        String patches = variant.is(Pool.MEAN) ? x : graph.slice(x, 1, extra + registers, Long.MAX_VALUE);
        return variant.is(PoolForm.GATHER_OR_MEAN) ? graph.reduceMean(patches, false, 1)
                : graph.node("Flatten", Map.of("axis", 1L),
                graph.node("GlobalAveragePool", Map.of(), graph.transpose(patches, 0, 2, 1)));
    }

    private String head(String path, String pooled) {
        graph.module(path);
        return variant.is(HeadForm.GEMM) ? gemm(path, pooled, width, CLASSES, true)
                : biased(graph.matMul(pooled, folded(path + ".weight", width, CLASSES)), bias(path, CLASSES));
    }

    /** The head over the whole pooled representation: of two tokens, the mean of two heads. */
    private ExportedTransformer.Head wholeHead(int pooledWidth) {
        List<String> paths = pooledWidth == width ? List.of("head") : List.of("head", "head_dist");
        float[] weight = new float[pooledWidth * CLASSES];
        float[] bias = new float[CLASSES];
        for (int h = 0; h < paths.size(); h++) {
            float[] matrix = matrix(paths.get(h) + ".weight", width, CLASSES);
            float[] biases = biases(paths.get(h) + ".bias", CLASSES);
            for (int i = 0; i < matrix.length; i++) {
                weight[h * matrix.length + i] = matrix[i] / paths.size();
            }
            for (int c = 0; c < CLASSES; c++) {
                bias[c] += biases[c] / paths.size();
            }
        }
        return new ExportedTransformer.Head(weight, bias);
    }
}

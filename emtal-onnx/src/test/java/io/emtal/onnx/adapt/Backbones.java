package io.emtal.onnx.adapt;

import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.Block;
import io.emtal.onnx.backbone.LinearLayer;
import io.emtal.onnx.backbone.LinearLayer.Role;
import io.emtal.onnx.backbone.VisionTransformer;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.task.OneTask;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** Small backbones with random weights and biases, as if they had been trained. */
final class Backbones {

    static final int SIDE = 8;
    static final int PATCH = 4;
    static final int WIDTH = 16;
    static final int HEADS = 2;
    static final int DEPTH = 2;
    static final int HIDDEN = 32;

    private Backbones() {
    }

    /** A fresh vision transformer, joint query-key-value layers. */
    static Backbone vision(long seed) {
        FeatureLayout pixels = new FeatureLayout(IntStream.range(0, SIDE * SIDE)
                .mapToObj(i -> new FeatureColumn("p" + i, FeatureColumn.Kind.NUMERIC, i, 1)).toList());
        float[] images = rows(pixels.width(), 20, seed).floats();
        var examples = PackedExamples.pack(20, pixels.width(), 1, (row, inputs, labels) ->
                System.arraycopy(images, row * pixels.width(), inputs, 0, pixels.width()));
        Backbone fresh = VisionTransformer.builder().image(SIDE, SIDE, 1).patch(PATCH).width(WIDTH).heads(HEADS)
                .depth(DEPTH).hidden(HIDDEN).build().create(pixels, OneTask.LAYOUT, examples, seed);
        return disturbed(fresh, seed);
    }

    /** As exporters write it: separate queries, keys, values, Gemm on [out, in] weights, mean pooling, fc2 unbiased. */
    static Backbone exported(long seed) {
        int tokens = 3;
        int width = 8;
        int hidden = 16;
        GraphBuilder graph = new GraphBuilder();
        Value x = graph.input("tokens", ElementType.FLOAT, Shape.BATCH, tokens, width);
        List<LinearLayer> layers = new ArrayList<>();
        Value norm = graph.layerNorm(x, ones(graph, "scale1", width), ones(graph, "shift1", width), 1e-5);
        Value normed = graph.reshape(norm, -1, width);
        Value q = graph.reshape(gemm(graph, layers, Role.QUERY, normed, width, true), -1, tokens, width);
        Value k = graph.reshape(gemm(graph, layers, Role.KEY, normed, width, true), -1, tokens, width);
        Value v = graph.reshape(gemm(graph, layers, Role.VALUE, normed, width, true), -1, tokens, width);
        Value mixed = graph.matMul(graph.softmax(graph.matMul(q, graph.transpose(k, 0, 2, 1)), -1), v);
        Value attended = gemm(graph, layers, Role.ATTENTION_OUTPUT, graph.reshape(mixed, -1, width), width, true);
        Value h = gemm(graph, layers, Role.FC1, attended, hidden, true);
        Value y = graph.reshape(gemm(graph, layers, Role.FC2, graph.relu(h), width, false), -1, tokens, width);
        graph.output("pooled", graph.reduceMean(graph.add(x, y), false, 1));
        Block block = new Block(0, layers.subList(0, 4), layers.get(4), layers.get(5));
        return disturbed(new Backbone(graph.build(), List.of(block), Set.of("shift1")), seed);
    }

    private static Value ones(GraphBuilder graph, String name, int width) {
        float[] ones = new float[width];
        Arrays.fill(ones, 1);
        return graph.initializer(name, Tensor.of(ones, width));
    }

    private static Value gemm(GraphBuilder graph, List<LinearLayer> layers, Role role, Value x, int out,
                              boolean biased) {
        int in = (int) x.extent(1);
        Value weight = graph.initializer(role + ".weight", Tensor.of(new float[out * in], out, in));
        Value bias = biased ? graph.initializer(role + ".bias", Tensor.of(new float[out], out)) : null;
        Value y = graph.apply("Gemm", Map.of("transB", 1L), x, weight, bias);
        layers.add(new LinearLayer(role, 0, weight.name(), Optional.ofNullable(bias).map(Value::name), true, in, out,
                y.name(), y.name()));
        return y;
    }

    private static Backbone disturbed(Backbone backbone, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Map<String, Tensor> changed = new HashMap<>();
        backbone.graph().initializers().forEach((name, tensor) -> {
            if (tensor.type() == ElementType.FLOAT && tensor.shape().rank() > 0 && !backbone.frozen().contains(name)) {
                float[] elements = tensor.floats().clone();
                for (int i = 0; i < elements.length; i++) {
                    elements[i] += (float) (0.2 * random.nextGaussian());
                }
                changed.put(name, new Tensor(tensor.type(), tensor.shape(), elements));
            }
        });
        return backbone.withInitializers(changed);
    }

    /** Random rows of a width. */
    static Tensor rows(int width, int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        float[] elements = new float[count * width];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = (float) (3 + 2 * random.nextGaussian());
        }
        return Tensor.of(elements, count, width);
    }

    /** Random rows for a backbone. */
    static Tensor rows(Backbone backbone, int count, long seed) {
        Tensor rows = rows(backbone.inputWidth(), count, seed);
        return new Tensor(rows.type(), backbone.input().shape().withBatch(count), rows.elements());
    }
}

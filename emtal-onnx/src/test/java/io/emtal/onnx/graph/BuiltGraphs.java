package io.emtal.onnx.graph;

import ai.onnx.proto.OnnxMl.ModelProto;
import io.emtal.onnx.backbone.FeatureTransformer;
import io.emtal.onnx.backbone.VisionTransformer;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.task.OneTask;

import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;

/** Small graphs as the builder writes them, with an open batch. */
final class BuiltGraphs {

    private BuiltGraphs() {
    }

    static List<Graph> all() {
        return List.of(block(), patches(), operators(), vision(), table());
    }

    static ModelProto model(Graph graph) {
        return OnnxFile.toModel(graph, "built");
    }

    /** Attention of one head and a feed-forward network on tokens [batch, 3, 4]. */
    static Graph block() {
        GraphBuilder b = new GraphBuilder();
        Value x = b.input("x", ElementType.FLOAT, Shape.BATCH, 3, 4);
        Value norm = b.layerNorm(x, b.initializer("scale", random(4)), b.initializer("shift", random(4)), 1e-5);
        Value qkv = b.add(b.matMul(norm, b.initializer("qkv", random(4, 12))), b.initializer("bias", random(12)));
        List<Value> parts = b.split(qkv, -1, 4, 4, 4);
        Value mixed = b.matMul(b.softmax(b.matMul(parts.get(0), b.transpose(parts.get(1), 0, 2, 1)), -1), parts.get(2));
        Value attended = b.add(x, mixed);
        b.output("y", b.reduceMean(b.gelu(b.matMul(attended, b.initializer("fc", random(4, 2)))), false, 1));
        return b.build();
    }

    /** Images [batch, 1, 8, 8] in patches, a class row, pooled. */
    static Graph patches() {
        GraphBuilder b = new GraphBuilder();
        Value x = b.input("x", ElementType.FLOAT, Shape.BATCH, 1, 8, 8);
        Value patches = b.apply("Conv", Map.of("kernel_shape", List.of(4L, 4L), "strides", List.of(4L, 4L)), x,
                b.initializer("kernel", random(6, 1, 4, 4)), b.initializer("bias", random(6)));
        Value tokens = b.transpose(b.reshape(patches, 0, 6, -1), 0, 2, 1);
        Value cut = b.slice(b.concat(1, List.of(tokens, tokens)), 1, 1, 6);
        Value padded = b.apply("Pad", Map.of(), cut, b.integers(0, 1, 0, 0, 0, 0));
        Value row = b.squeeze(b.gather(padded, 1, 2), 1);
        b.output("y", b.apply("Gemm", Map.of("transB", 1L, "alpha", 0.5f), row, b.initializer("w", random(3, 6)),
                null));
        return b.build();
    }

    /** Comparisons, choices, limits and reductions on two inputs. */
    static Graph operators() {
        GraphBuilder b = new GraphBuilder();
        Value x = b.input("x", ElementType.FLOAT, Shape.BATCH, 6);
        Value ids = b.input("ids", ElementType.INT64, Shape.BATCH);
        Value embedded = b.apply("Gather", Map.of("axis", 0L), b.initializer("table", random(5, 6)), ids);
        Value chosen = b.where(b.isNaN(x), embedded, b.apply("Clip", Map.of(), x, null, b.constant(3)));
        Value wide = b.cast(chosen, ElementType.DOUBLE);
        Value log = b.logSoftmax(b.cast(b.mul(wide, wide), ElementType.FLOAT), 1);
        b.output("total", b.reduceSum(b.abs(log), false));
        b.output("rows", b.apply("ReduceMax", Map.of("axes", List.of(1L), "keepdims", 1L), b.min(log, b.sigmoid(x))));
        return b.build();
    }

    static Graph vision() {
        return VisionTransformer.builder().image(4, 4, 1).patch(2).width(4).heads(2).depth(1).hidden(4).build()
                .create(columns(16), OneTask.LAYOUT, examples(16), 1).graph();
    }

    static Graph table() {
        return FeatureTransformer.builder().width(4).heads(2).depth(1).hidden(4).build()
                .create(columns(5), OneTask.LAYOUT, examples(5), 1).graph();
    }

    private static FeatureLayout columns(int width) {
        return new FeatureLayout(IntStream.range(0, width)
                .mapToObj(i -> new FeatureColumn("f" + i, FeatureColumn.Kind.NUMERIC, i, 1)).toList());
    }

    private static PackedExamples examples(int width) {
        Random random = new Random(7);
        return PackedExamples.pack(10, width, 1, (row, inputs, labels) -> {
            for (int i = 0; i < width; i++) {
                inputs[i] = (float) random.nextGaussian();
            }
        });
    }

    static Tensor random(long... extents) {
        Shape shape = Shape.of(extents);
        Random random = new Random(shape.hashCode());
        float[] elements = new float[shape.size()];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = (float) random.nextGaussian();
        }
        return new Tensor(ElementType.FLOAT, shape, elements);
    }
}

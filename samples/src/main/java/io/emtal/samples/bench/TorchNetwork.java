package io.emtal.samples.bench;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDArrays;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.LayerNorm;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.task.Task;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The networks of the benchmarks as one writes them in DJL with its PyTorch engine. Numbers that a product takes are
 * arrays that live as long as the network: DJL frees the scalar of a product with a {@code Number} while the way back
 * still needs it.
 */
final class TorchNetwork {
    private static final float EPSILON = 1e-5f;

    private final BenchNetwork network;
    private final NDManager manager;
    private final Map<String, NDArray> weights = new HashMap<>();
    private final Map<String, NDArray> parameters = new LinkedHashMap<>();
    private final Map<Float, NDArray> numbers = new HashMap<>();

    /**
     * Copies the weights.
     *
     * @param network the network
     * @param manager keeps the weights
     */
    TorchNetwork(BenchNetwork network, NDManager manager) {
        this.network = network;
        this.manager = manager;
        Set<String> layers = new HashSet<>();
        network.backbone().layers().forEach(layer -> layers.add(layer.weight()));
        network.frozen().forEach((name, tensor) -> {
            if (tensor.type() == ElementType.FLOAT) {
                weights.put(name, array(tensor, layers.contains(name)));
            }
        });
        for (Parameter parameter : network.parameters()) {
            NDArray array = array(parameter.initial(), layers.contains(parameter.name()));
            array.setRequiresGradient(true);
            parameters.put(parameter.name(), array);
            weights.put(parameter.name(), array);
        }
    }

    /** PyTorch's linear layers have their weights the other way round, [out, in]. */
    private NDArray array(Tensor tensor, boolean turned) {
        NDArray array = manager.create(tensor.floats(), new Shape(tensor.shape().extents()));
        return turned ? array.transpose().duplicate() : array;
    }

    private NDArray number(double x) {
        return numbers.computeIfAbsent((float) x, n -> manager.create(new float[] {n}, new Shape()));
    }

    /** What is trained, by name. */
    Map<String, NDArray> parameters() {
        return parameters;
    }

    /**
     * What the network gives.
     *
     * @param members the logits of each member [M, B, C]; a single network is the only member
     * @param logits the mean of the members' [B, C]
     */
    record Output(NDArray members, NDArray logits) {
    }

    /**
     * Computes logits.
     *
     * @param step takes what is computed
     * @param input rows of inputs [B, width]
     */
    Output forward(NDManager step, NDArray input) {
        if (network.shape().isVision()) {
            NDArray pooled = vision(step, input, network.shape().vision());
            NDList parts = new NDList();
            for (Task task : network.tasks().tasks()) {
                parts.add(pooled.matMul(weight("head." + task.name() + ".weight"))
                        .add(weight("head." + task.name() + ".bias")));
            }
            NDArray logits = parts.size() == 1 ? parts.get(0) : NDArrays.concat(parts, -1);
            return new Output(logits.expandDims(0), logits);
        }
        NDArray pooled = table(input).transpose(1, 0, 2);
        NDList parts = new NDList();
        for (Task task : network.tasks().tasks()) {
            parts.add(pooled.matMul(weight("head." + task.name() + ".weight"))
                    .add(weight("head." + task.name() + ".bias")));
        }
        NDArray members = parts.size() == 1 ? parts.get(0) : NDArrays.concat(parts, -1);
        return new Output(members, members.mean(new int[] {0}));
    }

    /**
     * The loss.
     *
     * @param output what the network gave
     * @param weightedTargets the targets times their weights in the loss [B, C]
     */
    NDArray loss(Output output, NDArray weightedTargets) {
        long members = output.members.getShape().get(0);
        long rows = output.logits.getShape().get(0);
        long tasks = network.tasks().size();
        NDArray split = output.members.reshape(members, rows, tasks, output.logits.getShape().get(1) / tasks);
        NDArray losses = split.logSoftmax(-1).mul(weightedTargets.reshape(1, rows, tasks, -1));
        return losses.sum().mul(number(-1.0 / members));
    }

    private NDArray vision(NDManager step, NDArray input, BenchShape.Vision v) {
        long rows = input.getShape().get(0);
        long side = v.side() / v.patch();
        NDArray patches = input.reshape(rows, side, v.patch(), side, (long) v.patch() * BenchShape.CHANNELS)
                .transpose(0, 1, 3, 2, 4).reshape(rows, side * side, -1);
        NDArray scaled = patches.sub(weight("input.mean")).mul(weight("input.scale"));
        NDArray embedded = scaled.matMul(weight("patch_embed.weight")).add(weight("patch_embed.bias"));
        NDArray classToken = weight("cls_token").broadcast(rows, 1, v.width());
        // Results belong to the manager of the first operand, and weights outlive a step.
        classToken.attach(step);
        NDArray x = classToken.concat(embedded, 1).add(weight("pos_embed"));
        for (int i = 0; i < v.depth(); i++) {
            x = x.add(attention(i, norm("blocks." + i + ".norm1", x, v.width()), v));
            x = x.add(feedForward(i, norm("blocks." + i + ".norm2", x, v.width())));
        }
        return norm("norm", x, v.width()).get(":, 0");
    }

    private NDArray attention(int block, NDArray x, BenchShape.Vision v) {
        long rows = x.getShape().get(0);
        long width = v.width() / v.heads();
        NDArray joint = linear(x, "blocks." + block + ".attn.qkv", "block" + block + ".qkv")
                .reshape(rows, v.tokens(), 3, v.heads(), width).transpose(2, 0, 3, 1, 4);
        NDArray scores = joint.get(0).mul(number(1 / Math.sqrt(width))).matMul(joint.get(1).transpose(0, 1, 3, 2));
        NDArray mixed = scores.softmax(-1).matMul(joint.get(2)).transpose(0, 2, 1, 3)
                .reshape(rows, v.tokens(), v.width());
        return linear(mixed, "blocks." + block + ".attn.proj", "block" + block + ".attention_output");
    }

    private NDArray feedForward(int block, NDArray x) {
        NDArray hidden = linear(x, "blocks." + block + ".mlp.fc1", "block" + block + ".fc1");
        if (network.mode() == BenchMode.EMTAL_GATED) {
            hidden = gated(block, x, hidden);
        }
        return linear(Activation.gelu(hidden), "blocks." + block + ".mlp.fc2", "block" + block + ".fc2");
    }

    private NDArray gated(int block, NDArray x, NDArray hidden) {
        long experts = BenchMode.EXPERTS;
        double fade = network.mode().fade();
        NDArray gates = x.matMul(weight("block" + block + ".router")).mul(number(1 / BenchMode.TEMPERATURE)).softmax(-1);
        NDArray omega = gates.mul(number((1 - fade) * experts)).add(number(fade));
        Shape shape = hidden.getShape();
        return hidden.reshape(shape.get(0), shape.get(1), experts, -1).mul(omega.expandDims(-1)).reshape(shape);
    }

    private NDArray linear(NDArray x, String name, String layer) {
        NDArray y = Linear.linear(x, weight(name + ".weight"), weight(name + ".bias")).singletonOrThrow();
        if (!network.mode().lowRank()) {
            return y;
        }
        return y.add(x.matMul(weight(layer + ".lora.a")).matMul(weight(layer + ".lora.b")));
    }

    private NDArray norm(String name, NDArray x, int width) {
        return LayerNorm.layerNorm(x, new Shape(width), weight(name + ".weight"), weight(name + ".bias"), EPSILON)
                .singletonOrThrow();
    }

    /** The members' tokens [B, M, D]. */
    private NDArray table(NDArray input) {
        long rows = input.getShape().get(0);
        NDArray standard = input.sub(weight("input.mean")).mul(weight("input.scale")).expandDims(2);
        NDArray bins = input.expandDims(2).sub(weight("input.bins.start")).mul(weight("input.bins.slope")).clip(0, 1);
        NDArray values = NDArrays.concat(new NDList(List.of(standard, bins, standard.zerosLike())), 2)
                .reshape(rows, 1, -1);
        NDArray x = values.mul(weight("members.scale")).matMul(weight("embedding.weight")).add(weight("members.bias"));
        for (int i = 0; i < BenchShape.TABLE_DEPTH; i++) {
            x = x.add(feedForward(i, norm("blocks." + i + ".norm2", x, BenchShape.TABLE_WIDTH)));
        }
        return norm("norm", x, BenchShape.TABLE_WIDTH).add(values.matMul(weight("linear.weight")));
    }

    private NDArray weight(String name) {
        return weights.get(name);
    }
}

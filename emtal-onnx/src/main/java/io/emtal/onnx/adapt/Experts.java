package io.emtal.onnx.adapt;

import io.emtal.onnx.backbone.Block;
import io.emtal.onnx.backbone.LinearLayer;
import io.emtal.onnx.graph.Tensor;

import java.util.HashMap;
import java.util.Map;
import java.util.random.RandomGenerator;

/**
 * The decomposition of one block's FFN into experts: an order of its hidden channels in which every expert is a range.
 * The reordered FFN computes the same function.
 *
 * @param block the block
 * @param order at position i stands the original channel order[i]
 * @param position where an original channel stands
 */
record Experts(Block block, int[] order, int[] position) {

    /** Groups the channels by their columns of fc1. */
    static Experts of(Block block, Map<String, Tensor> initializers, int experts, ExpertClustering.Grouping grouping,
                      RandomGenerator random) {
        LinearLayer fc1 = block.fc1();
        float[] matrix = fc1.weights(initializers);
        float[] channels = new float[matrix.length];
        for (int d = 0; d < fc1.in(); d++) {
            for (int h = 0; h < fc1.out(); h++) {
                channels[h * fc1.in() + d] = matrix[d * fc1.out() + h];
            }
        }
        ExpertClustering clustering = ExpertClustering.of(channels, fc1.out(), experts, grouping, random);
        return new Experts(block, clustering.permutation(), clustering.inverse());
    }

    /** The columns of fc1, its bias and the rows of fc2 in the experts' order. */
    Map<String, Tensor> rearranged(Map<String, Tensor> initializers) {
        LinearLayer fc1 = block.fc1();
        LinearLayer fc2 = block.fc2();
        int hidden = order.length;
        float[] first = fc1.weights(initializers);
        float[] reordered = new float[first.length];
        for (int d = 0; d < fc1.in(); d++) {
            gather(first, d * hidden, reordered);
        }
        Map<String, Tensor> result = new HashMap<>();
        result.put(fc1.weight(), fc1.stored(reordered));
        fc1.bias().ifPresent(name -> {
            Tensor bias = initializers.get(name);
            float[] channelsReordered = new float[bias.shape().size()];
            // A file may have a bias for every token.
            for (int start = 0; start < channelsReordered.length; start += hidden) {
                gather(bias.floats(), start, channelsReordered);
            }
            result.put(name, new Tensor(bias.type(), bias.shape(), channelsReordered));
        });
        float[] second = fc2.weights(initializers);
        float[] rows = new float[second.length];
        for (int i = 0; i < hidden; i++) {
            System.arraycopy(second, order[i] * fc2.out(), rows, i * fc2.out(), fc2.out());
        }
        result.put(fc2.weight(), fc2.stored(rows));
        return result;
    }

    private void gather(float[] from, int start, float[] to) {
        for (int i = 0; i < order.length; i++) {
            to[start + i] = from[start + order[i]];
        }
    }
}

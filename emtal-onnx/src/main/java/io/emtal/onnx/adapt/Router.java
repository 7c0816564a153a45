package io.emtal.onnx.adapt;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/**
 * The router of one block, shared by all tasks and without a task's identity: g = softmax(h·W_r / τ) and, with the fade
 * a, ω = (1 − a)·K·g + a, whose mean over the experts is always 1.
 *
 * @param block the block's index
 * @param experts K
 * @param temperature τ
 * @param granularity what gets gates of its own
 * @param balanceLoss the weight of the balance loss; 0 for none
 */
record Router(int block, int experts, double temperature, Emtal.Granularity granularity, double balanceLoss) {

    /**
     * From so many channels an expert on, ω is broadcast over [B, N, K, m]; with fewer it is faster to spread it over
     * [B, N, H], by 11 % of a whole FFN's step at m = 8, by nothing at 16 and 48. What is spread takes memory until
     * the way back.
     */
    private static final int BROADCAST_CHANNELS = 16;

    private String name() {
        return "block" + block + ".router";
    }

    /** Whether a token's gates depend on it alone, and the loss on no means over tokens. */
    boolean isTokenwise() {
        return granularity == Emtal.Granularity.PER_TOKEN && balanceLoss == 0;
    }

    /** W_r [D, K] zero: all gates are equal. */
    Parameter startingAtZero(int width) {
        return parameter(new float[width * experts], width);
    }

    /** W_r [D, K] normally distributed. */
    Parameter starting(int width, RandomGenerator random, double deviation) {
        float[] elements = new float[width * experts];
        for (int i = 0; i < elements.length; i++) {
            elements[i] = (float) (deviation * random.nextGaussian());
        }
        return parameter(elements, width);
    }

    private Parameter parameter(float[] elements, int width) {
        return Parameter.shared(name(), "router", Tensor.of(elements, width, experts), false);
    }

    /**
     * Writes the gate ω ∘ pre, one weight for the m channels of an expert. A graph that is only for a = 1 has none.
     *
     * @param site where
     * @param tokens h, what the layer reads [B, N, D]
     * @param preActivation the layer's output, channels in the experts' order [B, N, H]
     * @return [B, N, H]
     */
    Value gate(Site site, Value tokens, Value preActivation) {
        Value fade = site.fade();
        if (fade == null) {
            return preActivation;
        }
        GraphBuilder graph = site.graph();
        Value logits = graph.matMul(read(graph, tokens), false, site.parameter(name()), false, 1 / temperature);
        Value gates = graph.softmax(logits, -1);
        Value routed = graph.sub(graph.constant(1), fade);
        Value omega = graph.add(graph.mul(gates, graph.mul(routed, experts)), fade);
        report(site, logits, gates, omega);
        if (balanceLoss > 0) {
            checkRows(tokens, "a balance loss");
            site.loss(graph.mul(imbalance(graph, gates), graph.mul(routed, balanceLoss)));
        }
        int hidden = (int) preActivation.extent(-1);
        // A product with zeros and ones spreads ω over the channels exactly.
        return hidden / experts >= BROADCAST_CHANNELS ? broadcast(graph, preActivation, omega)
                : graph.mul(preActivation, graph.matMul(omega, graph.constant(membership(hidden))));
    }

    private Value broadcast(GraphBuilder graph, Value preActivation, Value omega) {
        long[] channels = preActivation.shape().extents();
        int last = channels.length - 1;
        long[] byExpert = Arrays.copyOf(channels, channels.length + 1);
        byExpert[last] = experts;
        byExpert[last + 1] = channels[last] / experts;
        Value gated = graph.mul(graph.reshape(preActivation, byExpert), graph.unsqueeze(omega, omega.rank()));
        return graph.reshape(gated, channels);
    }

    /** Which expert a channel belongs to, as zeros and ones [K, H]. */
    private Tensor membership(int hidden) {
        float[] elements = new float[experts * hidden];
        for (int h = 0; h < hidden; h++) {
            elements[h / (hidden / experts) * hidden + h] = 1;
        }
        return Tensor.of(elements, experts, hidden);
    }

    private Value read(GraphBuilder graph, Value tokens) {
        if (granularity == Emtal.Granularity.PER_TOKEN) {
            return tokens;
        }
        checkRows(tokens, "a router per image");
        return graph.reduceMean(tokens, true, 1);
    }

    private void checkRows(Value tokens, String what) {
        EmtalException.check(tokens.rank() == 3, "block %d: found tokens of shape %s, allowed is [batch, N, D] for %s",
                block, tokens.shape(), what);
    }

    /** How far one row's mean gates are from equal: K·Σ ḡ² − 1, which is 0 if they are [B]. */
    private Value imbalance(GraphBuilder graph, Value gates) {
        Value perRow = graph.reduceMean(gates, false, 1);
        Value squares = graph.reduceSum(graph.mul(perRow, perRow), false, -1);
        return graph.sub(graph.mul(squares, experts), graph.constant(1));
    }

    private void report(Site site, Value logits, Value gates, Value omega) {
        GraphBuilder graph = site.graph();
        long[] axes = gates.rank() == 3 ? new long[] {0, 1} : new long[] {0};
        site.report("gate.block" + block, graph.mul(graph.reduceMean(omega, false, axes), 1.0 / experts));
        if (experts > 1) {
            long[] all = gates.rank() == 3 ? new long[] {0, 1, 2} : new long[] {0, 1};
            Value mean = graph.reduceMean(graph.mul(gates, graph.logSoftmax(logits, -1)), false, all);
            site.report("routerEntropy.block" + block, graph.mul(mean, -experts / Math.log(experts)));
        }
    }
}

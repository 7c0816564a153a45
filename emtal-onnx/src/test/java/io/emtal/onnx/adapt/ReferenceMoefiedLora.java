package io.emtal.onnx.adapt;

import io.emtal.onnx.graph.Tensor;

import java.util.Arrays;
import java.util.Map;

/** MoEfied LoRA in double precision, written from the formulas of the method. */
final class ReferenceMoefiedLora implements ReferenceTransformer.Layers {

    private static final Map<String, String> NAMES = Map.of("attn.qkv", "qkv", "attn.proj", "attention_output",
            "mlp.fc1", "fc1", "mlp.fc2", "fc2");

    private final ReferenceTransformer network;
    private final Map<String, Tensor> values;
    private final int experts;
    private final double temperature;
    private final double fade;

    /**
     * Prepares a forward computation.
     *
     * @param network the network with its channels in the experts' order
     * @param values the parameters' values
     */
    ReferenceMoefiedLora(ReferenceTransformer network, Map<String, Tensor> values, int experts, double temperature,
                         double fade) {
        this.network = network;
        this.values = values;
        this.experts = experts;
        this.temperature = temperature;
        this.fade = fade;
    }

    private double[][] value(String name) {
        Tensor tensor = values.get(name);
        return Matrices.of(tensor.floats(), (int) tensor.shape().extent(0), (int) tensor.shape().extent(1));
    }

    /** ΔW of a layer; per-expert factors are recognised by their shapes. */
    double[][] update(int block, String layer) {
        double[][] a = value("block" + block + "." + NAMES.get(layer) + ".lora.a");
        double[][] b = value("block" + block + "." + NAMES.get(layer) + ".lora.b");
        int in = a.length;
        int out = b[0].length;
        if (a[0].length == b.length) {
            return Matrices.times(a, b);
        }
        double[][] update = new double[in][out];
        boolean byColumns = a[0].length > b.length;
        int rank = Math.min(a[0].length, b.length);
        for (int e = 0; e < experts; e++) {
            double[][] ownA = byColumns ? Matrices.columns(a, e * rank, (e + 1) * rank)
                    : Matrices.rows(a, e * in / experts, (e + 1) * in / experts);
            double[][] ownB = byColumns ? Matrices.columns(b, e * out / experts, (e + 1) * out / experts)
                    : Matrices.rows(b, e * rank, (e + 1) * rank);
            double[][] own = Matrices.times(ownA, ownB);
            for (int i = 0; i < own.length; i++) {
                System.arraycopy(own[i], 0, update[byColumns ? i : e * in / experts + i],
                        byColumns ? e * out / experts : 0, own[i].length);
            }
        }
        return update;
    }

    @Override
    public double[][] apply(int block, String layer, double[][] x) {
        double[][] y = Matrices.plus(network.dense(block, layer, x), Matrices.times(x, update(block, layer)));
        if (!layer.equals("mlp.fc1")) {
            return y;
        }
        double[][] omega = omega(Matrices.times(x, value("block" + block + ".router")));
        for (int n = 0; n < y.length; n++) {
            for (int h = 0; h < y[n].length; h++) {
                y[n][h] *= omega[n][h / (y[n].length / experts)];
            }
        }
        return y;
    }

    private double[][] omega(double[][] logits) {
        return Arrays.stream(logits)
                .map(z -> Arrays.stream(Matrices.softmax(Arrays.stream(z).map(v -> v / temperature).toArray()))
                        .map(g -> (1 - fade) * experts * g + fade).toArray())
                .toArray(double[][]::new);
    }
}

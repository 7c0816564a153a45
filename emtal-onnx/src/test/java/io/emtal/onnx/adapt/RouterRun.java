package io.emtal.onnx.adapt;

import ai.onnxruntime.OrtException;
import io.emtal.onnx.backbone.LinearLayer;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.GraphSession;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;

/** A router on its own, for one token whose logits are given. */
final class RouterRun implements Site {

    private final GraphBuilder graph = new GraphBuilder();
    private final Value fade = graph.input("fade", ElementType.FLOAT);
    private final Map<String, Value> outputs = new LinkedHashMap<>();
    private final float[] logits;

    private RouterRun(float[] logits) {
        this.logits = logits;
    }

    /** The gates ω: what becomes of a pre-activation of ones with one channel an expert. */
    static float[] omega(Router router, float[] logits, double fade) throws OrtException {
        return run(router, logits, fade).get("omega").floats();
    }

    /** The gates as {@code omega}, the reports by name and the balance loss as {@code loss}. */
    static Map<String, Tensor> run(Router router, float[] logits, double fade) throws OrtException {
        return run(router, logits, fade, 1);
    }

    /** As {@link #run(Router, float[], double)}, with a number of channels an expert. */
    static Map<String, Tensor> run(Router router, float[] logits, double fade, int channels) throws OrtException {
        RouterRun site = new RouterRun(logits);
        float[] ones = new float[logits.length * channels];
        Arrays.fill(ones, 1);
        Value token = site.graph.constant(Tensor.of(new float[] {1}, 1, 1, 1));
        Value pre = site.graph.constant(Tensor.of(ones, 1, 1, ones.length));
        site.outputs.put("omega", router.gate(site, token, pre));
        Map<String, Value> outputs = new HashMap<>(site.outputs);
        outputs.forEach(site.graph::output);
        try (GraphSession session = new GraphSession(site.graph.build())) {
            return session.run(Map.of("fade", Tensor.scalar((float) fade)));
        }
    }

    @Override
    public GraphBuilder graph() {
        return graph;
    }

    /** The router's matrix for tokens of width 1 with the value 1: the logits themselves. */
    @Override
    public Value parameter(String name) {
        return graph.constant(Tensor.of(logits, 1, logits.length));
    }

    @Override
    public Value dense(LinearLayer layer, Value input) {
        throw new UnsupportedOperationException();
    }

    @Override
    public Value fade() {
        return fade;
    }

    @Override
    public void report(String name, Value value) {
        outputs.put(name, value);
    }

    @Override
    public void loss(Value perRow) {
        outputs.put("loss", perRow);
    }
}

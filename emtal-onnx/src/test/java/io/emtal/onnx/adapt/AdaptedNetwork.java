package io.emtal.onnx.adapt;

import ai.onnxruntime.OrtException;
import io.emtal.onnx.autodiff.Gradients;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.LinearLayer;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.GraphSession;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/** A backbone and its adaptation written into one graph for a fixed number of rows; its parameters are inputs. */
final class AdaptedNetwork implements Site {

    static final String RESULT = "result";

    private static final String GRADIENT = "gradient.";

    private final GraphBuilder builder = new GraphBuilder();
    private final Map<String, Value> bindings = new HashMap<>();
    private final Map<String, Value> parameters = new LinkedHashMap<>();
    private final Map<String, Value> reports = new LinkedHashMap<>();
    private final List<Value> losses = new ArrayList<>();
    private final Value fade;
    private final Value pooled;

    private AdaptedNetwork(Backbone backbone, Adaptation adaptation, int rows, boolean gated) {
        Value input = builder.input(backbone.input().name(), ElementType.FLOAT,
                backbone.input().shape().withBatch(rows).extents());
        bindings.put(input.name(), input);
        fade = gated ? builder.input("fade", ElementType.FLOAT) : null;
        Map<String, Tensor> initializers = new LinkedHashMap<>(backbone.graph().initializers());
        initializers.putAll(adaptation.rearranged());
        for (Parameter p : adaptation.parameters()) {
            parameters.put(p.name(), builder.input(p.name(), ElementType.FLOAT, p.initial().shape().extents()));
            if (initializers.remove(p.name()) != null) {
                bindings.put(p.name(), parameters.get(p.name()));
            }
        }
        initializers.forEach((name, tensor) -> bindings.put(name, builder.initializer(name, tensor)));
        Map<String, Value> inputs = new HashMap<>();
        pooled = builder.inline(backbone.graph(), bindings, (node, here) -> {
            String name = node.output().name();
            LinearLayer done = null;
            for (LinearLayer layer : backbone.layers().toList()) {
                if (layer.product().equals(name)) {
                    inputs.put(layer.product(), here.apply(node.input(0)));
                }
                done = layer.result().equals(name) ? layer : done;
            }
            return done == null ? null : adaptation.linear(this, done, inputs.get(done.product()));
        }).apply(backbone.graph().outputs().get(0));
    }

    /** Values of all parameters that are not where they start. */
    static Map<String, Tensor> trained(Adaptation adaptation, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Map<String, Tensor> values = new HashMap<>();
        for (Parameter p : adaptation.parameters()) {
            float[] elements = p.initial().floats().clone();
            double deviation = p.part().equals("router") ? 2 : 0.1;
            for (int i = 0; i < elements.length; i++) {
                elements[i] += (float) (deviation * random.nextGaussian());
            }
            values.put(p.name(), new Tensor(ElementType.FLOAT, p.initial().shape(), elements));
        }
        return values;
    }

    /** Values of all parameters at the start. */
    static Map<String, Tensor> initial(Adaptation adaptation) {
        Map<String, Tensor> values = new HashMap<>();
        adaptation.parameters().forEach(p -> values.put(p.name(), p.initial()));
        return values;
    }

    /** The pooled representation, named {@link #RESULT}, and all reports; without gates if the fade is {@code null}. */
    static Map<String, Tensor> run(Backbone backbone, Adaptation adaptation, Map<String, Tensor> values, Double fade,
                                   Tensor rows) throws OrtException {
        var network = new AdaptedNetwork(backbone, adaptation, (int) rows.shape().extent(0), fade != null);
        network.builder.output(RESULT, network.pooled);
        network.reports.forEach(network.builder::output);
        for (int i = 0; i < network.losses.size(); i++) {
            network.builder.output("loss" + i, network.losses.get(i));
        }
        return run(network.builder.build(), values, backbone, fade, rows);
    }

    /** The gradients, by parameter, of a fixed random projection of the pooled representation and the added losses. */
    static Map<String, Tensor> gradients(Backbone backbone, Adaptation adaptation, Map<String, Tensor> values,
                                         double fade, Tensor rows) throws OrtException {
        int count = (int) rows.shape().extent(0);
        var network = new AdaptedNetwork(backbone, adaptation, count, true);
        GraphBuilder graph = network.builder;
        float[] weights = new float[count * backbone.pooledWidth()];
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) random.nextGaussian();
        }
        Value projection = graph.constant(Tensor.of(weights, count, backbone.pooledWidth()));
        Value loss = graph.reduceSum(graph.mul(network.pooled, projection), false);
        for (Value extra : network.losses) {
            loss = graph.add(loss, graph.reduceMean(extra, false, 0));
        }
        List<String> names = List.copyOf(network.parameters.keySet());
        List<Value> gradients = Gradients.of(graph, loss, List.copyOf(network.parameters.values()));
        for (int i = 0; i < names.size(); i++) {
            graph.output(GRADIENT + names.get(i), gradients.get(i));
        }
        Map<String, Tensor> byName = new HashMap<>();
        run(graph.build(), values, backbone, fade, rows)
                .forEach((name, tensor) -> byName.put(name.substring(GRADIENT.length()), tensor));
        return byName;
    }

    /** The pooled representation of a backbone on its own. */
    static Tensor run(Backbone backbone, Tensor rows) throws OrtException {
        try (GraphSession session = new GraphSession(backbone.graph())) {
            return session.run(Map.of(backbone.input().name(), rows)).get(backbone.graph().outputs().get(0).name());
        }
    }

    private static Map<String, Tensor> run(Graph graph, Map<String, Tensor> values, Backbone backbone, Double fade,
                                           Tensor rows) throws OrtException {
        Map<String, Tensor> inputs = new HashMap<>(values);
        inputs.put(backbone.input().name(), rows);
        if (fade != null) {
            inputs.put("fade", Tensor.scalar(fade.floatValue()));
        }
        try (GraphSession session = new GraphSession(graph)) {
            return session.run(inputs);
        }
    }

    @Override
    public GraphBuilder graph() {
        return builder;
    }

    @Override
    public Value parameter(String name) {
        return parameters.get(name);
    }

    @Override
    public Value dense(LinearLayer layer, Value input) {
        Value product = builder.matMul(input, false, bindings.get(layer.weight()), layer.transposed(), 1);
        return layer.bias().map(bias -> builder.add(product, bindings.get(bias))).orElse(product);
    }

    @Override
    public Value fade() {
        return fade;
    }

    @Override
    public void report(String name, Value value) {
        reports.put(name, value);
    }

    @Override
    public void loss(Value perRow) {
        losses.add(perRow);
    }
}

package io.emtal.onnx.train;

import io.emtal.onnx.adapt.HeadsOnly;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.task.BatchLabels;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.Heads;
import io.emtal.onnx.task.QualityRetaining;
import io.emtal.onnx.task.TaskLayout;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.channels.Channels;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A state of a few numbers that depends on nothing but itself, after steps whose gradients are written here. */
final class PhaseStateFixture {

    private static final Recipe RECIPE = Recipe.builder().averageDecay(0.5).build();

    private final NetworkCompiler compiler;

    PhaseStateFixture() {
        GraphBuilder graph = new GraphBuilder();
        graph.output("pooled", graph.neg(graph.input("x", ElementType.FLOAT, Shape.BATCH, 2)));
        Backbone backbone = new Backbone(graph.build(), List.of(), Set.of());
        TaskLayout tasks = new TaskLayout(List.of(new CategoricalTask("c", 2, 1), new BinaryTask("b")));
        Heads heads = new Heads(tasks, 2, 1);
        compiler = new NetworkCompiler(backbone, new HeadsOnly().adapt(backbone, 0), heads, heads.parameters(1), tasks,
                RECIPE.losses(), QualityRetaining.builder().build());
    }

    NetworkCompiler compiler() {
        return compiler;
    }

    /** The state before the first step. */
    PhaseState start() {
        return new PhaseState(Phase.ADAPT, compiler, RECIPE, 4, Optional.empty());
    }

    /** The state after some steps. */
    PhaseState after(int steps) {
        PhaseState state = start();
        state.begin(new double[] {0.75, Double.NaN});
        BatchLabels labels = new BatchLabels(compiler.tasks(), new float[] {1, 0, 0, Float.NaN});
        for (int step = 0; step < steps; step++) {
            float[] gradient = new float[state.values().length];
            for (int i = 0; i < gradient.length; i++) {
                gradient[i] = (i - 4) * 0.125f + step;
            }
            state.step(gradient, 0.01, true);
            double[] losses = {0.5 / (step + 1), 0.25};
            state.retaining().orElseThrow().record(labels, new int[] {0, 1}, new float[] {step, 1, 2, 3, 4, 5}, losses);
            state.add(labels, losses, Map.of("gate.0", new double[] {0.5, 1.5}), 0.5, 0.25);
        }
        return state;
    }

    /** The state after some steps, written. */
    byte[] bytes(int steps) throws IOException {
        return bytes(after(steps));
    }

    static byte[] bytes(PhaseState state) throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        StateOutput output = new StateOutput(Channels.newChannel(bytes));
        state.write(output);
        output.finish();
        return bytes.toByteArray();
    }
}

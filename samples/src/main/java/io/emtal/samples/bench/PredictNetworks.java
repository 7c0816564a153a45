package io.emtal.samples.bench;

import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.OnnxFile;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.predict.Optimise;
import io.emtal.onnx.task.Heads;
import io.emtal.onnx.train.TrainingStep;
import java.nio.FloatBuffer;
import java.util.Map;

/**
 * One network before, during and after its training, ready to predict.
 *
 * @param network the network
 * @param step its training
 */
record PredictNetworks(BenchNetwork network, TrainingStep step) {
    /** The backbone before training, with heads. */
    PredictRun original(int batch, int threads) {
        return open(network.backbone(), Optimise.PORTABLE, batch, threads);
    }

    /** What the training comes to. */
    PredictRun dense(int batch, int threads) {
        return open(merged(), Optimise.PORTABLE, batch, threads);
    }

    /** What the training comes to, rewritten for speed. */
    PredictRun fused(int batch, int threads) {
        return open(merged(), Optimise.FUSED, batch, threads);
    }

    private Backbone merged() {
        return network.adaptation().merge(network.backbone(), step.values()::get, 1);
    }

    /** The network in training, with routers. */
    PredictRun gated(int batch, int threads) {
        Graph graph = step.forward(batch, true);
        PredictRun run = new PredictRun(OnnxFile.toModel(graph, "gated").toByteArray(), threads);
        Map<String, Tensor> values = step.values();
        for (Value input : graph.inputs()) {
            if (values.containsKey(input.name())) {
                run.with(input.name(), FloatBuffer.wrap(values.get(input.name()).floats()), input.shape().extents());
            } else if (input.rank() == 0) {
                run.with(input.name(), FloatBuffer.wrap(new float[] {(float) network.mode().fade()}));
            } else {
                run.with(input.name(), rows(batch), input.shape().extents());
            }
        }
        return run;
    }

    private PredictRun open(Backbone backbone, Optimise form, int batch, int threads) {
        Heads heads = new Heads(network.tasks(), backbone.pooledWidth(), backbone.members());
        Map<String, Tensor> values = step.values();
        GraphBuilder graph = new GraphBuilder();
        Value input = graph.input(backbone.input().name(), ElementType.FLOAT, backbone.input().shape().extents());
        Value pooled = graph.inline(backbone.graph(), Map.of(input.name(), input), GraphBuilder.Replacement.NONE)
                .apply(backbone.graph().outputs().get(0));
        graph.output("output", heads.outputs(graph, heads.logits(graph, pooled, name ->
                graph.initializer(name, values.get(name)))));
        return new PredictRun(form.apply(OnnxFile.toModel(graph.build(), "dense")).toByteArray(), threads)
                .with(input.name(), rows(batch), batch, network.examples().width());
    }

    private FloatBuffer rows(int batch) {
        FloatBuffer rows = FloatBuffer.allocate(batch * network.examples().width());
        for (int row = 0; row < batch; row++) {
            network.examples().inputs(row, rows);
        }
        return rows.flip();
    }
}

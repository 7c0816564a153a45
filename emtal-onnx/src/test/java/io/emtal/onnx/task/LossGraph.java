package io.emtal.onnx.task;

import io.emtal.onnx.autodiff.Gradients;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Value;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A loss of logits and its gradient, by ONNX Runtime: the loss of {@link Losses} or of {@link QualityRetaining}. */
record LossGraph(float loss, float[] gradient) {

    static LossGraph of(Losses losses, BatchLabels labels, float[] logits) {
        float[] targets = new float[logits.length];
        float[] weights = new float[logits.length];
        losses.fill(labels, targets, weights);
        return of(losses, labels.layout(), logits, targets, weights);
    }

    static LossGraph of(Losses losses, TaskLayout layout, float[] logits, float[] targets, float[] weights) {
        return run(layout, logits, targets, weights, (graph, z, y, w) -> losses.loss(graph, layout, z, y, w));
    }

    static LossGraph of(QualityRetaining settings, TaskLayout layout, float[] logits, float[] teacher,
            float[] teacherWeight) {
        return run(layout, logits, teacher, teacherWeight, (graph, z, p, v) -> settings.loss(graph, layout, z, p, v));
    }

    private interface Form {
        Value write(GraphBuilder graph, Value z, Value a, Value b);
    }

    private static LossGraph run(TaskLayout layout, float[] logits, float[] a, float[] b, Form form) {
        int width = layout.columns();
        int rows = logits.length / width;
        GraphBuilder builder = new GraphBuilder();
        Value z = builder.input("logits", ElementType.FLOAT, rows, width);
        Value first = builder.input("a", ElementType.FLOAT, rows, width);
        Value second = builder.input("b", ElementType.FLOAT, rows, width);
        Value loss = form.write(builder, z, first, second);
        builder.output("loss", loss);
        builder.output("gradient", Gradients.of(builder, loss, List.of(z)).get(0));
        Graph graph = builder.build();
        Map<String, float[]> feeds = new HashMap<>(Map.of("logits", logits, "a", a, "b", b));
        Map<String, float[]> outputs = GraphRun.run(graph, feeds);
        return new LossGraph(outputs.get("loss")[0], outputs.get("gradient"));
    }
}

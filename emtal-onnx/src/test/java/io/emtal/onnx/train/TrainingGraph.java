package io.emtal.onnx.train;

import ai.onnxruntime.OrtException;
import io.emtal.onnx.adapt.Adaptation;
import io.emtal.onnx.adapt.AdaptationMethod;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.GraphSession;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.Heads;
import io.emtal.onnx.task.Losses;
import io.emtal.onnx.task.QualityRetaining;
import io.emtal.onnx.task.TaskLayout;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;

/**
 * The compiled training step of a backbone, an adaptation method and one softmax head, for tests of other packages:
 * logits, loss and gradients wherever the parameters are.
 */
public final class TrainingGraph implements AutoCloseable {

    private static final String TASK = "class";

    private final List<Parameter> trained;
    private final Adaptation adaptation;
    private final String input;
    private final GraphSession session;
    private final GraphSession logits;
    private final Tensor targets;
    private final Tensor weights;
    private final int rows;
    private final int classes;

    /**
     * Compiles the step.
     *
     * @param backbone the backbone
     * @param method the method, without the distillation of earlier logits
     * @param headWeight [pooled width, classes], where the head starts
     * @param headBias [classes]
     * @param rows the number of rows; each is labelled, at random
     * @param seed decides where the parameters start, and labels and weights of the rows
     */
    public TrainingGraph(Backbone backbone, AdaptationMethod method, float[] headWeight, float[] headBias, int rows,
                         long seed) throws OrtException {
        classes = headBias.length;
        this.rows = rows;
        input = backbone.input().name();
        TaskLayout tasks = new TaskLayout(List.of(new CategoricalTask(TASK, classes)));
        Heads heads = new Heads(tasks, backbone.pooledWidth());
        List<Parameter> fresh = heads.parameters(seed);
        List<Parameter> head = List.of(fresh.get(0).startingAt(Tensor.of(headWeight, backbone.pooledWidth(), classes)),
                fresh.get(1).startingAt(Tensor.of(headBias, classes)));
        adaptation = method.adapt(backbone, seed);
        NetworkCompiler.Step step = new NetworkCompiler(backbone, adaptation, heads, head, tasks,
                Losses.builder().build(), QualityRetaining.off()).step(rows, true, false);
        trained = step.trained();
        session = new GraphSession(step.graph());
        logits = new GraphSession(forward(step.graph()));
        SplittableRandom random = new SplittableRandom(seed);
        float[] y = new float[rows * classes];
        float[] w = new float[rows * classes];
        for (int row = 0; row < rows; row++) {
            y[row * classes + random.nextInt(classes)] = 1;
            double weight = random.nextDouble(0.2, 1) / rows;
            for (int c = 0; c < classes; c++) {
                w[row * classes + c] = (float) weight;
            }
        }
        targets = Tensor.of(y, rows, classes);
        weights = Tensor.of(w, rows, classes);
    }

    /** The part of the step's graph that gives logits. */
    private static Graph forward(Graph step) {
        GraphBuilder builder = new GraphBuilder();
        Map<String, Value> inputs = new HashMap<>();
        step.inputs().forEach(v -> inputs.put(v.name(), builder.input(v.name(), v.type(), v.shape().extents())));
        var lookUp = builder.inline(step, inputs, GraphBuilder.Replacement.NONE);
        step.outputs().stream().filter(v -> v.name().equals(NetworkCompiler.LOGITS))
                .forEach(v -> builder.output(lookUp.apply(v)));
        return builder.build();
    }

    /** What is trained, heads last. */
    public List<Parameter> parameters() {
        return trained;
    }

    /** The fade at the start of a training. */
    public double firstFade() {
        return adaptation.fade(0);
    }

    /** Where the parameters start. */
    public Map<String, Tensor> initial() {
        Map<String, Tensor> values = new HashMap<>();
        trained.forEach(p -> values.put(p.name(), p.initial()));
        return values;
    }

    /** The loss alone. */
    public double loss(Tensor inputs, Map<String, Tensor> values, double fade) {
        try {
            return loss(outputs(logits, inputs, values, fade).get(NetworkCompiler.LOGITS).floats());
        } catch (OrtException e) {
            throw new AssertionError(e);
        }
    }

    /** What a step gives; the loss of the adaptation itself is left out. */
    public Step run(Tensor inputs, Map<String, Tensor> values, double fade) throws OrtException {
        Map<String, Tensor> found = outputs(session, inputs, values, fade);
        Map<String, float[]> gradients = new HashMap<>();
        for (Parameter p : trained) {
            gradients.put(p.name(), found.get(NetworkCompiler.gradientName(p.name())).floats());
        }
        float[] logits = found.get(NetworkCompiler.LOGITS).floats();
        return new Step(logits, gradients);
    }

    private Map<String, Tensor> outputs(GraphSession session, Tensor inputs, Map<String, Tensor> values, double fade)
            throws OrtException {
        Map<String, Tensor> fed = new HashMap<>(values);
        fed.put(input, inputs);
        fed.put(NetworkCompiler.TARGETS, targets);
        fed.put(NetworkCompiler.WEIGHTS, weights);
        fed.put(NetworkCompiler.FADE, Tensor.scalar((float) fade));
        fed.put(NetworkCompiler.SHARES, Tensor.of(new float[rows], rows));
        return session.run(fed);
    }

    /**
     * The results of a step.
     *
     * @param logits [rows, classes], row after row
     * @param gradients by parameter
     */
    public record Step(float[] logits, Map<String, float[]> gradients) {
    }

    /** Computed from the logits, not by the graph. */
    private double loss(float[] logits) {
        double loss = 0;
        for (int row = 0; row < rows; row++) {
            double sum = 0;
            double target = 0;
            for (int c = row * classes; c < (row + 1) * classes; c++) {
                sum += Math.exp(logits[c]);
                target += targets.real(c) * logits[c];
            }
            loss += weights.real(row * classes) * (Math.log(sum) - target);
        }
        return loss;
    }

    /** A tensor moved along a direction. */
    public static Tensor moved(Tensor from, double[] direction, double distance) {
        float[] elements = from.floats().clone();
        for (int i = 0; i < elements.length; i++) {
            elements[i] += (float) (distance * direction[i]);
        }
        return Tensor.of(elements, from.shape().extents());
    }

    @Override
    public void close() throws OrtException {
        session.close();
        logits.close();
    }
}

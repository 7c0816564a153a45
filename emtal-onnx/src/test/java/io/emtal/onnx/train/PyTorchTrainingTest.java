package io.emtal.onnx.train;

import ai.djl.ndarray.NDArray;
import io.emtal.onnx.adapt.Adaptation;
import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.autodiff.PyTorch;
import io.emtal.onnx.autodiff.PyTorchGraph;
import io.emtal.onnx.backbone.Backbone;
import io.emtal.onnx.backbone.FeatureTransformer;
import io.emtal.onnx.data.FeatureColumn;
import io.emtal.onnx.data.FeatureLayout;
import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.CategoricalTask;
import io.emtal.onnx.task.Heads;
import io.emtal.onnx.task.Losses;
import io.emtal.onnx.task.RealTask;
import io.emtal.onnx.task.RetainingState;
import io.emtal.onnx.task.TaskLayout;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.stream.IntStream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * The training of a whole MoEfied network, with micro-batches, workers, router, fade and Quality Retaining, against the
 * same network differentiated by PyTorch and an AdamW of our own in double precision.
 */
@Tag("long")
class PyTorchTrainingTest {

    private static final int FEATURES = 12;
    private static final int ROWS = 40;
    private static final int STEPS = 20;
    private static final double RATE = 1e-3;

    private final long seed = System.nanoTime();
    private final TaskLayout tasks = new TaskLayout(List.of(new CategoricalTask("kind", 4, 1),
            new BinaryTask("flag", 0.5), new RealTask("size", 0, 1, 2)));
    private final PackedExamples examples = examples();
    private final Emtal method = Emtal.builder().experts(8).rank(3).start(Emtal.Start.RELEASE).build();
    private final NetworkCompiler compiler = compiler();

    @Test
    void lossesAndGradients() throws Exception {
        List<Parameter> parameters = compiler.parameters();
        float[] ours = ParameterBuffer.initial(parameters);
        double[] theirs = IntStream.range(0, ours.length).mapToDouble(i -> ours[i]).toArray();
        AdamW optimizer = new AdamW();
        AdamW.State state = optimizer.start(parameters);
        ReferenceAdamW reference = new ReferenceAdamW(parameters);
        RetainingState ourBank = method.qualityRetaining().start(tasks, examples.size());
        RetainingState theirBank = method.qualityRetaining().start(tasks, examples.size());
        Graph forward = loss();
        float[] gradient = new float[ours.length];
        int[] rows = IntStream.range(0, ROWS).toArray();
        ExecutorService threads = Executors.newSingleThreadExecutor();
        try (ParameterBuffer buffer = new ParameterBuffer(parameters, "");
             StepExecutor executor = new StepExecutor(compiler, true, false, 16, 2, threads, buffer)) {
            for (int step = 1; step <= STEPS; step++) {
                double fade = 0.5 * step / STEPS;
                Batch batch = batch(rows, ourBank, 16);
                buffer.set(ours);
                executor.run(batch, fade, gradient);
                double[] ourLosses = compiler.losses().means(batch.labels(), batch.logits());

                Batch whole = batch(rows, theirBank, ROWS);
                PyTorch.Step torch = torch(forward, parameters, theirs, whole, fade);
                double[] theirLosses = compiler.losses().means(whole.labels(), whole.logits());
                for (int t = 0; t < tasks.size(); t++) {
                    assertEquals(theirLosses[t], ourLosses[t], 1e-5 * theirLosses[t],
                            "step " + step + ", task " + t + ", seed " + seed);
                }
                double[] theirGradient = flat(parameters, torch.gradients());
                if (step == 1) {
                    assertGradients(parameters, gradient, theirGradient);
                }
                ourBank.record(batch.labels(), rows, batch.logits(), ourLosses);
                theirBank.record(whole.labels(), rows, whole.logits(), theirLosses);
                state.step(ours, gradient, RATE);
                reference.step(theirs, theirGradient);
            }
        } finally {
            threads.shutdown();
        }
    }

    private void assertGradients(List<Parameter> parameters, float[] found, double[] expected) {
        int start = 0;
        for (Parameter parameter : parameters) {
            double squares = 0;
            double whole = 0;
            for (int i = start; i < start + parameter.size(); i++) {
                squares += (found[i] - expected[i]) * (found[i] - expected[i]);
                whole += expected[i] * expected[i];
            }
            double distance = Math.sqrt(squares / whole);
            assertTrue(whole > 0 && distance < 1e-4,
                    parameter.name() + ": relative distance " + distance + ", seed " + seed);
            start += parameter.size();
        }
    }

    private Batch batch(int[] rows, RetainingState bank, int microBatch) {
        Batch batch = Batch.of(tasks, examples, rows, new Batch.Noise(seed, 0, 0),
                HeldOut.of(examples, rows, 0, 0, compiler.heads().memberWeights()), microBatch);
        batch.fill(compiler.losses());
        bank.teach(batch.labels(), rows, batch.teacher(), batch.teacherWeight());
        return batch;
    }

    /** Fills the batch's logits. */
    private PyTorch.Step torch(Graph forward, List<Parameter> parameters, double[] values, Batch batch, double fade) {
        Map<String, Tensor> trained = new LinkedHashMap<>();
        int start = 0;
        for (Parameter parameter : parameters) {
            trained.put(parameter.name(), new Tensor(ElementType.DOUBLE, parameter.initial().shape(),
                    Arrays.copyOfRange(values, start, start + parameter.size())));
            start += parameter.size();
        }
        FloatBuffer inputs = FloatBuffer.allocate(ROWS * FEATURES);
        for (int row : batch.rows()) {
            examples.inputs(row, inputs);
        }
        Map<String, Tensor> fed = new HashMap<>();
        fed.put(compiler.backbone().input().name(), new Tensor(ElementType.FLOAT,
                compiler.backbone().input().shape().withBatch(ROWS), inputs.array()));
        fed.put(NetworkCompiler.FADE, Tensor.scalar((float) fade));
        long columns = tasks.columns();
        fed.put(NetworkCompiler.TARGETS, Tensor.of(batch.targets(), ROWS, columns));
        fed.put(NetworkCompiler.WEIGHTS, Tensor.of(batch.weights(), ROWS, columns));
        fed.put(NetworkCompiler.TEACHER, Tensor.of(batch.teacher(), ROWS, columns));
        fed.put(NetworkCompiler.TEACHER_WEIGHT, Tensor.of(batch.teacherWeight(), ROWS, columns));
        return PyTorch.step(trained, fed, torch -> {
            Map<String, NDArray> outputs = PyTorchGraph.outputs(torch, forward);
            double[] logits = outputs.get(NetworkCompiler.LOGITS).toDoubleArray();
            for (int i = 0; i < logits.length; i++) {
                batch.logits()[i] = (float) logits[i];
            }
            return outputs.get("loss");
        });
    }

    /** The network for the whole batch, with the loss as an output. */
    private Graph loss() {
        Graph step = compiler.step(ROWS, true, false).graph();
        GraphBuilder b = new GraphBuilder();
        Map<String, Value> inputs = new HashMap<>();
        step.inputs().forEach(v -> inputs.put(v.name(), b.input(v.name(), v.type(), v.shape().extents())));
        Value logits = b.inline(step, inputs, GraphBuilder.Replacement.NONE).apply(step.outputs().get(0));
        b.output(logits);
        Value supervised = compiler.losses().loss(b, tasks, logits, inputs.get(NetworkCompiler.TARGETS),
                inputs.get(NetworkCompiler.WEIGHTS));
        Value retaining = compiler.qualityRetaining().loss(b, tasks, logits, inputs.get(NetworkCompiler.TEACHER),
                inputs.get(NetworkCompiler.TEACHER_WEIGHT));
        b.output("loss", b.add(supervised, retaining));
        return b.build();
    }

    private static double[] flat(List<Parameter> parameters, Map<String, double[]> tensors) {
        return parameters.stream().flatMapToDouble(p -> Arrays.stream(tensors.get(p.name()))).toArray();
    }

    private NetworkCompiler compiler() {
        List<FeatureColumn> columns = new ArrayList<>();
        IntStream.range(0, FEATURES).forEach(i ->
                columns.add(new FeatureColumn("f" + i, FeatureColumn.Kind.NUMERIC, i, 1)));
        Backbone backbone = FeatureTransformer.builder().width(32).depth(2).hidden(64).build()
                .create(new FeatureLayout(columns), tasks, examples, seed);
        Adaptation adaptation = method.adapt(backbone, seed);
        Heads heads = new Heads(tasks, backbone.pooledWidth());
        return new NetworkCompiler(backbone, adaptation, heads, heads.parameters(seed), tasks, new Losses(),
                method.qualityRetaining());
    }

    private PackedExamples examples() {
        Random random = new Random(seed);
        return PackedExamples.pack(ROWS, FEATURES, tasks.size(), (row, inputs, labels) -> {
            for (int i = 0; i < FEATURES; i++) {
                inputs[i] = random.nextInt(10) == 0 ? Float.NaN : (float) random.nextGaussian();
            }
            labels[0] = random.nextInt(4);
            labels[1] = random.nextInt(3) == 0 ? Float.NaN : random.nextInt(2);
            labels[2] = (float) random.nextGaussian();
        });
    }

    /** AdamW with its defaults as its paper writes it, with clipping to norm 1. */
    private static final class ReferenceAdamW {

        private final List<Parameter> parameters;
        private final double[] first;
        private final double[] second;
        private int steps;

        private ReferenceAdamW(List<Parameter> parameters) {
            this.parameters = parameters;
            int size = parameters.stream().mapToInt(Parameter::size).sum();
            first = new double[size];
            second = new double[size];
        }

        private void step(double[] values, double[] gradient) {
            steps++;
            double norm = Math.sqrt(Arrays.stream(gradient).map(g -> g * g).sum());
            int start = 0;
            for (Parameter parameter : parameters) {
                for (int i = start; i < start + parameter.size(); i++) {
                    double g = gradient[i] / Math.max(1, norm);
                    first[i] = 0.9 * first[i] + 0.1 * g;
                    second[i] = 0.999 * second[i] + 0.001 * g * g;
                    double m = first[i] / (1 - Math.pow(0.9, steps));
                    double v = second[i] / (1 - Math.pow(0.999, steps));
                    values[i] -= RATE * (m / (Math.sqrt(v) + 1e-8) + (parameter.decay() ? 0.05 * values[i] : 0));
                }
                start += parameter.size();
            }
        }
    }
}

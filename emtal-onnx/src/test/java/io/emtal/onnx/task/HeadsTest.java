package io.emtal.onnx.task;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Parameter;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class HeadsTest {

    @Test
    void parametersBelongToTheirTasks() {
        Heads heads = new Heads(new TaskLayout(List.of(new CategoricalTask("a", 3), new BinaryTask("b"))), 5);
        List<Parameter> parameters = heads.parameters(1);
        assertEquals(List.of("head.a.weight", "head.a.bias", "head.b.weight", "head.b.bias"),
                parameters.stream().map(Parameter::name).toList());
        assertEquals((3 + 1) * (5 + 1), parameters.stream().mapToInt(Parameter::size).sum());
        assertEquals(Optional.of("b"), parameters.get(2).task());
        assertEquals(Shape.of(5, 3), parameters.get(0).initial().shape());
        assertEquals(parameters, heads.parameters(1));
    }

    @Test
    void logitsAndOutputsFollowTheirFormulas() {
        for (long seed = 0; seed < 20; seed++) {
            RandomTasks tasks = RandomTasks.of(seed);
            TaskLayout layout = tasks.layout();
            float[] pooled = gaussian(tasks.labels().rows() * 4, seed);
            Map<String, float[]> results = run(layout, pooled, seed);
            float[] logits = results.get("logits");
            float[] outputs = results.get("output");
            int width = layout.columns();
            List<Parameter> parameters = new Heads(layout, 4).parameters(seed);
            for (int row = 0; row < tasks.labels().rows(); row++) {
                for (int t = 0; t < layout.size(); t++) {
                    double sum = 0;
                    for (int c = 0; c < layout.width(t); c++) {
                        double logit = 0;
                        for (int d = 0; d < 4; d++) {
                            logit += pooled[row * 4 + d]
                                    * parameters.get(2 * t).initial().floats()[d * layout.width(t) + c];
                        }
                        int at = row * width + layout.offset(t) + c;
                        assertEquals(logit, logits[at], 1e-5, "seed " + seed);
                        sum += outputs[at];
                        if (layout.task(t) instanceof BinaryTask) {
                            assertEquals(1 / (1 + Math.exp(-logit)), outputs[at], 1e-5, "seed " + seed);
                        } else if (layout.task(t) instanceof RealTask real) {
                            assertEquals(real.restore(logit), outputs[at], 1e-5, "seed " + seed);
                        } else if (c > 0) {
                            assertEquals(Math.exp(logit - logits[at - 1]), outputs[at] / outputs[at - 1], 1e-4,
                                    "seed " + seed);
                        }
                    }
                    if (layout.task(t) instanceof CategoricalTask) {
                        assertEquals(1, sum, 1e-5, "seed " + seed);
                    }
                }
            }
        }
    }

    @Test
    void permutingTasksPermutesTheOutputs() {
        for (long seed = 0; seed < 20; seed++) {
            TaskLayout layout = RandomTasks.of(seed).layout();
            List<Task> shuffled = new ArrayList<>(layout.tasks());
            Collections.shuffle(shuffled, new Random(seed));
            TaskLayout other = new TaskLayout(shuffled, layout.headScope());
            float[] pooled = gaussian(3 * 4, seed);
            float[] outputs = run(layout, pooled, seed).get("output");
            float[] permuted = run(other, pooled, seed).get("output");
            for (int t = 0; t < layout.size(); t++) {
                int to = shuffled.indexOf(layout.task(t));
                for (int row = 0; row < 3; row++) {
                    int from = row * layout.columns();
                    assertArrayEquals(slice(outputs, from + layout.offset(t), layout.width(t)),
                            slice(permuted, from + other.offset(to), layout.width(t)), 1e-6f, "seed " + seed);
                }
            }
        }
    }

    /** An ensemble's logits are the mean of its members', each with the weights that are its own. */
    @Test
    void membersHaveHeadsOfTheirOwn() {
        assertMean(new TaskLayout(List.of(new CategoricalTask("a", 3), new BinaryTask("b"))));
    }

    /** Where kinds are mixed, members for one of them count more in its mean. */
    @Test
    void membersForOneKindCountMore() {
        assertMean(new TaskLayout(List.of(new CategoricalTask("a", 3), new RealTask("b", 0, 1, 1))));
    }

    private static void assertMean(TaskLayout layout) {
        int rows = 2;
        int members = 5;
        int width = 4;
        for (long seed = 0; seed < 20; seed++) {
            Heads heads = new Heads(layout, width, members);
            GraphBuilder graph = new GraphBuilder();
            Value input = graph.input("pooled", ElementType.FLOAT, Shape.BATCH, members, width);
            Map<String, float[]> parameters = new HashMap<>();
            Map<String, Value> values = new HashMap<>();
            long biasSeed = ~seed;
            heads.parameters(seed).forEach(p -> {
                parameters.put(p.name(), p.name().endsWith("bias") ? gaussian(p.size(), biasSeed) : p.initial().floats());
                values.put(p.name(), graph.initializer(p.name(), new Tensor(ElementType.FLOAT, p.initial().shape(),
                        parameters.get(p.name()))));
            });
            graph.output("logits", heads.logits(graph, input, values::get));
            Value memberLogits = heads.memberLogits(graph, input, heads.weights(graph, values::get));
            graph.output("members", memberLogits);
            graph.output("mean", heads.mean(graph, memberLogits));
            MemberWeights counts = heads.memberWeights();
            float[] pooled = gaussian(rows * members * width, seed);
            Map<String, float[]> outputs = GraphRun.run(graph.build(), Map.of("pooled", pooled));
            for (int row = 0; row < rows; row++) {
                for (int c = 0; c < layout.columns(); c++) {
                    String task = c < 3 ? "a" : "b";
                    int of = c < 3 ? 3 : 1;
                    double mean = 0;
                    for (int m = 0; m < members; m++) {
                        double logit = parameters.get("head." + task + ".bias")[m * of + c % 3];
                        for (int d = 0; d < width; d++) {
                            logit += pooled[(row * members + m) * width + d]
                                    * parameters.get("head." + task + ".weight")[(m * width + d) * of + c % 3];
                        }
                        assertEquals(logit, outputs.get("members")[(m * rows + row) * layout.columns() + c], 1e-4,
                                "seed " + seed);
                        mean += counts.of(m, c) * logit / members;
                    }
                    assertEquals(mean, outputs.get("logits")[row * layout.columns() + c], 1e-4, "seed " + seed);
                    assertEquals(mean, outputs.get("mean")[row * layout.columns() + c], 1e-4, "seed " + seed);
                }
            }
        }
    }

    /** However wide neighbouring tasks are, one vector of all parameters gives the same weights as one by one. */
    @ParameterizedTest
    @ValueSource(ints = {1, 3})
    void oneVectorHoldsAllHeads(int members) {
        TaskLayout layout = new TaskLayout(List.of(new BinaryTask("a"), new BinaryTask("b"), new CategoricalTask("c", 3),
                new CategoricalTask("d", 3), new CategoricalTask("e", 4), new RealTask("f", 0, 1, 1)));
        Heads heads = new Heads(layout, 5, members);
        List<Parameter> parameters = heads.parameters(1);
        float[] flat = gaussian(parameters.stream().mapToInt(Parameter::size).sum(), 2);
        GraphBuilder graph = new GraphBuilder();
        Value all = graph.input("flat", ElementType.FLOAT, flat.length);
        Map<String, Value> values = new HashMap<>();
        int start = 0;
        for (Parameter p : parameters) {
            values.put(p.name(), graph.initializer(p.name(), new Tensor(ElementType.FLOAT, p.initial().shape(),
                    slice(flat, start, p.size()))));
            start += p.size();
        }
        Heads.Weights together = heads.weights(graph, all);
        Heads.Weights apart = heads.weights(graph, values::get);
        assertEquals(apart.weight().shape(), together.weight().shape());
        assertEquals(apart.bias().shape(), together.bias().shape());
        graph.output("w1", together.weight());
        graph.output("b1", together.bias());
        graph.output("w2", apart.weight());
        graph.output("b2", apart.bias());
        Map<String, float[]> outputs = GraphRun.run(graph.build(), Map.of("flat", flat));
        assertArrayEquals(outputs.get("w2"), outputs.get("w1"));
        assertArrayEquals(outputs.get("b2"), outputs.get("b1"));
    }

    private static Map<String, float[]> run(TaskLayout layout, float[] pooled, long seed) {
        Heads heads = new Heads(layout, 4);
        GraphBuilder graph = new GraphBuilder();
        Value input = graph.input("pooled", ElementType.FLOAT, Shape.BATCH, 4);
        Map<String, Value> values = new HashMap<>();
        heads.parameters(seed).forEach(p -> values.put(p.name(), graph.initializer(p.name(), p.initial())));
        Value logits = heads.logits(graph, input, values::get);
        graph.output("logits", logits);
        graph.output("output", heads.outputs(graph, logits));
        return GraphRun.run(graph.build(), Map.of("pooled", pooled));
    }

    private static float[] gaussian(int count, long seed) {
        Random random = new Random(seed);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = 10 * (float) random.nextGaussian();
        }
        return values;
    }

    private static float[] slice(float[] values, int from, int length) {
        return Arrays.copyOfRange(values, from, from + length);
    }
}

package io.emtal.onnx.autodiff;

import ai.onnxruntime.OrtException;
import io.emtal.onnx.autodiff.RuleCase.Operand;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.GraphSession;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * Every backward rule against central differences of fourth order, element by element, through ONNX Runtime. The
 * loss is a random linear function of all outputs.
 */
class BackwardRulesTest {

    /** Elements lie on a lattice, each operand's shifted, so that no step crosses a point where operands are equal. */
    private static final double LATTICE = 0.3;

    @TestFactory
    Stream<DynamicTest> gradientsEqualFiniteDifferences() {
        return RuleCases.ALL.stream().flatMap(c -> c.types().stream().map(
                type -> DynamicTest.dynamicTest(c + " " + type, () -> check(c, type, System.nanoTime()))));
    }

    @Test
    void everyRuleHasACase() {
        Set<String> tested = RuleCases.ALL.stream().map(RuleCase::op).collect(Collectors.toSet());
        Set<String> rules = new HashSet<>(BackwardRules.operators());
        rules.addAll(BackwardRules.patterns());
        assertEquals(rules, tested);
    }

    private static void check(RuleCase c, ElementType type, long seed) throws OrtException {
        Random random = new Random(seed);
        GraphBuilder b = new GraphBuilder();
        Value[] in = inputs(b, c, type);
        List<Value> outputs = c.forward().apply(b, in);
        Map<String, Tensor> fed = new HashMap<>();
        for (int i = 0; i < in.length; i++) {
            fed.put(in[i].name(), draw(c.operands().get(i), i, type, random));
        }
        Value loss = null;
        List<double[]> weights = new ArrayList<>();
        for (Value output : outputs) {
            double[] elements = random.doubles(output.shape().size(), -1, 1).toArray();
            weights.add(elements);
            Value weight = b.input("weight" + weights.size(), type, output.shape().extents());
            fed.put(weight.name(), tensor(type, output.shape(), elements));
            Value part = b.reduceSum(b.mul(output, weight), false);
            loss = loss == null ? part : b.add(loss, part);
        }
        List<Value> gradients = Gradients.of(b, loss, List.of(in));
        for (int i = 0; i < in.length; i++) {
            b.output("gradient" + i, gradients.get(i));
        }
        List<Tensor> found;
        try (GraphSession session = new GraphSession(b.build())) {
            found = List.copyOf(session.run(fed).values());
        }
        try (GraphSession session = new GraphSession(forward(c, type))) {
            for (int i = 0; i < in.length; i++) {
                String where = c + " " + type + ", seed " + seed + ", operand " + i;
                assertEquals(in[i].shape(), found.get(i).shape(), where);
                double[] expected = differences(session, fed, in[i].name(), weights);
                double scale = Math.max(1, Arrays.stream(expected).map(Math::abs).max().orElse(0));
                double tolerance = scale * (type == ElementType.DOUBLE ? 1e-7 : 5e-4);
                for (int e = 0; e < expected.length; e++) {
                    double difference = Math.abs(expected[e] - found.get(i).real(e));
                    assertTrue(difference <= tolerance, where + ", element " + e + ": differences give "
                            + expected[e] + ", the rule " + found.get(i).real(e));
                }
            }
        }
    }

    private static Graph forward(RuleCase c, ElementType type) {
        GraphBuilder b = new GraphBuilder();
        List<Value> outputs = c.forward().apply(b, inputs(b, c, type));
        for (int i = 0; i < outputs.size(); i++) {
            b.output("y" + i, outputs.get(i));
        }
        return b.build();
    }

    private static Value[] inputs(GraphBuilder b, RuleCase c, ElementType type) {
        Value[] in = new Value[c.operands().size()];
        for (int i = 0; i < in.length; i++) {
            in[i] = b.input("x" + i, type, c.operands().get(i).shape().extents());
        }
        return in;
    }

    /** d(Σ weights ∘ outputs)/dx by (f(−2h) − 8 f(−h) + 8 f(h) − f(2h)) / 12 h. */
    private static double[] differences(GraphSession session, Map<String, Tensor> fed, String name,
                                        List<double[]> weights) throws OrtException {
        Tensor at = fed.get(name);
        double h = at.type() == ElementType.DOUBLE ? 1e-3 : 0.03;
        double[] differences = new double[at.shape().size()];
        for (int e = 0; e < differences.length; e++) {
            double sum = 0;
            for (int[] stencil : new int[][] {{-2, 1}, {-1, -8}, {1, 8}, {2, -1}}) {
                double[] moved = new double[differences.length];
                for (int i = 0; i < moved.length; i++) {
                    moved[i] = at.real(i) + (i == e ? stencil[0] * h : 0);
                }
                Map<String, Tensor> inputs = new HashMap<>(fed);
                inputs.put(name, tensor(at.type(), at.shape(), moved));
                sum += stencil[1] * loss(session.run(inputs), weights);
            }
            differences[e] = sum / (12 * h);
        }
        return differences;
    }

    private static double loss(Map<String, Tensor> outputs, List<double[]> weights) {
        double loss = 0;
        for (int k = 0; k < weights.size(); k++) {
            Tensor output = outputs.get("y" + k);
            for (int i = 0; i < weights.get(k).length; i++) {
                loss += weights.get(k)[i] * output.real(i);
            }
        }
        return loss;
    }

    private static Tensor draw(Operand operand, int index, ElementType type, Random random) {
        double[] elements = new double[operand.shape().size()];
        for (int i = 0; i < elements.length; i++) {
            double x;
            do {
                double uniform = operand.low() + (operand.high() - operand.low()) * random.nextDouble();
                x = LATTICE * Math.round(uniform / LATTICE) + 0.1 * index + 0.01 * random.nextDouble();
            } while (x < operand.low() || x > operand.high() || isNear(x, operand.kinks()));
            elements[i] = x;
        }
        return tensor(type, operand.shape(), elements);
    }

    private static boolean isNear(double x, double[] kinks) {
        return Arrays.stream(kinks).anyMatch(k -> Math.abs(x - k) < 0.1);
    }

    private static Tensor tensor(ElementType type, Shape shape, double[] elements) {
        if (type == ElementType.DOUBLE) {
            return new Tensor(type, shape, elements);
        }
        float[] floats = new float[elements.length];
        for (int i = 0; i < floats.length; i++) {
            floats[i] = (float) elements[i];
        }
        return new Tensor(type, shape, floats);
    }
}

package io.emtal.onnx.autodiff;

import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Node;
import io.emtal.onnx.graph.Value;
import org.junit.jupiter.api.Test;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

class ExecutionOrderTest {

    @Test
    void gradientsOfTheLastLayerComeLastInTheFile() {
        GraphBuilder b = new GraphBuilder();
        Value x = b.input("x", ElementType.FLOAT, 3, 4);
        List<Value> weights = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            weights.add(b.input("w" + i, ElementType.FLOAT, 4, 4));
            x = b.tanh(b.matMul(x, weights.get(i)));
        }
        List<Value> gradients = Gradients.of(b, b.reduceSum(x, false), weights);
        for (int i = 0; i < 4; i++) {
            b.output("d" + i, gradients.get(i));
        }
        b.output("y", x);
        Graph written = b.build();

        Graph ordered = ExecutionOrder.of(written);
        assertEquals(Set.copyOf(written.nodes()), Set.copyOf(ordered.nodes()));
        assertEquals(written.nodes().size(), ordered.nodes().size());
        Set<Value> made = new HashSet<>(ordered.inputs());
        for (Node node : ordered.nodes()) {
            assertTrue(node.inputs().stream().allMatch(v -> made.contains(v)
                    || ordered.initializers().containsKey(v.name())), node.name());
            made.addAll(node.outputs());
        }
        List<String> outputs = ordered.nodes().stream().map(n -> n.output().name())
                .filter(n -> n.matches("d\\d")).toList();
        assertEquals(List.of("d0", "d1", "d2", "d3"), outputs);
        // The nodes that make them lie right before.
        assertEquals("Gemm", ordered.nodes().get(ordered.nodes().size() - 3).op());
    }
}

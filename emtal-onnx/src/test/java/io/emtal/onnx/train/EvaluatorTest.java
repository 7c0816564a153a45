package io.emtal.onnx.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.emtal.onnx.data.PackedExamples;
import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import io.emtal.onnx.graph.Value;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class EvaluatorTest {

    /** A number a row, times another. */
    private static Graph graph() {
        GraphBuilder graph = new GraphBuilder();
        Value x = graph.input("x", ElementType.FLOAT, Shape.BATCH, 1);
        graph.output("y", graph.matMul(x, graph.initializer("w", Tensor.of(new float[1], 1, 1))));
        return graph.build();
    }

    /** So many rows take more bytes than a buffer has. */
    @Test
    void anEvaluatorThatCannotBeMadeClosesItsSession() {
        try (PackedExamples examples = PackedExamples.pack(1, 1, 1, (row, inputs, labels) -> inputs[0] = 1)) {
            NativeSession session = new NativeSession(graph(), "forward", 1);
            assertEquals(Set.of("x"), session.inputs());
            assertThrows(ArithmeticException.class, () -> new Evaluator(session, examples, 1 << 29, "x", Map.of()));
            assertThrows(IllegalStateException.class, session::inputs);
        }
    }
}

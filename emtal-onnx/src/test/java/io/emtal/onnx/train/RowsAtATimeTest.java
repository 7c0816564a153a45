package io.emtal.onnx.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.Graph;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Shape;
import io.emtal.onnx.graph.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RowsAtATimeTest {

    @ParameterizedTest
    @CsvSource({"10, 64", "5120, 64", "5121, 63", "32768, 10", "300000, 1", "1000000, 1"})
    void theWidestValueDecides(int widest, int rows) {
        GraphBuilder builder = new GraphBuilder();
        builder.output("y", builder.reduceSum(builder.mul(builder.input("x", ElementType.FLOAT, Shape.BATCH, 1),
                builder.constant(Tensor.of(new float[widest], 1, widest))), true, 1));
        Graph graph = builder.build();
        assertEquals(widest, RowsAtATime.widestRow(graph));
        assertEquals(rows, RowsAtATime.forward(graph));
    }

    /** 32768 elements a row are ten rows at a time. */
    @ParameterizedTest
    @CsvSource({"1, 1", "10, 10", "11, 6", "20, 10", "21, 7", "1000, 10"})
    void runsAreEquallyFull(int rows, int atATime) {
        assertEquals(atATime, RowsAtATime.even(32768, rows));
    }
}

package io.emtal.onnx.task;

import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Value;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertTrue;

class MemberWeightsTest {

    private static final TaskLayout MIXED = new TaskLayout(List.of(new CategoricalTask("c", 3),
            new RealTask("r", 0, 1, 1), new BinaryTask("b")));

    /** Columns 0 to 2 are classes, 3 is a number, 4 is yes or no. */
    private static boolean real(int column) {
        return column == 3;
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 8, 16})
    void oneHalfForEachKind(int members) {
        int columns = MIXED.columns();
        float[] weights = MemberWeights.of(MIXED, members).values();
        for (int c = 0; c < columns; c++) {
            double sum = 0;
            for (int m = 0; m < members; m++) {
                float weight = weights[m * columns + c];
                sum += weight;
                float other = weights[(members - 1 - m) * columns + c];
                boolean own = m < members / 2 == real(c);
                if (members % 2 == 0) {
                    assertEquals(own ? 20 : 1 / 20.0, weight / other, 1e-4, "member " + m + ", column " + c);
                } else if (own) {
                    assertTrue(weight > 1, "member " + m + ", column " + c);
                }
            }
            assertEquals(members, sum, 1e-5 * members);
        }
    }

    @Test
    void oneKindOrOneMemberIsLeftAlone() {
        List<TaskLayout> layouts = List.of(new TaskLayout(List.of(new CategoricalTask("c", 3), new BinaryTask("b"))),
                new TaskLayout(List.of(new RealTask("r", 0, 1, 1), new RealTask("s", 0, 1, 1))));
        for (TaskLayout layout : layouts) {
            assertLeftAlone(layout, 4);
        }
        assertLeftAlone(MIXED, 1);
    }

    private static void assertLeftAlone(TaskLayout layout, int members) {
        MemberWeights weights = MemberWeights.of(layout, members);
        for (float weight : weights.values()) {
            assertEquals(1, weight);
        }
        GraphBuilder graph = new GraphBuilder();
        Value value = graph.input("x", ElementType.FLOAT, members, 2, layout.columns());
        assertSame(value, weights.times(graph, value));
    }
}

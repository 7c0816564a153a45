package io.emtal.onnx.task;

import io.emtal.onnx.graph.ElementType;
import io.emtal.onnx.graph.GraphBuilder;
import io.emtal.onnx.graph.Value;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.util.List;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;

class MemberWeightsTest {

    private static final List<Task> MIXED = List.of(new CategoricalTask("c", 3), new RealTask("r", 0, 1, 1),
            new BinaryTask("b"), new CategoricalTask("d", 2));

    /** Columns 0 to 2 are classes, 3 is a number, 4 is yes or no, 5 and 6 are classes. */
    private static final int NUMBER = 3;

    @ParameterizedTest
    @CsvSource({"4, PER_TASK", "5, PER_TASK", "8, JOINT", "16, PER_TASK", "17, JOINT"})
    void oneHalfForEachKind(int members, HeadScope scope) {
        TaskLayout layout = new TaskLayout(MIXED, scope);
        MemberWeights weights = MemberWeights.of(layout, members);
        assertEquals(members / 2, weights.mostParts());
        for (int c = 0; c < layout.columns(); c++) {
            double sum = 0;
            for (int m = 0; m < members; m++) {
                sum += weights.of(m, c);
                boolean own = m < members / 2 == (c == NUMBER);
                // The first member is for numbers, the last for classes.
                float ofOwn = weights.of(c == NUMBER ? 0 : members - 1, c);
                assertEquals(own ? ofOwn : ofOwn / 20, weights.of(m, c), 1e-6, "member " + m + ", column " + c);
            }
            assertEquals(members, sum, 1e-5 * members);
        }
    }

    @Test
    void oneKindIsLeftAlone() {
        assertLeftAlone(List.of(new CategoricalTask("c", 3), new BinaryTask("b")), 4);
        assertLeftAlone(List.of(new RealTask("r", 0, 1, 1), new RealTask("s", 0, 1, 1)), 4);
    }

    @Test
    void whatIsNotLearntIsNoKind() {
        assertLeftAlone(List.of(new CategoricalTask("c", 3), new RealTask("r", 0, 1, 0)), 4);
    }

    @Test
    void fewMembersAreLeftAlone() {
        assertLeftAlone(MIXED, 1);
        assertLeftAlone(MIXED, 3);
    }

    private static void assertLeftAlone(List<Task> tasks, int members) {
        TaskLayout layout = new TaskLayout(tasks);
        MemberWeights weights = MemberWeights.of(layout, members);
        for (int m = 0; m < members; m++) {
            for (int c = 0; c < layout.columns(); c++) {
                assertEquals(1, weights.of(m, c));
            }
        }
        assertEquals(members, weights.mostParts());
        GraphBuilder graph = new GraphBuilder();
        Value value = graph.input("x", ElementType.FLOAT, members, 2, layout.columns());
        assertSame(value, weights.times(graph, value));
    }
}

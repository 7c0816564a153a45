package io.emtal.samples.table;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.multitask.MultiTask;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MultiTaskTargetsTest {
    private static final int ROWS = 40;

    @TempDir
    Path temp;

    private Table numbers;

    @BeforeEach
    void makeTable() {
        StringBuilder rows = new StringBuilder("fold,x,s,t\n");
        for (int row = 0; row < ROWS; row++) {
            rows.append(row % 2).append(",1,").append(row).append(',').append(row < 30 ? 5 : row).append('\n');
        }
        numbers = new TableFolder(temp.resolve("numbers")).with("schema.json", """
                {"name": "numbers", "files": {"data": "data.csv", "fold_column": "fold", "folds": 2},
                 "features": [{"name": "x", "type": "numeric"}],
                 "targets": [{"name": "s", "type": "numeric"}, {"name": "t", "type": "numeric"}]}
                """).with("data.csv", rows.toString()).read();
    }

    @Test
    void eachTargetIsATaskOfItsKind() {
        assertEquals(MultiTask.builder().real("s", 7).real("t", 5).build(), new MultiTaskTargets(numbers).output(7));
        Table nominal = new TableFolder(temp.resolve("nominal")).with("schema.json", """
                {"name": "nominal", "files": {"train": "train.csv", "test": "test.csv"},
                 "features": [{"name": "x", "type": "numeric"}],
                 "targets": [{"name": "k", "type": "nominal", "values": ["u", "v"]},
                             {"name": "b", "type": "nominal", "values": ["1", "0"]}]}
                """).with("train.csv", "x,k,b\n1,v,0\n").with("test.csv", "x,k,b\n1,u,1\n").read();
        MultiTaskTargets targets = new MultiTaskTargets(nominal);
        assertEquals(MultiTask.builder().categorical("k", "v").binary("b", false).build(), targets.output(0));
        assertEquals(MultiTask.builder().categorical("k", "u").binary("b", true).build(), targets.output(1));
        assertThrows(EmtalException.class, () -> targets.cut(0, 2));
    }

    @Test
    void aCutGivesEachClassTheSameNumberOfRows() {
        MultiTaskTargets targets = new MultiTaskTargets(numbers).cut(0, 4);
        assertArrayEquals(new double[] {10, 20, 30}, targets.cuts(0));
        for (int row = 0; row < ROWS; row++) {
            MultiTask output = targets.output(row);
            assertEquals("s=\"q" + (1 + row / 10) + "\"",
                    MultiTask.of(List.of(output.value("s").orElseThrow())).toString());
            assertTrue(output.value("t").isPresent());
        }
        EmtalException ties = assertThrows(EmtalException.class, () -> targets.cut(1, 2));
        assertTrue(ties.getMessage().contains("'t' cannot be cut into 2 classes"), ties.getMessage());
        assertThrows(EmtalException.class, () -> targets.cut(0, 1));
    }

    @Test
    void theFractionOfLabelsIsRemovedAndMoreRemovesThoseToo() {
        MultiTaskTargets all = new MultiTaskTargets(numbers);
        assertEquals(56, labels(all.without(0.3, 1)));
        assertEquals(80, labels(all.without(0, 1)));
        MultiTaskTargets half = all.without(1, 0.5, 1);
        MultiTaskTargets most = all.without(1, 0.9, 1);
        assertEquals(60, labels(half));
        assertEquals(44, labels(most));
        for (int row = 0; row < ROWS; row++) {
            assertTrue(half.output(row).value("s").isPresent() && most.output(row).value("s").isPresent());
            assertTrue(half.output(row).value("t").isPresent() || most.output(row).value("t").isEmpty());
        }
        assertEquals(labels(all.without(0.3, 2)), labels(all.without(0.3, 1)));
        assertTrue(IntStream.range(0, ROWS).anyMatch(row ->
                !all.without(0.3, 1).output(row).equals(all.without(0.3, 2).output(row))));
        assertThrows(EmtalException.class, () -> all.without(1, 1));
        assertThrows(EmtalException.class, () -> all.without(-0.1, 1));
    }

    private static int labels(MultiTaskTargets targets) {
        return IntStream.range(0, ROWS).map(row -> targets.output(row).values().size()).sum();
    }
}

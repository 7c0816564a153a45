package io.emtal.tribuo.table;

import io.emtal.onnx.EmtalException;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.RandomMultiTasks;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.tribuo.Example;
import org.tribuo.impl.ArrayExample;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class TableWriterTest {

    private static final long SEED = 20261125;
    private static final int TABLES = 100;
    private static final int ROWS = 100;

    @TempDir
    Path folder;

    /** Text, empty cells and numbers are what they were, in tables whose names are as nasty as may be. */
    @Test
    void tenThousandRandomRowsSurviveAFile() {
        Random random = new Random(SEED);
        int rows = 0;
        int labels = 0;
        for (int table = 0; table < TABLES; table++) {
            TableSchema schema = schema(random);
            List<Example<MultiTask>> written = new ArrayList<>();
            Path file = folder.resolve("table.csv");
            try (TableWriter writer = TableWriter.open(file, schema)) {
                for (int i = 0; i < ROWS; i++) {
                    Example<MultiTask> example = row(schema, random);
                    written.add(example);
                    writer.write(example);
                }
            }
            int row = 0;
            for (Example<MultiTask> read : TableSource.of(file, schema)) {
                String where = "seed " + SEED + ", table " + table + ", row " + row;
                MultiTask expected = written.get(row).getOutput();
                assertTrue(expected.fullEquals(read.getOutput()), where + ": " + expected + " " + read.getOutput());
                assertEquals(written.get(row), read, where);
                labels += expected.values().size();
                row++;
            }
            assertEquals(ROWS, row);
            rows += row;
        }
        assertEquals(10_000, rows);
        assertTrue(labels > rows, labels + " labels");
    }

    private static TableSchema schema(Random random) {
        Set<String> used = new HashSet<>();
        List<Column> features = new ArrayList<>();
        List<Column> tasks = new ArrayList<>();
        for (int i = 1 + random.nextInt(4); i > 0; i--) {
            String name = "f" + RandomMultiTasks.text(random).replace("@", "");
            if (used.add(name)) {
                features.add(random.nextBoolean() ? Column.numeric(name) : nominal(name, random));
            }
        }
        for (int i = 1 + random.nextInt(5); i > 0; i--) {
            String name = RandomMultiTasks.text(random);
            if (used.add(name)) {
                tasks.add(switch (random.nextInt(3)) {
                    case 0 -> nominal(name, random);
                    case 1 -> Column.binary(name);
                    default -> Column.numeric(name);
                });
            }
        }
        return tasks.isEmpty() ? schema(random) : new TableSchema(features, tasks);
    }

    private static Column nominal(String name, Random random) {
        Set<String> values = new LinkedHashSet<>();
        for (int i = 1 + random.nextInt(5); i > 0; i--) {
            values.add(RandomMultiTasks.text(random));
        }
        return new Column(name, Column.Type.NOMINAL, List.copyOf(values));
    }

    private static Example<MultiTask> row(TableSchema schema, Random random) {
        double[] values = new double[schema.features().size() + schema.tasks().size()];
        for (int i = 0; i < values.length; i++) {
            Column column = i < schema.features().size() ? schema.features().get(i)
                    : schema.tasks().get(i - schema.features().size());
            values[i] = i > 0 && random.nextInt(4) == 0 ? Double.NaN
                    : column.type() == Column.Type.NUMERIC ? random.nextGaussian() * Math.pow(10, random.nextInt(40) - 20)
                    : random.nextInt(column.values().size());
        }
        TableExamples examples = new TableExamples(schema, true);
        return examples.example(values, examples.output(values));
    }

    @Test
    void whatTheSchemaDoesNotHaveIsRefused() {
        TableSchema schema = TableSchema.builder().numeric("x").nominal("c", "red", "blue").categoricalTask("k", "lo")
                .realTask("r").build();
        MultiTask none = MultiTask.of(List.of());
        try (TableWriter writer = TableWriter.open(folder.resolve("table.csv"), schema)) {
            assertRefused(writer, example(none, "y", 1), "found the feature 'y'");
            assertRefused(writer, example(none, "c@red", 2), "feature 'c@red': found the value 2.0");
            ArrayExample<MultiTask> two = example(none, "c@red", 1);
            two.add("c@blue", 1);
            assertRefused(writer, two, "another of its column");
            assertRefused(writer, example(MultiTask.builder().categorical("k", "hi").build(), "x", 1), "task 'k'");
            assertRefused(writer, example(MultiTask.builder().binary("r", true).build(), "x", 1), "task 'r'");
            assertRefused(writer, example(MultiTask.builder().real("s", 1).build(), "x", 1), "found the task 's'");
        }
        Path nowhere = folder.resolve("none/table.csv");
        assertTrue(assertThrows(EmtalException.class, () -> TableWriter.open(nowhere, schema)).getMessage()
                .startsWith(nowhere + ": found no file that can be written"));
    }

    private static ArrayExample<MultiTask> example(MultiTask output, String feature, double value) {
        return new ArrayExample<>(output, new String[] {feature}, new double[] {value});
    }

    private static void assertRefused(TableWriter writer, Example<MultiTask> example, String expected) {
        String message = assertThrows(EmtalException.class, () -> writer.write(example)).getMessage();
        assertTrue(message.contains(expected), message);
    }
}

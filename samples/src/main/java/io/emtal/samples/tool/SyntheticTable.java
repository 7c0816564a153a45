package io.emtal.samples.tool;

import io.emtal.onnx.EmtalException;
import io.emtal.samples.output.WholeFile;
import io.emtal.samples.table.Schema;
import io.emtal.tribuo.table.Column;
import io.emtal.tribuo.table.TableSchema;
import java.io.BufferedWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * A table of any length that is drawn at random: numbers and two nominal features, some cells of which are missing, and
 * three targets of different kinds that depend on them, a tenth of which is missing. A row depends on the seed and its
 * number alone.
 *
 * @param rows how many rows
 * @param columns how many columns, the three targets included
 * @param seed what they are drawn with
 */
record SyntheticTable(long rows, int columns, long seed) {
    /** The file of the rows beside the schema. */
    static final String FILE = "data.csv";

    private static final int TARGETS = 3;
    private static final int NOMINAL = 2;
    /** The numbers that the targets depend on. */
    private static final int USED = 4;
    private static final double MISSING_FEATURE = 0.02;
    private static final double MISSING_TARGET = 0.1;
    private static final List<String> COLOURS = List.of("red", "green", "blue");
    private static final List<String> CLASSES = List.of("low", "middle", "high");

    /**
     * Checks the size.
     *
     * @throws EmtalException if there are no rows, or too few columns for what the targets depend on
     */
    SyntheticTable {
        EmtalException.check(rows > 0 && columns >= USED + NOMINAL + TARGETS,
                "%d rows of %d columns; allowed are 1 and more rows and %d and more columns", rows, columns,
                USED + NOMINAL + TARGETS);
    }

    /** What the columns hold. */
    Schema schema() {
        List<Column> features = new ArrayList<>();
        IntStream.range(0, numbers()).forEach(i -> features.add(Column.numeric("x" + i)));
        features.add(new Column("colour", Column.Type.NOMINAL, COLOURS));
        features.add(new Column("digit", Column.Type.NOMINAL,
                IntStream.range(0, 10).mapToObj(String::valueOf).toList()));
        return Schema.of("synthetic", new TableSchema(features, List.of(
                Column.numeric("amount"), Column.binary("flag"), new Column("class", Column.Type.NOMINAL, CLASSES))));
    }

    private int numbers() {
        return columns - NOMINAL - TARGETS;
    }

    /**
     * Writes the schema and the rows.
     *
     * @param folder where to
     * @throws EmtalException if that fails, or one of the files is there already
     */
    void write(Path folder) {
        Path schema = folder.resolve(Schema.FILE);
        Path data = folder.resolve(FILE);
        for (Path file : List.of(schema, data)) {
            EmtalException.check(!Files.exists(file), "%s: found a file, allowed is a folder without one of this name",
                    file);
        }
        WholeFile.write(data, file -> {
            try (BufferedWriter writer = Files.newBufferedWriter(file)) {
                List<String> names = new ArrayList<>();
                schema().features().forEach(column -> names.add(column.name()));
                schema().targets().forEach(column -> names.add(column.name()));
                writer.append(String.join(",", names)).append('\n');
                StringBuilder line = new StringBuilder();
                for (long row = 0; row < rows; row++) {
                    line.setLength(0);
                    append(row, line);
                    writer.append(line);
                }
            }
        });
        WholeFile.write(schema, file -> Files.writeString(file, schema().toJson()));
    }

    private void append(long row, StringBuilder line) {
        SplittableRandom random = new SplittableRandom(seed * 0x9E3779B97F4A7C15L + row);
        double[] x = new double[numbers()];
        for (int i = 0; i < x.length; i++) {
            x[i] = Math.round(random.nextGaussian() * 1000) / 1000.0;
            cell(random, MISSING_FEATURE, x[i], line);
        }
        int colour = random.nextInt(COLOURS.size());
        int digit = random.nextInt(10);
        cell(random, MISSING_FEATURE, COLOURS.get(colour), line);
        cell(random, MISSING_FEATURE, digit, line);
        double amount = 10 * x[0] + 5 * Math.sin(2 * x[1]) + 3 * x[2] * x[3] + colour + 0.2 * random.nextGaussian();
        cell(random, MISSING_TARGET, Math.round(amount * 1000) / 1000.0, line);
        cell(random, MISSING_TARGET, x[1] + 0.2 * (digit - 4.5) > 0.1 * random.nextGaussian() ? 1 : 0, line);
        double level = x[2] + x[3] + 0.1 * random.nextGaussian();
        cell(random, MISSING_TARGET, CLASSES.get(level < -0.6 ? 0 : level < 0.6 ? 1 : 2), line);
        line.setCharAt(line.length() - 1, '\n');
    }

    private static void cell(SplittableRandom random, double missing, Object value, StringBuilder line) {
        if (random.nextDouble() >= missing) {
            line.append(value);
        }
        line.append(',');
    }
}

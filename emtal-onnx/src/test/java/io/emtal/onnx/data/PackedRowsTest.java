package io.emtal.onnx.data;

import io.emtal.onnx.EmtalException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.stream.Stream;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class PackedRowsTest {

    private static final int ROW_BYTES = 3 * Float.BYTES + Double.BYTES;
    /** Several rows a piece, and several pieces a file. */
    private static final int PIECE = 7 * ROW_BYTES + 5;
    private static final int MEMORY = 1 << 20;

    @Test
    void rowsAreReadInAnyOrderAsTheyWereWritten() {
        for (long seed = 0; seed < 20; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            int count = random.nextInt(1, 60);
            String where = "seed " + seed;
            try (PackedRows.Writer toMemory = PackedRows.writer("rows", count, ROW_BYTES, MEMORY);
                 PackedRows.Writer toFile = PackedRows.fileWriter("rows", ROW_BYTES, PIECE)) {
                for (int row = 0; row < count; row++) {
                    write(toMemory.next(), row);
                    write(toFile.next(), row);
                }
                try (PackedRows memory = toMemory.finish(); PackedRows file = toFile.finish()) {
                    assertEquals(count, memory.size(), where);
                    assertEquals(count, file.size(), where);
                    for (int i = 0; i < 100; i++) {
                        int row = random.nextInt(count);
                        assertRow(memory, row, where);
                        assertRow(file, row, where);
                    }
                }
            }
        }
    }

    private static void write(ByteBuffer target, int row) {
        target.putFloat(row).putFloat(-row).putFloat(row * 0.5f).putDouble(1e300 + row * 1e290);
    }

    private static void assertRow(PackedRows rows, int row, String where) {
        float[] found = new float[2];
        rows.floats(row, 1, 2, FloatBuffer.wrap(found));
        assertArrayEquals(new float[] {-row, row * 0.5f}, found, where);
        assertEquals(row, rows.getFloat(row, 0), where);
        assertEquals(1e300 + row * 1e290, rows.getDouble(row, 3 * Float.BYTES), where);
    }

    @Test
    void theFileGoesWithTheRowsAndWithAWriterThatDidNotFinish(@TempDir Path folder) throws IOException {
        try (PackedRows.Writer writer = PackedRows.fileWriter("rows", ROW_BYTES, PIECE, folder)) {
            write(writer.next(), 1);
        }
        assertEquals(List.of(), files(folder));
        try (PackedRows.Writer writer = PackedRows.fileWriter("rows", ROW_BYTES, PIECE, folder)) {
            write(writer.next(), 0);
            try (PackedRows rows = writer.finish()) {
                assertRow(rows, 0, "");
            }
        }
        assertEquals(List.of(), files(folder));
        Path none = folder.resolve("none");
        String message = assertThrows(EmtalException.class, () -> PackedRows.fileWriter("rows", ROW_BYTES, PIECE, none))
                .getMessage();
        assertTrue(message.startsWith("rows: found no file for rows in " + none), message);
    }

    /** Several blocks and pieces, by a thread that was interrupted before or is while it writes. */
    @ParameterizedTest
    @ValueSource(ints = {0, 60_000, 119_999})
    void anInterruptBreaksNoWritingOff(int interruptedAt) {
        try (PackedRows.Writer writer = PackedRows.fileWriter("rows", ROW_BYTES, MEMORY)) {
            for (int row = 0; row < 120_000; row++) {
                if (row == interruptedAt) {
                    Thread.currentThread().interrupt();
                }
                write(writer.next(), row);
            }
            try (PackedRows rows = writer.finish()) {
                assertTrue(Thread.interrupted());
                assertEquals(120_000, rows.size());
                for (int row = 0; row < rows.size(); row++) {
                    assertRow(rows, row, "interrupted at row " + interruptedAt);
                }
            }
        } finally {
            Thread.interrupted();
        }
    }

    private static List<Path> files(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return files.toList();
        }
    }

    @Test
    void refusesRowsThatDoNotFit() {
        String wide = assertThrows(EmtalException.class, () -> PackedRows.writer("rows", 2, ROW_BYTES, ROW_BYTES - 1))
                .getMessage();
        assertEquals("rows: found 20 bytes a row, allowed are 19", wide);
        try (PackedRows.Writer writer = PackedRows.writer("rows", 1, ROW_BYTES, MEMORY)) {
            writer.next();
            String more = assertThrows(EmtalException.class, writer::next).getMessage();
            assertTrue(more.contains("more rows than the 1"), more);
        }
    }

    @Test
    void examplesAreTheSameInMemoryAndInAFile() {
        PackedExamples.Reader reader = (row, inputs, labels) -> {
            inputs[row % 5] = row;
            labels[row % 2] = row * 3;
        };
        try (PackedExamples memory = PackedExamples.pack(40, 5, 2, reader);
             PackedExamples file = PackedExamples.pack(40, 5, 2, 100, reader)) {
            for (int row = 39; row >= 0; row--) {
                float[] inputs = {Float.NaN, Float.NaN, Float.NaN, Float.NaN, Float.NaN};
                inputs[row % 5] = row;
                for (Examples examples : Set.of(memory, file)) {
                    float[] found = new float[5];
                    examples.inputs(row, FloatBuffer.wrap(found));
                    assertArrayEquals(inputs, found);
                    assertEquals(row * 3, examples.label(row, row % 2));
                    assertEquals(Float.NaN, examples.label(row, 1 - row % 2));
                }
            }
        }
    }
}

package io.emtal.tribuo.table;

import io.emtal.onnx.EmtalException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.NoSuchElementException;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

class CsvReaderTest {

    @TempDir
    Path folder;

    private Path file(byte[] bytes) throws IOException {
        return Files.write(folder.resolve("table.csv"), bytes);
    }

    private Path file(String text) throws IOException {
        return file(text.getBytes(StandardCharsets.UTF_8));
    }

    private static List<String> rows(Path file) {
        List<String> rows = new ArrayList<>();
        try (CsvReader csv = CsvReader.open(file)) {
            while (csv.hasNext()) {
                CsvReader.Row row = csv.next();
                StringBuilder cells = new StringBuilder(row.line() + ":");
                for (int i = 0; i < csv.header().size(); i++) {
                    cells.append(row.isEmpty(i) ? "-" : "[" + row.cell(i) + "]");
                }
                rows.add(cells.toString());
            }
            assertThrows(NoSuchElementException.class, csv::next);
        }
        return rows;
    }

    @Test
    void byteOrderMarkLineEndsQuotesAndBlankLinesAreRead() throws IOException {
        assertEquals(List.of("2:[1][x, \"y\"]", "4:[two\nlines]-", "7:-[]"),
                rows(file("\uFEFFa,\"b\"\r\n1,\"x, \"\"y\"\"\"\r\n\r\n\"two\nlines\",\n\n,\"\"")));
        assertEquals(List.of("2:[1]", "3:-", "4:[2]"), rows(file("a\n1\n\n2\n")), "a blank line is a cell of one column");
    }

    @Test
    void textLongerThanABufferIsReadWithItsLines() throws IOException {
        StringBuilder text = new StringBuilder("a,b\n");
        for (int i = 0; i < 20_000; i++) {
            text.append("gr\u00fcn\uD83D\uDE00,").append(i).append('\n');
        }
        List<String> rows = rows(file(text.toString()));
        assertEquals(20_000, rows.size());
        for (int i = 0; i < rows.size(); i++) {
            assertEquals(i + 2 + ":[gr\u00fcn\uD83D\uDE00][" + i + "]", rows.get(i));
        }
        byte[] bytes = text.toString().getBytes(StandardCharsets.UTF_8);
        bytes[bytes.length - 2] = (byte) 0xff;
        String message = assertThrows(EmtalException.class, () -> rows(file(bytes))).getMessage();
        assertTrue(message.contains("line 20001: found byte 0xff at position 15"), message);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "a,b\\n1|line 2: found 1 cells",
        "a,b\\n1,2\\n3,4,5|line 3: found 3 cells",
        "a,b\\n1,\"2|line 2: found a quoted cell that is not closed",
        "a,b\\n\"1\\n1\",2\\n1,\"2\"x|line 4: found a quoted cell",
        "a,a\\n1,2|line 1: found the column 'a' twice",
        "|found an empty file"})
    void faultsNameFileAndLine(String text, String expected) throws IOException {
        Path file = file(text == null ? "" : text.replace("\\n", "\n"));
        String message = assertThrows(EmtalException.class, () -> rows(file)).getMessage();
        assertTrue(message.startsWith(file.toString()) && message.contains(expected), message);
    }

    @Test
    void rowsInFrontOfAFaultAreRead() throws IOException {
        try (CsvReader csv = CsvReader.open(file("a,b\n1,2\n3\n"))) {
            assertEquals("2", csv.next().cell(1));
            assertThrows(EmtalException.class, csv::hasNext);
        }
    }

    @Test
    void absentFilesAndColumnsAreRefused() throws IOException {
        Path absent = folder.resolve("absent.csv");
        assertTrue(assertThrows(EmtalException.class, () -> CsvReader.open(absent)).getMessage()
                .startsWith(absent + ": found no file"));
        try (CsvReader csv = CsvReader.open(file("a,b\n"))) {
            assertFalse(csv.hasNext());
            String message = assertThrows(EmtalException.class, () -> csv.column("c")).getMessage();
            assertTrue(message.contains("found no column 'c'") && message.contains("['a', 'b']"), message);
        }
    }
}

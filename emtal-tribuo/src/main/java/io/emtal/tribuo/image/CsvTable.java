package io.emtal.tribuo.image;

import io.emtal.onnx.EmtalException;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.CharBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Set;

/**
 * A CSV file after RFC 4180 in UTF-8: lines end in LF or CRLF, a quoted cell may hold line ends, a byte order mark and
 * blank lines are passed over, every record has as many cells as the header.
 *
 * @param file the file
 * @param header the names of the columns, unique and not blank
 * @param rows the records behind the header
 */
record CsvTable(Path file, List<String> header, List<Row> rows) {

    private static final char BYTE_ORDER_MARK = '\uFEFF';

    /**
     * A record.
     *
     * @param line the line on which it begins, from 1
     * @param cells one a column
     */
    record Row(long line, List<String> cells) {
    }

    static CsvTable read(Path file) {
        byte[] bytes;
        try {
            bytes = Files.readAllBytes(file);
        } catch (IOException e) {
            throw new EmtalException(file + ": found no file that can be read: " + e, e);
        }
        long line = 1;
        try (CSVParser parser = CSVParser.parse(decode(file, bytes), CSVFormat.RFC4180)) {
            Iterator<CSVRecord> records = parser.iterator();
            EmtalException.check(records.hasNext(), "%s: found an empty file, a line of column names is needed", file);
            List<String> header = header(file, records.next().toList());
            List<Row> rows = new ArrayList<>();
            line = parser.getCurrentLineNumber() + 1;
            while (records.hasNext()) {
                List<String> cells = records.next().toList();
                if (cells.size() > 1 || header.size() == 1 || !cells.get(0).isEmpty()) {
                    EmtalException.check(cells.size() == header.size(), "%s, line %d: found %d cells, allowed are %d,"
                            + " one a column of the header", file, line, cells.size(), header.size());
                    rows.add(new Row(line, cells));
                }
                line = parser.getCurrentLineNumber() + 1;
            }
            return new CsvTable(file, header, rows);
        } catch (UncheckedIOException | IOException e) {
            throw new EmtalException(file + ", line " + line + ": found a quoted cell that is not closed, or text"
                    + " behind its closing quote", e);
        }
    }

    /** The position of a column. */
    int column(String name) {
        int column = header.indexOf(name);
        EmtalException.check(column >= 0, "%s, line 1: found no column '%s', allowed are %s", file, name, header);
        return column;
    }

    /** An error that names a cell. */
    EmtalException error(Row row, int column, String message) {
        return new EmtalException(file + ", line " + row.line() + ", column '" + header.get(column) + "': " + message);
    }

    private static List<String> header(Path file, List<String> names) {
        Set<String> seen = new HashSet<>();
        for (int i = 0; i < names.size(); i++) {
            EmtalException.check(!names.get(i).isBlank() && names.get(i).chars().noneMatch(Character::isISOControl),
                    "%s, line 1: found '%s' as the name of column %d, allowed are names without control characters",
                    file, names.get(i), i + 1);
            EmtalException.check(seen.add(names.get(i)), "%s, line 1: found the column '%s' twice, allowed is once",
                    file, names.get(i));
        }
        return names;
    }

    private static String decode(Path file, byte[] bytes) {
        ByteBuffer in = ByteBuffer.wrap(bytes);
        CharBuffer out = CharBuffer.allocate(bytes.length);
        if (StandardCharsets.UTF_8.newDecoder().decode(in, out, true).isError()) {
            int line = 1;
            int column = 1;
            for (int i = 0; i < in.position(); i++) {
                column = bytes[i] == '\n' ? 1 : column + 1;
                line += bytes[i] == '\n' ? 1 : 0;
            }
            throw new EmtalException(String.format("%s, line %d: found byte 0x%02x at position %d, which is not UTF-8;"
                    + " allowed are files in UTF-8", file, line, bytes[in.position()], column));
        }
        out.flip();
        if (out.hasRemaining() && out.get(0) == BYTE_ORDER_MARK) {
            out.get();
        }
        return out.toString();
    }
}

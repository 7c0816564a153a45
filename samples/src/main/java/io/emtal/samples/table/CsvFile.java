package io.emtal.samples.table;

import io.emtal.onnx.EmtalException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/**
 * The records of a CSV file after RFC 4180, and the lines on which they start. Line ends may be LF or CRLF, a quoted
 * cell may hold line ends, blank lines are passed over.
 *
 * @param file the file
 * @param header the names of the columns
 * @param records the records behind the header
 * @param lines the line on which each of them starts, the first line of the file being 1
 */
record CsvFile(Path file, List<String> header, List<CSVRecord> records, List<Integer> lines) {
    /**
     * Reads a file.
     *
     * @param file the file
     * @param header the names that its first line must hold, in this order
     * @return the records
     * @throws EmtalException if it cannot be read, has another header, or a record with another number of cells
     */
    static CsvFile read(Path file, List<String> header) {
        return readAny(file, List.of(header));
    }

    /**
     * Reads a file.
     *
     * @param file the file
     * @param headers the names that its first line may hold, in this order
     * @return the records
     * @throws EmtalException if it cannot be read, has another header, or a record with another number of cells
     */
    static CsvFile readAny(Path file, List<List<String>> headers) {
        String text;
        try {
            text = Utf8.decode(file, Files.readAllBytes(file));
        } catch (IOException e) {
            throw new EmtalException(file + " cannot be read: " + e, e);
        }
        List<String> header;
        List<CSVRecord> records = new ArrayList<>();
        List<Integer> lines = new ArrayList<>();
        long line = 1;
        try (CSVParser parser = CSVParser.parse(text, CSVFormat.RFC4180)) {
            var iterator = parser.iterator();
            EmtalException.check(iterator.hasNext(), "%s is empty; a line of column names is needed", file);
            header = iterator.next().toList();
            checkHeader(file, header, headers);
            line = parser.getCurrentLineNumber() + 1;
            while (iterator.hasNext()) {
                CSVRecord record = iterator.next();
                if (record.size() > 1 || header.size() == 1 || !record.get(0).isEmpty()) {
                    EmtalException.check(record.size() == header.size(), "%s line %d: %d cells; the header has %d",
                            file, line, record.size(), header.size());
                    records.add(record);
                    lines.add(Math.toIntExact(line));
                }
                line = parser.getCurrentLineNumber() + 1;
            }
        } catch (UncheckedIOException | IOException e) {
            throw new EmtalException(file + " line " + line
                    + ": a quoted cell that starts on this line is not closed, or text follows its closing quote", e);
        }
        return new CsvFile(file, header, List.copyOf(records), List.copyOf(lines));
    }

    /** An error names the first difference from the header that is most like the file's. */
    private static void checkHeader(Path file, List<String> found, List<List<String>> headers) {
        List<String> header = headers.contains(found) ? found
                : Collections.max(headers, Comparator.comparingInt(allowed -> commonStart(found, allowed)));
        int same = commonStart(found, header);
        if (same < Math.min(found.size(), header.size())) {
            throw new EmtalException(String.format("%s line 1: column %d is %s; the schema has %s", file, same + 1,
                    Text.quote(found.get(same)), Text.quote(header.get(same))));
        }
        EmtalException.check(found.size() == header.size(), "%s line 1: %d columns; the schema has %d", file,
                found.size(), header.size());
    }

    private static int commonStart(List<String> a, List<String> b) {
        int length = Math.min(a.size(), b.size());
        return IntStream.range(0, length).filter(i -> !a.get(i).equals(b.get(i))).findFirst().orElse(length);
    }
}

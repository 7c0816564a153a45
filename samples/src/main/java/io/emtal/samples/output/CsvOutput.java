package io.emtal.samples.output;

import java.io.BufferedWriter;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/** CSV files after RFC 4180, in UTF-8 with line feeds. */
public final class CsvOutput {

    private CsvOutput() {
    }

    /**
     * Writes a file.
     *
     * @param file the file
     * @param header the names of the columns
     * @param rows the cells of each row; not-a-number is an empty cell
     * @throws io.emtal.onnx.EmtalException if that fails
     */
    public static void write(Path file, List<String> header, Stream<List<Object>> rows) {
        WholeFile.write(file, unfinished -> {
            try (BufferedWriter writer = Files.newBufferedWriter(unfinished, StandardCharsets.UTF_8);
                 CSVPrinter printer = new CSVPrinter(writer, CSVFormat.RFC4180.builder().setRecordSeparator('\n').get())) {
                printer.printRecord(header.stream().map(CsvOutput::cell));
                for (Iterator<List<Object>> each = rows.iterator(); each.hasNext(); ) {
                    printer.printRecord(each.next().stream().map(CsvOutput::cell));
                }
            }
        });
    }

    private static Object cell(Object value) {
        return value instanceof Double number && number.isNaN() ? "" : value;
    }
}

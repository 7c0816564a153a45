package io.emtal.tribuo.table;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.apache.commons.csv.QuoteMode;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;

/**
 * The rows of a CSV file after RFC 4180 in UTF-8, one after the other: the first line holds the names of the columns, lines
 * end in LF or CRLF, a quoted cell may hold line ends, a byte order mark and blank lines are passed over, and every row has
 * as many cells as there are columns. To be closed.
 */
public final class CsvReader implements Iterator<CsvReader.Row>, AutoCloseable {

    /** Tells a quoted empty cell, which is text, from an empty one. */
    private static final CSVFormat FORMAT = CSVFormat.RFC4180.builder().setQuoteMode(QuoteMode.ALL_NON_NULL).get();

    private final Path file;
    private final CSVParser parser;
    private final Iterator<CSVRecord> records;
    private final List<String> header = new ArrayList<>();
    private final Map<String, Integer> positions = new HashMap<>();
    private Row next;
    private boolean ended;

    private CsvReader(Path file, CSVParser parser) {
        this.file = file;
        this.parser = parser;
        this.records = parser.iterator();
        CSVRecord names = read(1);
        EmtalException.check(names != null, "%s: found an empty file, a line of column names is needed", file);
        for (String cell : names) {
            String name = cell == null ? "" : cell;
            EmtalException.check(positions.put(name, header.size()) == null,
                    "%s, line 1: found the column %s twice, allowed is once", file, Quoted.of(name));
            header.add(name);
        }
    }

    /** A row. */
    public final class Row {

        private final long line;
        private final CSVRecord record;

        private Row(long line, CSVRecord record) {
            this.line = line;
            this.record = record;
        }

        /**
         * The line on which it begins.
         *
         * @return from 1, which is the first line of the file
         */
        public long line() {
            return line;
        }

        /**
         * Where it is.
         *
         * @return file and line, for messages
         */
        public String origin() {
            return file + ", line " + line;
        }

        /**
         * A cell.
         *
         * @param column its column's position
         * @return its text; the empty text if it is empty
         */
        public String cell(int column) {
            String cell = record.get(column);
            return cell == null ? "" : cell;
        }

        /**
         * Whether a cell is empty and without quotation marks.
         *
         * @param column its column's position
         * @return true if it is
         */
        boolean isEmpty(int column) {
            return record.get(column) == null;
        }

        /**
         * An error that names a cell.
         *
         * @param column its column's position
         * @param message what was found and what is allowed
         * @return the exception, to be thrown
         */
        public EmtalException error(int column, String message) {
            return new EmtalException(origin() + ", column " + Quoted.of(header.get(column)) + ": " + message);
        }
    }

    /**
     * Opens a file.
     *
     * @param file the file
     * @return its rows
     * @throws EmtalException if there is none that can be read, it is empty, or a column's name comes twice
     */
    public static CsvReader open(Path file) {
        Utf8Reader text = Utf8Reader.open(file);
        try {
            return new CsvReader(file, CSVParser.builder().setReader(text).setFormat(FORMAT).get());
        } catch (RuntimeException | IOException e) {
            try (text) {
                throw e instanceof EmtalException ours ? ours : new EmtalException(file + ": " + e, e);
            } catch (IOException closing) {
                throw new EmtalException(file + ": " + closing, closing);
            }
        }
    }

    /**
     * The names of the columns.
     *
     * @return in their order
     */
    public List<String> header() {
        return List.copyOf(header);
    }

    /**
     * The position of a column.
     *
     * @param name its name
     * @return from 0
     * @throws EmtalException if there is none of that name
     */
    public int column(String name) {
        Integer column = positions.get(name);
        EmtalException.check(column != null, "%s, line 1: found no column %s, allowed are files with it; there are %s",
                file, Quoted.of(name), header.stream().map(Quoted::of).toList());
        return column;
    }

    /**
     * Whether there is another row.
     *
     * @return true if there is
     * @throws EmtalException if what follows is no row: with file and line
     */
    @Override
    public boolean hasNext() {
        while (next == null && !ended) {
            long line = parser.getCurrentLineNumber() + 1;
            CSVRecord record = read(line);
            ended = record == null;
            // A line without a cell is blank, unless one cell is what a row has.
            if (!ended && (record.size() > 1 || header.size() == 1 || record.get(0) != null)) {
                if (record.size() != header.size()) {
                    throw new EmtalException(file + ", line " + line + ": found " + record.size() + " cells, allowed are "
                            + header.size() + ", one a column of the header");
                }
                next = new Row(line, record);
            }
        }
        return next != null;
    }

    /**
     * The next row.
     *
     * @return a row
     * @throws EmtalException if what follows is no row: with file and line
     */
    @Override
    public Row next() {
        if (!hasNext()) {
            throw new NoSuchElementException(file + ": found no row behind the last one");
        }
        Row row = next;
        next = null;
        return row;
    }

    private CSVRecord read(long line) {
        try {
            return records.hasNext() ? records.next() : null;
        } catch (UncheckedIOException e) {
            throw new EmtalException(file + ", line " + line + ": found a quoted cell that is not closed, or text behind its"
                    + " closing quote", e);
        }
    }

    @Override
    public void close() {
        try {
            parser.close();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}

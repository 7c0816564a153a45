package io.emtal.samples.output;

import io.emtal.onnx.EmtalException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVPrinter;
import org.apache.commons.csv.CSVRecord;

/** The CSV file of a comparison. Every measurement is on disk before the next fit begins. */
public final class ResultsFile implements AutoCloseable {
    private static final List<String> HEADER = List.of("set", "trainer", "seed", "metric", "value", "train_seconds",
            "predict_micros_per_row", "trainable_parameters");
    private static final CSVFormat FORMAT = CSVFormat.RFC4180.builder().setRecordSeparator('\n').get();

    private final Path file;
    private final List<Measurement> earlier;
    private final CSVPrinter printer;

    private ResultsFile(Path file, List<Measurement> earlier, StandardOpenOption... options) {
        WholeFile.check(file);
        this.file = file;
        this.earlier = List.copyOf(earlier);
        try {
            printer = new CSVPrinter(Files.newBufferedWriter(file, StandardCharsets.UTF_8, options), FORMAT);
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /**
     * Creates the file, or empties it, and writes the header.
     *
     * @param file the file
     * @return the file, without measurements
     * @throws EmtalException if that fails
     */
    public static ResultsFile replace(Path file) {
        ResultsFile results = new ResultsFile(file, List.of());
        results.print(HEADER);
        results.flush();
        return results;
    }

    /**
     * Goes on with a file; where there is none, creates it.
     *
     * @param file the file
     * @return the file with its measurements, to which others can be added
     * @throws EmtalException if the file cannot be read or written, or is not one of these
     */
    public static ResultsFile resume(Path file) {
        return Files.exists(file) ? new ResultsFile(file, read(file), StandardOpenOption.APPEND) : replace(file);
    }

    /**
     * The measurements that were in the file before.
     *
     * @return them, in the file's order
     */
    public List<Measurement> earlier() {
        return earlier;
    }

    /** The lines of one measurement have all but the metric in common. */
    private record Key(String set, String trainer, long seed, double trainSeconds, double predictMicrosPerRow,
            OptionalLong trainableParameters) {
        Measurement with(Map<String, Double> metrics) {
            return new Measurement(set, trainer, seed, metrics, trainSeconds, predictMicrosPerRow, trainableParameters);
        }
    }

    private static List<Measurement> read(Path file) {
        Map<Key, Map<String, Double>> metrics = new LinkedHashMap<>();
        try (CSVParser parser = FORMAT.parse(Files.newBufferedReader(file, StandardCharsets.UTF_8))) {
            for (CSVRecord line : parser) {
                boolean header = line.getRecordNumber() == 1;
                boolean allowed = header ? line.toList().equals(HEADER)
                        : line.size() == HEADER.size() && add(metrics, line);
                EmtalException.check(allowed, "%s, line %d: found %s, allowed are lines of %s, each metric once", file,
                        parser.getCurrentLineNumber(), line.toList(), HEADER);
            }
            EmtalException.check(parser.getRecordNumber() > 0, "%s: found no line, allowed are files that begin with"
                    + " %s", file, HEADER);
        } catch (IOException | UncheckedIOException e) {
            throw new EmtalException(file + " cannot be read: " + e, e);
        }
        List<Measurement> measurements = new ArrayList<>();
        Set<List<Object>> cells = new HashSet<>();
        metrics.forEach((key, values) -> {
            EmtalException.check(cells.add(List.of(key.set, key.trainer, key.seed)), "%s: found two results of set %s,"
                    + " trainer %s, seed %d, allowed is one", file, key.set, key.trainer, key.seed);
            measurements.add(key.with(values));
        });
        return measurements;
    }

    /** Whether a line was one of a measurement, and added to it. */
    private static boolean add(Map<Key, Map<String, Double>> metrics, CSVRecord line) {
        try {
            String parameters = line.get(7);
            Key key = new Key(line.get(0), line.get(1), Long.parseLong(line.get(2)),
                    Double.parseDouble(line.get(5)), Double.parseDouble(line.get(6)),
                    parameters.isEmpty() ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(parameters)));
            return metrics.computeIfAbsent(key, measurement -> new LinkedHashMap<>())
                    .put(line.get(3), Double.valueOf(line.get(4))) == null;
        } catch (NumberFormatException e) {
            return false;
        }
    }

    /**
     * Writes a line for each metric.
     *
     * @param measurement what was measured
     * @throws EmtalException if that fails
     */
    public void add(Measurement measurement) {
        OptionalLong parameters = measurement.trainableParameters();
        measurement.metrics().forEach((metric, value) -> print(List.of(measurement.set(),
                measurement.trainer(), measurement.seed(), metric, value,
                String.format(Locale.ROOT, "%.3f", measurement.trainSeconds()),
                String.format(Locale.ROOT, "%.2f", measurement.predictMicrosPerRow()),
                parameters.isPresent() ? parameters.getAsLong() : "")));
        flush();
    }

    private void print(List<?> cells) {
        try {
            printer.printRecord(cells);
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private void flush() {
        try {
            printer.flush();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    @Override
    public void close() {
        try {
            printer.close();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    private EmtalException failed(IOException e) {
        return new EmtalException(file + " cannot be written: " + e, e);
    }
}

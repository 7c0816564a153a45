package io.emtal.samples.output;

import io.emtal.onnx.EmtalException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalLong;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVPrinter;

/** The CSV file of a comparison. Every measurement is on disk before the next fit begins. */
public final class ResultsFile implements AutoCloseable {
    private static final String FORMULA_START = "=+-@\t\r";

    private final Path file;
    private final CSVPrinter printer;

    /**
     * Creates the file, or empties it, and writes the header.
     *
     * @param file the file
     * @throws EmtalException if that fails
     */
    public ResultsFile(Path file) {
        this.file = file;
        try {
            printer = new CSVPrinter(Files.newBufferedWriter(file, StandardCharsets.UTF_8),
                    CSVFormat.RFC4180.builder().setRecordSeparator('\n').get());
            printer.printRecord("set", "trainer", "seed", "metric", "value", "train_seconds",
                    "predict_micros_per_row", "trainable_parameters");
            printer.flush();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /**
     * Writes a line for each metric.
     *
     * @param measurement what was measured
     * @throws EmtalException if that fails
     */
    public void add(Measurement measurement) {
        try {
            OptionalLong parameters = measurement.trainableParameters();
            for (Map.Entry<String, Double> metric : measurement.metrics().entrySet()) {
                printer.printRecord(text(measurement.set()), text(measurement.trainer()), measurement.seed(),
                        text(metric.getKey()), metric.getValue(),
                        String.format(Locale.ROOT, "%.3f", measurement.trainSeconds()),
                        String.format(Locale.ROOT, "%.2f", measurement.predictMicrosPerRow()),
                        parameters.isPresent() ? parameters.getAsLong() : "");
            }
            printer.flush();
        } catch (IOException e) {
            throw failed(e);
        }
    }

    /** A name that a spreadsheet would take for a formula gets an apostrophe in front. */
    static String text(String name) {
        return !name.isEmpty() && FORMULA_START.indexOf(name.charAt(0)) >= 0 ? "'" + name : name;
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

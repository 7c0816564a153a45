package io.emtal.samples.bench;

import io.emtal.onnx.EmtalException;
import io.emtal.samples.Main;
import java.io.BufferedReader;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;

/** Measures each side in Java processes of their own, one after the other. */
final class FreshProcesses {
    /** What changes steadily while the four run counts alike for both. */
    private static final List<Side> ORDER = List.of(Side.EMTAL, Side.RIVAL, Side.RIVAL, Side.EMTAL);

    private FreshProcesses() {
    }

    /**
     * Measures.
     *
     * @param setting what is measured
     * @return one result a side: the mean of its processes' medians, the shortest step, the larger of the rest
     */
    static List<SideResult> measure(TrainBench.Setting setting) {
        Map<Side, SideResult> results = new EnumMap<>(Side.class);
        for (Side side : ORDER) {
            results.merge(side, run(setting, side), (a, b) -> new SideResult(side,
                    (a.medianMillis() + b.medianMillis()) / 2, Math.min(a.minMillis(), b.minMillis()),
                    Math.max(a.percentile95Millis(), b.percentile95Millis()),
                    (a.processorMillis() + b.processorMillis()) / 2,
                    Math.max(a.peakMegabytes(), b.peakMegabytes()), Math.max(a.ceiling(), b.ceiling())));
        }
        return List.copyOf(results.values());
    }

    private static SideResult run(TrainBench.Setting setting, Side side) {
        try {
            Path file = Files.createTempFile("emtal-bench", ".csv");
            try {
                List<String> command = new ArrayList<>();
                command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
                command.addAll(ManagementFactory.getRuntimeMXBean().getInputArguments());
                command.addAll(List.of("-cp", System.getProperty("java.class.path"), Main.class.getName(), "bench", "train",
                        "--shape", setting.shape().toString(), "--mode", setting.mode().toString(),
                        "--batch", Integer.toString(setting.batch()), "--workers", Integer.toString(setting.workers()),
                        "--micro-batch", Integer.toString(setting.microBatch()),
                        "--steps", Integer.toString(setting.steps()), "--only", side.toString(), "--out", file.toString()));
                Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
                String printed = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
                int status = process.waitFor();
                EmtalException.check(status == 0, "bench: the process of %s ended with status %d: %s", side, status, printed);
                return read(file, side);
            } finally {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new EmtalException("bench: the process of " + side + " failed: " + e.getMessage(), e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EmtalException("bench: interrupted while " + side + " ran", e);
        }
    }

    private static SideResult read(Path file, Side side) throws IOException {
        try (BufferedReader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8);
             CSVParser parser = CSVFormat.RFC4180.builder().setHeader().setSkipHeaderRecord(true).get().parse(reader)) {
            CSVRecord row = parser.iterator().next();
            String peak = row.get("peak_mb");
            return new SideResult(side, Double.parseDouble(row.get("median_ms")), Double.parseDouble(row.get("min_ms")),
                    Double.parseDouble(row.get("p95_ms")), Double.parseDouble(row.get("processor_ms")), peak.isEmpty() ? Double.NaN : Double.parseDouble(peak),
                    Double.parseDouble(row.get("ceiling_gflops")));
        }
    }
}

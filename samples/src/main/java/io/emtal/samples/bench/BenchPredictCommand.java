package io.emtal.samples.bench;

import io.emtal.onnx.train.TrainingStep;
import io.emtal.samples.output.CsvOutput;
import io.emtal.samples.output.WholeFile;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The subcommand {@code bench predict}. */
@Command(name = "predict", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Measure prediction before, during and after training.",
        description = {"",
            "The original backbone with heads, the network as it is trained with routers and low-rank updates, and the "
                + "dense network that both become, as it is exported and rewritten for speed, with batches of 1, 8 and "
                + "64, one thread and all.", ""})
public final class BenchPredictCommand implements Callable<Integer> {
    private static final List<Integer> BATCHES = List.of(1, 8, 64);
    private static final List<String> HEADER = List.of("shape", "network", "batch", "threads", "runs", "median_ms", "min_ms",
            "p95_ms", "images_per_s", "ratio_to_original");

    @Spec
    private CommandSpec spec;

    @Option(names = "--shape", required = true, description = "One of: ${COMPLETION-CANDIDATES}.")
    private BenchShape shape;

    @Option(names = "--runs", paramLabel = "N", defaultValue = "50",
            description = "Runs of each that are measured. Default: ${DEFAULT-VALUE}.")
    private int runs;

    @Option(names = "--out", paramLabel = "FILE", description = "Write the measurements to this CSV file.")
    private Path out;

    /** Made by the command line. */
    private BenchPredictCommand() {
    }

    @Override
    public Integer call() {
        if (runs < 1) {
            throw new ParameterException(spec.commandLine(), "--runs is " + runs + "; allowed are 1 and more");
        }
        if (out != null) {
            WholeFile.check(out);
        }
        PrintWriter screen = spec.commandLine().getOut();
        List<List<Object>> cells = new ArrayList<>();
        BenchNetwork network = BenchNetwork.of(shape, BenchMode.EMTAL_GATED, 64, BenchNetwork.TASKS);
        try (TrainingStep step = network.step(16, 1, 0)) {
            // Some steps, so that the dense network is not the original one.
            for (int i = 0; i < 3; i++) {
                step.run(network.batch(i, 16), network.mode().fade(), BenchNetwork.LEARNING_RATE);
            }
            screen.printf("%n%-9s %5s %7s %10s %10s %10s %10s %8s%n", shape, "batch", "threads", "median ms", "min ms", "p95 ms",
                    "images/s", "ratio");
            int all = Runtime.getRuntime().availableProcessors();
            for (int threads : all == 1 ? new int[] {1} : new int[] {1, all}) {
                for (int batch : BATCHES) {
                    cells.addAll(measure(new PredictNetworks(network, step), batch, threads, screen));
                }
            }
        }
        if (out != null) {
            CsvOutput.write(out, HEADER, cells.stream());
            screen.println("Wrote " + out);
        }
        screen.flush();
        return ExitCode.OK;
    }

    private List<List<Object>> measure(PredictNetworks networks, int batch, int threads, PrintWriter screen) {
        List<String> names = List.of("original", "gated", "dense", "fused");
        List<PredictRun> opened = new ArrayList<>();
        try {
            Stream.of(networks.original(batch, threads), networks.gated(batch, threads), networks.dense(batch, threads),
                    networks.fused(batch, threads)).forEach(opened::add);
            List<Timings> times = InTurns.measure(List.copyOf(opened), runs);
            List<List<Object>> rows = new ArrayList<>();
            for (int i = 0; i < names.size(); i++) {
                Timings t = times.get(i);
                double ratio = t.medianMillis() / times.get(0).medianMillis();
                double rate = 1000 * batch / t.medianMillis();
                screen.printf(Locale.ROOT, "%-9s %5d %7d %10.3f %10.3f %10.3f %10.1f %8.3f%n", names.get(i), batch, threads,
                        t.medianMillis(), t.minMillis(), t.percentile95Millis(), rate, ratio);
                rows.add(List.of(shape.toString(), names.get(i), batch, threads, runs, t.medianMillis(), t.minMillis(),
                        t.percentile95Millis(), rate, ratio));
            }
            return rows;
        } finally {
            opened.forEach(PredictRun::close);
        }
    }
}

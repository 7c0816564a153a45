package io.emtal.samples.bench;

import io.emtal.onnx.EmtalException;
import io.emtal.samples.output.CsvOutput;
import io.emtal.samples.output.WholeFile;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The subcommand {@code bench train}. */
@Command(name = "train", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Measure a training step, beside the same network in PyTorch.",
        description = {"",
            "A step is forward, loss, backward and AdamW. With a rival, both start from the same weights, must give the "
                + "same losses for some steps, and then take steps in turns.", ""})
public final class BenchTrainCommand implements Callable<Integer> {
    private static final int BATCHES = 4;

    @Spec
    private CommandSpec spec;

    @Option(names = "--shape", required = true, description = "One of: ${COMPLETION-CANDIDATES}.")
    private BenchShape shape;

    @Option(names = "--mode", defaultValue = "emtal-gated",
            description = "What is trained: ${COMPLETION-CANDIDATES}. Low-rank updates have rank 8, routers 16 experts. "
                + "Default: ${DEFAULT-VALUE}.")
    private BenchMode mode;

    @Option(names = "--batch", paramLabel = "N", description = "Rows of a step; by default 16 for vit-tiny, 64 for "
            + "the small shapes, 256 for the table.")
    private Optional<Integer> batch;

    @Option(names = "--micro-batch", paramLabel = "N", defaultValue = "0",
            description = "Rows that a worker computes at a time; by default what training uses.")
    private int microBatch;

    @Option(names = "--workers", paramLabel = "N", description = "Threads, of the rival too; by default one a processor.")
    private Optional<Integer> workers;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "20",
            description = "Steps that are measured. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(names = "--rival", description = "Run the same network in DJL's PyTorch engine as well. Needs a jar that was "
            + "built with -Pbench.")
    private boolean rival;

    @Option(names = "--fresh", description = "Run each of the two in Java processes of their own, in the order EMTAL, rival, "
            + "rival, EMTAL; tells the peak memory of each. Implies --rival.")
    private boolean fresh;

    @Option(names = "--only", hidden = true, description = "Run one side alone: emtal or rival.")
    private Side only;

    @Option(names = "--out", paramLabel = "FILE", description = "Write the measurements to this CSV file.")
    private Path out;

    /** Made by the command line. */
    private BenchTrainCommand() {
    }

    @Override
    public Integer call() {
        int rows = batch.orElse(shape.batch());
        int threads = workers.orElse(Runtime.getRuntime().availableProcessors());
        if (rows < 1 || threads < 1 || steps < 1 || microBatch < 0) {
            throw new ParameterException(spec.commandLine(), "--batch is " + rows + ", --workers " + threads + ", --steps "
                    + steps + ", --micro-batch " + microBatch + "; allowed are 1 and more, 0 for the usual micro-batch");
        }
        if (out != null) {
            WholeFile.check(out);
        }
        if (rival || fresh || only == Side.RIVAL) {
            TorchRunner.check();
        }
        TrainBench.Setting setting = new TrainBench.Setting(shape, mode, rows, threads, microBatch, steps);
        PrintWriter screen = spec.commandLine().getOut();
        List<Side> sides = only != null ? List.of(only) : rival ? List.of(Side.values()) : List.of(Side.EMTAL);
        double perRow = printOperations(screen, rows);
        List<SideResult> results = fresh ? FreshProcesses.measure(setting)
                : TrainBench.measure(BenchNetwork.of(shape, mode, BATCHES * rows, BenchNetwork.TASKS), setting, sides, screen);
        print(screen, results, rows, perRow * rows);
        if (out != null) {
            CsvOutput.write(out, SideResult.HEADER, results.stream().map(r -> r.cells(setting, perRow * rows)));
            screen.println("Wrote " + out);
        }
        screen.flush();
        return ExitCode.OK;
    }

    private double printOperations(PrintWriter screen, int rows) {
        Map<String, Double> parts = StepFlops.ofRow(shape, mode, BenchNetwork.TASKS * BenchNetwork.CLASSES);
        double perRow = parts.values().stream().mapToDouble(Double::doubleValue).sum();
        screen.printf(Locale.ROOT, "%s, %s, batch %d: %.3f GFLOP of matrix products a step%n", shape, mode, rows,
                perRow * rows * 1e-9);
        parts.forEach((part, flops) -> screen.printf(Locale.ROOT, "  %9.3f  %s%n", flops * rows * 1e-9, part));
        return perRow;
    }

    private static void print(PrintWriter screen, List<SideResult> results, int rows, double flops) {
        screen.printf("%n%-7s %10s %10s %10s %12s %10s %9s %9s %8s%n", "", "median ms", "min ms", "p95 ms",
                "processor ms", "images/s", "peak MB", "GFLOP/s", "ceiling");
        for (SideResult r : results) {
            screen.printf(Locale.ROOT, "%-7s %10.2f %10.2f %10.2f %12.2f %10.1f %9s %9.1f %7.1f%%%n",
                    r.side(), r.medianMillis(), r.minMillis(), r.percentile95Millis(), r.processorMillis(), 1000 * rows / r.medianMillis(),
                    Double.isNaN(r.peakMegabytes()) ? "" : String.format(Locale.ROOT, "%.0f", r.peakMegabytes()),
                    flops / r.medianMillis() * 1e-6, 100 * flops / r.medianMillis() * 1e-6 / r.ceiling());
        }
        screen.printf(Locale.ROOT, "ceiling: %.1f GFLOP/s in a product of 1024 × 1024 matrices%n",
                results.stream().mapToDouble(SideResult::ceiling).max().orElseThrow());
        if (results.size() == 2) {
            SideResult own = results.get(0);
            SideResult other = results.get(1);
            EmtalException.check(own.side() == Side.EMTAL && other.side() == Side.RIVAL, "bench: found the sides %s, %s",
                    own.side(), other.side());
            screen.printf(Locale.ROOT, "ratio to rival: %.2f%n", own.medianMillis() / other.medianMillis());
            screen.printf(Locale.ROOT, "ratio of processor time: %.2f%n", own.processorMillis() / other.processorMillis());
            if (own.peakMegabytes() > 0 && other.peakMegabytes() > 0) {
                screen.printf(Locale.ROOT, "ratio of peak memory: %.2f%n", own.peakMegabytes() / other.peakMegabytes());
            }
        }
    }
}

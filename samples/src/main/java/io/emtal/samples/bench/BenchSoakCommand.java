package io.emtal.samples.bench;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.train.TrainingStep;
import io.emtal.samples.output.CsvOutput;
import io.emtal.samples.output.WholeFile;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The subcommand {@code bench soak}. */
@Command(name = "soak", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Take very many training steps and watch the memory.",
        description = {"", "The first tenth of the steps is warm-up. After it, the resident memory of the process should "
            + "stay where it is; memory that grows on and on is leaking, on the Java heap or natively.", ""})
public final class BenchSoakCommand implements Callable<Integer> {
    private static final int SAMPLES = 50;
    private static final int WARM_UP = SAMPLES / 10;
    private static final int TASKS = 2;
    private static final List<String> HEADER = List.of("shape", "mode", "batch", "workers", "step", "loss",
            "resident_mb", "seconds");

    @Spec
    private CommandSpec spec;

    @Option(names = "--shape", defaultValue = "small17", description = "One of: ${COMPLETION-CANDIDATES}. Default: "
            + "${DEFAULT-VALUE}.")
    private BenchShape shape;

    @Option(names = "--mode", defaultValue = "emtal-gated",
            description = "What is trained: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private BenchMode mode;

    @Option(names = "--batch", paramLabel = "N", defaultValue = "1", description = "Rows of a step. Default: "
            + "${DEFAULT-VALUE}.")
    private int batch;

    @Option(names = "--workers", paramLabel = "N", description = "Threads; by default one a processor.")
    private Optional<Integer> workers;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "500000",
            description = "How many steps are taken, " + SAMPLES + " or more. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(names = "--out", paramLabel = "FILE", description = "Write the measurements to this CSV file.")
    private Path out;

    /** Made by the command line. */
    private BenchSoakCommand() {
    }

    /** The state after so many steps. */
    private record Sample(int step, double loss, double megabytes, double seconds) {
    }

    @Override
    public Integer call() {
        int threads = workers.orElse(Runtime.getRuntime().availableProcessors());
        if (batch < 1 || threads < 1 || steps < SAMPLES) {
            throw new ParameterException(spec.commandLine(), "--batch is " + batch + ", --workers " + threads
                    + ", --steps " + steps + "; allowed are 1 and more, " + SAMPLES + " and more steps");
        }
        if (out != null) {
            WholeFile.check(out);
        }
        EmtalException.check(ResidentMemory.megabytes().isPresent(), "resident memory: found a system that does not"
                + " tell it in /proc/self/status, allowed is Linux");
        List<Sample> samples = samples(threads);
        double before = samples.get(WARM_UP - 1).megabytes;
        double most = samples.stream().skip(WARM_UP).mapToDouble(Sample::megabytes).max().orElseThrow();
        double last = samples.get(samples.size() - 1).megabytes;
        PrintWriter screen = spec.commandLine().getOut();
        screen.printf(Locale.ROOT, "resident memory after the warm-up: %.0f MB, at most later: %.0f MB, at last: %.0f MB"
                + "%ngrowth of resident memory: %.1f %%%n", before, most, last, 100 * (last / before - 1));
        if (out != null) {
            CsvOutput.write(out, HEADER, samples.stream().map(s -> List.<Object>of(shape.toString(), mode.toString(),
                    batch, threads, s.step, s.loss, s.megabytes, s.seconds)));
            screen.println("Wrote " + out);
        }
        screen.flush();
        return ExitCode.OK;
    }

    private List<Sample> samples(int threads) {
        PrintWriter screen = spec.commandLine().getOut();
        screen.printf("%s, %s, batch %d, workers %d%n%n%10s %12s %12s %10s%n", shape, mode, batch, threads, "step",
                "loss", "resident MB", "seconds");
        List<Sample> samples = new ArrayList<>();
        BenchNetwork network = BenchNetwork.of(shape, mode, Math.max(batch, shape.batch()), TASKS);
        try (TrainingStep step = network.step(batch, threads, 0)) {
            long begun = System.nanoTime();
            for (int done = 1; done <= steps; done++) {
                double loss = 0;
                for (double task : step.run(network.batch(done, batch), mode.fade(), BenchNetwork.LEARNING_RATE)) {
                    loss += task;
                }
                if (done >= (long) steps * (samples.size() + 1) / SAMPLES) {
                    Sample sample = new Sample(done, loss, ResidentMemory.megabytes().orElseThrow(),
                            (System.nanoTime() - begun) * 1e-9);
                    samples.add(sample);
                    screen.printf(Locale.ROOT, "%10d %12.5f %12.0f %10.1f%n", sample.step, sample.loss,
                            sample.megabytes, sample.seconds);
                    screen.flush();
                }
            }
        }
        return samples;
    }
}

package io.emtal.samples.bench;

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

/** The subcommand {@code bench tasks}. */
@Command(name = "tasks", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Measure what more tasks cost, with as many rows.",
        description = {"", "Training steps and predictions of one backbone with 1, 2, 4, … 64 tasks of 10 classes.", ""})
public final class BenchTasksCommand implements Callable<Integer> {
    private static final int MOST = 64;
    private static final List<String> HEADER = List.of("shape", "mode", "tasks", "batch", "workers", "steps", "train_median_ms",
            "train_ratio", "predict_median_ms", "predict_ratio");

    @Spec
    private CommandSpec spec;

    @Option(names = "--shape", defaultValue = "small65", description = "One of: ${COMPLETION-CANDIDATES}. Default: "
            + "${DEFAULT-VALUE}.")
    private BenchShape shape;

    @Option(names = "--mode", defaultValue = "emtal-gated",
            description = "What is trained: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    private BenchMode mode;

    @Option(names = "--batch", paramLabel = "N", description = "Rows of a step and of a prediction.")
    private Optional<Integer> batch;

    @Option(names = "--workers", paramLabel = "N", description = "Threads; by default one a processor.")
    private Optional<Integer> workers;

    @Option(names = "--steps", paramLabel = "N", defaultValue = "30",
            description = "Steps of each that are measured. Default: ${DEFAULT-VALUE}.")
    private int steps;

    @Option(names = "--out", paramLabel = "FILE", description = "Write the measurements to this CSV file.")
    private Path out;

    /** Made by the command line. */
    private BenchTasksCommand() {
    }

    @Override
    public Integer call() {
        int rows = batch.orElse(shape.batch());
        int threads = workers.orElse(Runtime.getRuntime().availableProcessors());
        if (rows < 1 || threads < 1 || steps < 1) {
            throw new ParameterException(spec.commandLine(), "--batch is " + rows + ", --workers " + threads + ", --steps "
                    + steps + "; allowed are 1 and more");
        }
        if (out != null) {
            WholeFile.check(out);
        }
        List<Integer> counts = new ArrayList<>();
        List<TrainingStep> training = new ArrayList<>();
        List<Runnable> trainSteps = new ArrayList<>();
        List<PredictRun> predictions = new ArrayList<>();
        try {
            for (int tasks = 1; tasks <= MOST; tasks *= 2) {
                BenchNetwork network = BenchNetwork.of(shape, mode, rows, tasks);
                TrainingStep step = network.step(rows, threads, 0);
                training.add(step);
                int[] all = network.batch(0, rows);
                trainSteps.add(() -> step.run(all, mode.fade(), BenchNetwork.LEARNING_RATE));
                predictions.add(new PredictNetworks(network, step).dense(rows, threads));
                counts.add(tasks);
            }
            report(counts, InTurns.measure(trainSteps, steps), InTurns.measure(List.copyOf(predictions), steps), rows, threads);
        } finally {
            predictions.forEach(PredictRun::close);
            training.forEach(TrainingStep::close);
        }
        return ExitCode.OK;
    }

    private void report(List<Integer> counts, List<Timings> train, List<Timings> predict, int rows, int threads) {
        PrintWriter screen = spec.commandLine().getOut();
        screen.printf("%s, %s, batch %d, workers %d%n%n%6s %16s %8s %16s %8s%n", shape, mode, rows, threads, "tasks",
                "train median ms", "ratio", "predict median", "ratio");
        List<List<Object>> cells = new ArrayList<>();
        for (int i = 0; i < counts.size(); i++) {
            double t = train.get(i).medianMillis();
            double p = predict.get(i).medianMillis();
            double trainRatio = t / train.get(0).medianMillis();
            double predictRatio = p / predict.get(0).medianMillis();
            screen.printf(Locale.ROOT, "%6d %16.2f %8.3f %16.3f %8.3f%n", counts.get(i), t, trainRatio, p, predictRatio);
            cells.add(List.of(shape.toString(), mode.toString(), counts.get(i), rows, threads, steps, t, trainRatio, p,
                    predictRatio));
        }
        if (out != null) {
            CsvOutput.write(out, HEADER, cells.stream());
            screen.println("Wrote " + out);
        }
        screen.flush();
    }
}

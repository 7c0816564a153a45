package io.emtal.samples.compare;

import io.emtal.onnx.EmtalException;
import io.emtal.samples.output.CommandFiles;
import io.emtal.samples.output.ResultsFile;
import io.emtal.samples.table.DataSetOptions;
import io.emtal.samples.table.Table;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The subcommand {@code compare}. */
@Command(name = "compare", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Train and evaluate on every data set of a folder, and rank the trainers.",
        description = {"",
            "A data set is a folder with a schema.json and the CSV files that it names. Each trainer is fitted on the "
                + "training rows of the given split, or once per fold, and evaluated on the test rows.", "",
            "Main metrics: hamming for targets that are 0 or 1, aRRMSE for numbers, mean_accuracy for classes, mean_error "
                + "(each target's error relative to a constant's) for targets of different kinds or with empty cells, which "
                + "stand for nothing known. The table ranks the trainers and says how far emtal is behind the best of Tribuo's own. Over several sets, "
                + "Friedman's, Nemenyi's and Wilcoxon's tests say which differences are significant. "
                + "Progress goes to the error stream, the table to the standard output, and every metric to a CSV "
                + "file as soon as it is known.", ""})
public final class CompareCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private DataSetOptions dataSets;

    @Option(names = "--trainer", paramLabel = "NAME", completionCandidates = TrainerNames.class,
            description = "Only this trainer; may be given several times. One of: ${COMPLETION-CANDIDATES}. Default: all but "
                + "emtal-tuned, which searches its configuration on the training rows and takes many times as long.")
    private List<String> trainers = List.of();

    @Option(names = "--seeds", paramLabel = "N", defaultValue = "1",
            description = "Train with the seeds 1 to N. Default: ${DEFAULT-VALUE}.")
    private int seeds;

    @Option(names = "--out", paramLabel = "FILE", defaultValue = "compare.csv",
            description = "The CSV file; an old one is replaced, but for --resume. Default: ${DEFAULT-VALUE}.")
    private Path out;

    @Option(names = "--resume", description = "Go on with the CSV file: what it tells of is not trained again, and is in "
            + "the table, too. For runs that were broken off, or are done in parts, all by the same version.")
    private boolean resume;

    /** Made by the command line. */
    CompareCommand() {
    }

    @Override
    public Integer call() {
        if (seeds < 1) {
            throw wrong("--seeds is " + seeds + "; allowed are 1 and more");
        }
        List<String> chosenTrainers = chosenTrainers();
        Map<String, Path> folders = dataSets.folders();
        CommandFiles files = new CommandFiles().writes("--out", out);
        dataSets.files().forEach(file -> files.reads("a file of --data", file));
        files.check();
        List<Contest<?>> contests = new ArrayList<>();
        folders.forEach((name, folder) -> contests.add(contest(name, folder, chosenTrainers)));
        PrintWriter screen = spec.commandLine().getOut();
        try (ResultsFile file = resume ? ResultsFile.resume(out) : ResultsFile.replace(out)) {
            Comparison comparison = new Comparison(contests, seeds, file, spec.commandLine().getErr());
            comparison.run();
            new Scoreboard(contests, comparison.measurements(), Competitors::group).print(screen);
            screen.println();
            screen.println("Every metric is in " + out + ".");
            comparison.failures().forEach(failure -> screen.println("failed: " + failure));
            screen.flush();
            return comparison.failures().isEmpty() ? ExitCode.OK : ExitCode.SOFTWARE;
        }
    }

    private static Contest<?> contest(String name, Path folder, List<String> trainers) {
        Table table = Table.read(folder);
        try {
            return Contest.of(table, trainers);
        } catch (EmtalException e) {
            throw new EmtalException(name + ": " + e.getMessage(), e);
        }
    }

    private List<String> chosenTrainers() {
        List<String> all = Competitors.names();
        for (String name : trainers) {
            if (!all.contains(name)) {
                throw wrong("--trainer " + name + ": there is none of this name; allowed are "
                        + String.join(", ", all));
            }
        }
        return trainers.isEmpty() ? Competitors.usual() : all.stream().filter(trainers::contains).toList();
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    /** The names for the help text. */
    static final class TrainerNames implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Competitors.names().iterator();
        }
    }
}

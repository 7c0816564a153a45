package io.emtal.samples.bench;

import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The subcommand {@code bench}. */
@Command(name = "bench", mixinStandardHelpOptions = true,
        subcommands = {BenchTrainCommand.class, BenchPredictCommand.class, BenchTasksCommand.class,
            BenchSoakCommand.class, BenchKernelsCommand.class},
        header = "Measure training steps, prediction and the cost of tasks.",
        synopsisSubcommandLabel = "COMMAND",
        description = {"",
            "What is compared is run in turns in one process, and medians are compared: other programs on the machine "
                + "then disturb all alike. Networks and data are made up and the same in every run."})
public final class BenchCommand implements Runnable {
    @Spec
    private CommandSpec spec;

    /** Made by the command line. */
    private BenchCommand() {
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "No benchmark given; there are: "
                + String.join(", ", spec.subcommands().keySet()));
    }
}

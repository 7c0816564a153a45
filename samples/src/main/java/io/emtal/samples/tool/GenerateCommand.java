package io.emtal.samples.tool;

import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The subcommand {@code generate}. */
@Command(name = "generate", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Write a table of any length, drawn at random, for the command train.",
        description = {"",
            "A folder with data.csv and schema.json: numbers and two nominal features, and three targets of different "
                + "kinds that depend on them; cells of each are missing. To train on a table larger than memory:", "",
            "  emtal-samples generate --rows 5000000 --out big",
            "  java -Xmx1g -jar emtal-samples.jar train --data big/data.csv --schema big/schema.json --out big.tribuo "
                + "--dense-epochs 1 --epochs 1", ""})
public final class GenerateCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--out", required = true, paramLabel = "DIR",
            description = "The folder; it holds neither file yet.")
    private Path out;

    @Option(names = "--rows", paramLabel = "N", defaultValue = "100000",
            description = "How many rows. Default: ${DEFAULT-VALUE}.")
    private long rows;

    @Option(names = "--columns", paramLabel = "N", defaultValue = "50",
            description = "How many columns, the three targets included. Default: ${DEFAULT-VALUE}.")
    private int columns;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1",
            description = "Decides everything random; the first rows of a longer table are those of a shorter one. "
                + "Default: ${DEFAULT-VALUE}.")
    private long seed;

    /** Made by the command line. */
    private GenerateCommand() {
    }

    @Override
    public Integer call() {
        new SyntheticTable(rows, columns, seed).write(out);
        PrintWriter screen = spec.commandLine().getOut();
        screen.println("Wrote " + rows + " rows of " + columns + " columns: " + out.resolve(SyntheticTable.FILE));
        screen.flush();
        return ExitCode.OK;
    }
}

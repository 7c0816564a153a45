package io.emtal.samples.compare;

import io.emtal.samples.table.Table;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/** The subcommand {@code compare}. */
@Command(name = "compare", mixinStandardHelpOptions = true, header = "Train and evaluate on tables.")
public final class CompareCommand implements Callable<Integer> {
    @Option(names = "--data", required = true, paramLabel = "DIR", description = "Folder with data sets.")
    private Path data;

    @Override
    public Integer call() {
        Table table = Table.read(data);
        System.out.println(table.rows());
        return 0;
    }
}

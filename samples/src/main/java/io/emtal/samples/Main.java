package io.emtal.samples;

import io.emtal.samples.bench.BenchCommand;
import io.emtal.samples.compare.CompareCommand;
import io.emtal.samples.finetune.FinetuneCommand;
import io.emtal.samples.finetune.InspectCommand;
import io.emtal.samples.gain.GainCommand;
import io.emtal.samples.quickstart.QuickstartCommand;
import io.emtal.samples.tool.GenerateCommand;
import io.emtal.samples.tool.PredictCommand;
import io.emtal.samples.tool.TrainCommand;
import java.io.PrintWriter;
import java.util.Locale;
import java.util.logging.Level;
import java.util.logging.Logger;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * The command line of the executable jar. An error is one line on the error stream; the exit status is 0 for success,
 * 1 for a failure and 2 for a wrong command line.
 */
@Command(name = "emtal-samples", mixinStandardHelpOptions = true, versionProvider = Main.Version.class,
        subcommands = {QuickstartCommand.class, TrainCommand.class, PredictCommand.class, CompareCommand.class,
            GainCommand.class, InspectCommand.class, FinetuneCommand.class, BenchCommand.class, GenerateCommand.class},
        header = "Multi-task learning on the JVM, run from the command line.",
        synopsisSubcommandLabel = "COMMAND",
        footer = {"", "Help on a command: emtal-samples COMMAND --help"})
public final class Main implements Runnable {
    @Spec
    private CommandSpec spec;

    @Option(names = "--debug", scope = ScopeType.INHERIT,
            description = "Show the log, and the whole stack trace of an error.")
    private boolean debug;

    /** Made by the command line. */
    private Main() {
    }

    /**
     * Runs a subcommand and ends the virtual machine with its exit status.
     *
     * @param arguments the command line
     */
    public static void main(String[] arguments) {
        // Images are drawn without a display.
        System.setProperty("java.awt.headless", "true");
        // JLine, which tells the width of the console, warns of a part of its own.
        System.setProperty("org.jline.terminal.disableDeprecatedProviderWarning", "true");
        // Tribuo names methods of its protobufs in capitals of the default locale: in Turkish it can write no model.
        Locale.setDefault(Locale.ROOT);
        System.exit(commandLine().execute(arguments));
    }

    /**
     * The command line, ready to execute.
     *
     * @return the parser with all subcommands
     */
    public static CommandLine commandLine() {
        Main main = new Main();
        return new CommandLine(main)
                .setCaseInsensitiveEnumValuesAllowed(true)
                .setExecutionStrategy(parsed -> {
                    main.setLogLevel();
                    return new CommandLine.RunLast().execute(parsed);
                })
                .setParameterExceptionHandler(Main::report)
                .setExecutionExceptionHandler((exception, command, parsed) -> main.report(exception, command));
    }

    @Override
    public void run() {
        throw new ParameterException(spec.commandLine(), "No command given; there are: "
                + String.join(", ", spec.subcommands().keySet()));
    }

    private void setLogLevel() {
        // Tribuo's trainers log every tree and every epoch at INFO.
        Logger.getLogger("").setLevel(debug ? Level.INFO : Level.WARNING);
    }

    private static int report(ParameterException exception, String[] arguments) {
        CommandLine command = exception.getCommandLine();
        PrintWriter err = command.getErr();
        err.println("error: " + firstLine(exception));
        UnmatchedArgumentException.printSuggestions(exception, err);
        err.println("Try: " + command.getCommandSpec().qualifiedName() + " --help");
        return CommandLine.ExitCode.USAGE;
    }

    private int report(Exception exception, CommandLine command) {
        if (debug) {
            exception.printStackTrace(command.getErr());
        } else {
            command.getErr().println("error: " + firstLine(exception));
        }
        return CommandLine.ExitCode.SOFTWARE;
    }

    /** The message; the type too where the message alone says little. */
    private static String firstLine(Exception exception) {
        boolean plain = exception instanceof IllegalArgumentException || exception instanceof ParameterException;
        String text = plain && exception.getMessage() != null ? exception.getMessage() : exception.toString();
        return text.lines().findFirst().orElse(exception.getClass().getSimpleName());
    }

    /** The version in the jar's manifest. */
    static final class Version implements CommandLine.IVersionProvider {
        @Override
        public String[] getVersion() {
            String version = Main.class.getPackage().getImplementationVersion();
            return new String[] {"emtal-samples " + (version == null ? "(not packaged)" : version)};
        }
    }
}

package io.emtal.samples;

import java.io.PrintWriter;
import java.io.StringWriter;
import picocli.CommandLine;

/**
 * A finished run of the command line.
 *
 * @param status the exit status
 * @param out what went to the standard output
 * @param err what went to the error stream
 */
public record CommandLineRun(int status, String out, String err) {
    /** Runs. */
    public static CommandLineRun of(Object... arguments) {
        StringWriter out = new StringWriter();
        StringWriter err = new StringWriter();
        CommandLine line = Main.commandLine();
        line.setOut(new PrintWriter(out, true)).setErr(new PrintWriter(err, true));
        String[] words = new String[arguments.length];
        for (int i = 0; i < words.length; i++) {
            words[i] = arguments[i].toString();
        }
        return new CommandLineRun(line.execute(words), out.toString(), err.toString());
    }
}

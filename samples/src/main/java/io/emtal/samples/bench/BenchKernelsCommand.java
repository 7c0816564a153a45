package io.emtal.samples.bench;

import io.emtal.onnx.EmtalException;
import io.emtal.samples.output.WholeFile;
import java.lang.reflect.InvocationTargetException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** The subcommand {@code bench kernels}: JMH, which only a jar for benchmarks has. */
@Command(name = "kernels", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Measure what Java computes around the graphs of a training.",
        description = {"", "Runs JMH, each kernel in a Java process of its own. Needs a jar that was built with "
            + "-Pbench.", ""})
public final class BenchKernelsCommand implements Callable<Integer> {
    /** What JMH's own jar starts with. By name, for the ordinary jar is made without it. */
    private static final String JMH = "org.openjdk.jmh.Main";

    @Parameters(paramLabel = "KERNEL", arity = "0..*",
            description = "Regular expressions of the kernels to measure; by default all.")
    private List<String> kernels = new ArrayList<>();

    @Option(names = "--quick", description = "One short iteration each: to see that they run.")
    private boolean quick;

    @Option(names = "--out", paramLabel = "FILE", description = "Write the measurements to this CSV file.")
    private Path out;

    /** Made by the command line. */
    private BenchKernelsCommand() {
    }

    @Override
    public Integer call() throws IllegalAccessException, NoSuchMethodException {
        if (out != null) {
            WholeFile.check(out);
        }
        List<String> arguments = new ArrayList<>(kernels);
        if (quick) {
            arguments.addAll(List.of("-wi", "0", "-i", "1", "-r", "100ms"));
        }
        if (out != null) {
            arguments.addAll(List.of("-rf", "csv", "-rff", out.toString()));
        }
        try {
            Class.forName(JMH).getMethod("main", String[].class)
                    .invoke(null, (Object) arguments.toArray(String[]::new));
        } catch (ClassNotFoundException e) {
            throw new EmtalException("kernels: found no JMH in this jar; build with mvn package -DskipTests -Pbench,"
                    + " which puts it into the jar", e);
        } catch (InvocationTargetException e) {
            throw new EmtalException("kernels: JMH failed: " + e.getCause().getMessage(), e.getCause());
        }
        return ExitCode.OK;
    }
}

package io.emtal.samples.quickstart;

import io.emtal.samples.progress.ProgressBarListener;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The subcommand {@code quickstart}. */
@Command(name = "quickstart", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Train EMTAL and a trainer of Tribuo's own on drawn images, and compare them.",
        description = {"",
            "Needs no data and no network: it draws the images itself. On two cores it takes a minute or two. Progress "
                + "goes to the error stream, the report to the standard output.", ""})
public final class QuickstartCommand implements Callable<Integer> {
    private static final int FEWEST_IMAGES = 100;

    @Spec
    private CommandSpec spec;

    @Option(names = "--out", paramLabel = "DIR", defaultValue = "emtal-quickstart",
            description = "Where the model, the ONNX file and the history go. Default: ${DEFAULT-VALUE}.")
    private Path out;

    @Option(names = "--images", paramLabel = "N", defaultValue = "12000",
            description = "Images to train on; fewer take less time and teach less. Default: ${DEFAULT-VALUE}.")
    private int images;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1",
            description = "Decides the images and everything random in the training. Default: ${DEFAULT-VALUE}.")
    private long seed;

    /** Made by the command line. */
    private QuickstartCommand() {
    }

    @Override
    public Integer call() {
        if (images < FEWEST_IMAGES) {
            throw new ParameterException(spec.commandLine(),
                    "--images is " + images + "; allowed are " + FEWEST_IMAGES + " and more");
        }
        try (ProgressBarListener progress = new ProgressBarListener(spec.commandLine().getErr())) {
            new Quickstart(images, seed, out, progress, spec.commandLine().getOut()).run();
        }
        return ExitCode.OK;
    }
}

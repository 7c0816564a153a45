package io.emtal.samples.finetune;

import io.emtal.onnx.backbone.BackboneDescription;
import io.emtal.onnx.data.ImageInput;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The subcommand {@code inspect}. */
@Command(name = "inspect", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Say what transformer is in an ONNX file.",
        description = {"",
            "Blocks, widths, linear layers, pooling, an old classification head and what the file says of the images "
                + "that it reads: what finetune would work with. A file that is not understood is refused with the "
                + "first node that did not fit.", ""})
public final class InspectCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Parameters(paramLabel = "FILE", description = "The ONNX file.")
    private Path file;

    @Mixin
    private BackboneOptions options;

    /** Made by the command line. */
    private InspectCommand() {
    }

    @Override
    public Integer call() {
        BackboneDescription found = options.source(file).build().read().describe();
        PrintWriter screen = spec.commandLine().getOut();
        found.toString().lines().forEach(screen::println);
        screen.println("images: " + found.images().map(InspectCommand::text)
                .orElse("none of one or three channels"));
        screen.flush();
        return ExitCode.OK;
    }

    private static String text(ImageInput images) {
        return String.format(Locale.ROOT, "%d x %d %s, %s, crop %s, mean %s, deviation %s", images.width(),
                images.height(), images.channels().name().toLowerCase(Locale.ROOT),
                images.interpolation().name().toLowerCase(Locale.ROOT), images.cropFraction(), stated(images.mean()),
                stated(images.deviation()));
    }

    private static String stated(List<Double> numbers) {
        return numbers.isEmpty() ? "not stated" : numbers.toString();
    }
}

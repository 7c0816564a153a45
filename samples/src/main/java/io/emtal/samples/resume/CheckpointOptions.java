package io.emtal.samples.resume;

import io.emtal.onnx.train.Checkpoints;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Option;

/** The options that say where and how often a training is saved on its way. */
public final class CheckpointOptions {
    @Option(names = "--checkpoints", paramLabel = "DIR",
            description = "Save the training there on its way. The same command goes on from there, to the same bits, "
                + "after Ctrl-C, a crash or a loss of power.")
    private Optional<Path> directory;

    @Option(names = "--checkpoint-minutes", paramLabel = "X",
            description = "Minutes from one checkpoint to the next; 10 by default, 0 for no limit.")
    private Optional<Double> minutes;

    @Option(names = "--checkpoint-steps", paramLabel = "N",
            description = "Steps from one checkpoint to the next; by default no limit.")
    private Optional<Integer> steps;

    /** Made by the command line. */
    private CheckpointOptions() {
    }

    /**
     * What the options say.
     *
     * @return empty where nothing is to be saved
     * @throws io.emtal.onnx.EmtalException if a number is out of its range
     */
    public Optional<Checkpoints> checkpoints() {
        return directory.map(where -> {
            Checkpoints.Builder builder = Checkpoints.builder(where);
            minutes.ifPresent(builder::everyMinutes);
            steps.ifPresent(builder::everySteps);
            return builder.build();
        });
    }
}

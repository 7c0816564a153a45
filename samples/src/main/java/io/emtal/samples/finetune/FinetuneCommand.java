package io.emtal.samples.finetune;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.backbone.OnnxBackbone;
import io.emtal.onnx.data.ImageInput;
import io.emtal.onnx.predict.Optimise;
import io.emtal.onnx.train.AdamW;
import io.emtal.onnx.train.CosineSchedule;
import io.emtal.onnx.train.Recipe;
import io.emtal.samples.compare.NamedMethod;
import io.emtal.samples.output.CommandFiles;
import io.emtal.samples.output.Measurement;
import io.emtal.samples.output.OptimiseOption;
import io.emtal.samples.output.ResultsFile;
import io.emtal.samples.progress.ProgressBarListener;
import io.emtal.samples.progress.TimeLeft;
import io.emtal.samples.resume.CheckpointOptions;
import io.emtal.samples.resume.StopOnSignal;
import io.emtal.tribuo.image.ImageAugmentation;
import io.emtal.tribuo.image.ImagePreprocessing;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The subcommand {@code finetune}. */
@Command(name = "finetune", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Fine-tune a pre-trained ONNX vision transformer on tables of images.",
        description = {"",
            "Each table is a CSV file: a column path with image files below its folder, a column split with train or "
                + "test, and a column of classes for each task; an empty cell is a missing label. One run learns the "
                + "tasks of all tables, each image being labelled for those of its own table.", "",
            "For each trainer and seed a folder NAME-seedN below the output folder gets model.tribuo, dense.onnx (the "
                + "backbone's own graph with new weights and heads, unless it is fused) and history.csv. Progress goes "
                + "to the error stream, the accuracies on the test rows to the standard output, and all numbers to "
                + "results.csv.",
            ""})
public final class FinetuneCommand implements Callable<Integer> {
    /**
     * The highest learning rates, times the backbone's width: a matrix's rate falls with the number of its inputs
     * (Yang et al. 2021, arXiv 2203.03466). Measured at width 64, with ranks 4 and 8: half and one and a half of the
     * rate are little worse. Of all weights, smaller rates are worse, larger ones were not tried.
     */
    private static final double RATE = 1.28;
    private static final double DENSE_RATE = 0.512;

    /** The highest rank of that rate: beyond it the factors' products move too far in a step; rank 16 diverged. */
    private static final int HIGHEST_RANK = 8;

    /** The end of the learning rate as a part of its peak, and the part of the steps until that is reached. */
    private static final double LAST_RATE = 0.01;
    private static final double WARM_UP = 0.1;

    @Spec
    private CommandSpec spec;

    @Option(names = "--backbone", required = true, paramLabel = "FILE", description = "The ONNX file.")
    private Path backbone;

    @Mixin
    private BackboneOptions options;

    @Option(names = "--images", required = true, paramLabel = "FILE",
            description = "A CSV file that names images; may be given several times.")
    private List<Path> images;

    @Option(names = "--task", paramLabel = "NAME",
            description = "Only this column is a task, or FOLDER.COLUMN; may be given several times.")
    private List<String> tasks = List.of();

    @Option(names = "--ignore", paramLabel = "NAME",
            description = "This column, or FOLDER.COLUMN, is no task; may be given several times.")
    private List<String> ignored = List.of();

    @Option(names = "--mean", paramLabel = "X", split = ",",
            description = "The mean of each channel, 0 to 1, where the backbone's file does not state it.")
    private List<Double> mean = List.of();

    @Option(names = "--deviation", paramLabel = "X", split = ",",
            description = "The standard deviation of each channel, where the backbone's file does not state it.")
    private List<Double> deviation = List.of();

    @Option(names = "--trainer", paramLabel = "NAME", completionCandidates = TrainerNames.class,
            description = "How to fine-tune; may be given several times. One of: ${COMPLETION-CANDIDATES}; separate "
                + "fine-tunes all weights on each table for itself. Default: emtal.")
    private List<String> trainers = List.of("emtal");

    @Option(names = "--rank", paramLabel = "R",
            description = "Rank of the low-rank updates; may be given several times, for a trainer each.")
    private List<Integer> ranks = List.of();

    @Option(names = "--experts", paramLabel = "K",
            description = "Experts of a feed-forward network; must divide its width.")
    private Optional<Integer> experts;

    @Option(names = "--adapt-blocks", paramLabel = "N",
            description = "How many blocks get low-rank updates, counted from the top; by default all.")
    private Optional<Integer> adaptBlocks;

    @Option(names = "--shrink", paramLabel = "X", defaultValue = "1",
            description = "Multiply the weights of the backbone's blocks by this before training, so that it forgets a part of "
                + "what it knows; for images unlike those of the pre-training. Above 0, up to 1. Default: ${DEFAULT-VALUE}.")
    private double shrink;

    @Option(names = "--embedding-rate", paramLabel = "X",
            description = "Train patch embedding, class token, positions and norms, too, at so much of the learning "
                + "rate of the low-rank updates, 0 to 1; for images unlike those of the pre-training. Default: 0.")
    private Optional<Double> embeddingRate;

    @Option(names = "--epochs", paramLabel = "N", description = "Epochs of training.")
    private Optional<Integer> epochs;

    @Option(names = "--batch-size", paramLabel = "N", description = "Images of a training step.")
    private Optional<Integer> batchSize;

    @Option(names = "--learning-rate", paramLabel = "X",
            description = "The highest learning rate. Default: " + RATE + " / the backbone's width; beyond rank "
                + HIGHEST_RANK + " that times " + HIGHEST_RANK + " / rank.")
    private Optional<Double> learningRate;

    @Option(names = "--dense-learning-rate", paramLabel = "X",
            description = "The highest learning rate where all weights are trained: by dense and separate. Default: "
                + "--learning-rate if that is given, else " + DENSE_RATE + " / the backbone's width.")
    private Optional<Double> denseLearningRate;

    @Option(names = "--dropout", paramLabel = "X", defaultValue = "0.1",
            description = "The probability that an inner channel is dropped for a training image. Default: "
                + "${DEFAULT-VALUE}.")
    private double dropout;

    @Mixin
    private AugmentationOptions augmentation;

    @Option(names = "--weight-decay", paramLabel = "X",
            description = "The decay of matrices, a part of them in each step that is the learning rate times this. Default: "
                + "0.1.")
    private Optional<Double> weightDecay;

    @Option(names = "--validation", paramLabel = "FRACTION",
            description = "The fraction of the training images that is held out to choose the best epoch; by "
                + "default none.")
    private Optional<Double> validation;

    @Option(names = "--workers", paramLabel = "N",
            description = "Threads; by default one a processor. Another number gives another model in the last digits.")
    private Optional<Integer> workers;

    @Mixin
    private OptimiseOption optimise;

    @Mixin
    private CheckpointOptions checkpoints;

    @Option(names = "--seeds", paramLabel = "N", defaultValue = "1",
            description = "Train with the seeds 1 to N. Default: ${DEFAULT-VALUE}.")
    private int seeds;

    @Option(names = "--out", paramLabel = "DIR", defaultValue = "emtal-finetune",
            description = "Where files go. Default: ${DEFAULT-VALUE}.")
    private Path out;

    /** Made by the command line. */
    private FinetuneCommand() {
    }

    @Override
    public Integer call() {
        if (seeds < 1) {
            throw wrong("--seeds is " + seeds + "; allowed are 1 and more");
        }
        List<Approach> approaches = approaches();
        Path results = out.resolve("results.csv");
        OnnxBackbone source = options.source(backbone).shrink(shrink).build();
        ImageInput stated = source.images().orElseThrow(() -> new EmtalException(backbone
                + ": found an input of neither one nor three channels, allowed are inputs of images"));
        ImagePreprocessing preprocessing = preprocessing(stated);
        ImageAugmentation drawn = augmentation.augmentation();
        List<ImageSet> sets = ImageSet.read(images, tasks, ignored);
        checkFiles(results, approaches, sets);
        PrintWriter screen = spec.commandLine().getOut();
        FinetuneReport report = new FinetuneReport(screen, sets);
        report.data();
        List<Measurement> measurements = new ArrayList<>();
        List<String> failures = new ArrayList<>();
        try (ResultsFile file = ResultsFile.replace(results);
             StopOnSignal stop = new StopOnSignal(spec.commandLine().getErr());
             ProgressBarListener progress = new ProgressBarListener(spec.commandLine().getErr())) {
            FineTuning tuning = new FineTuning(source, stated, preprocessing, drawn, sets, out,
                    optimise.form().orElse(Optimise.PORTABLE), checkpoints.checkpoints(), progress);
            TimeLeft timeLeft = new TimeLeft();
            approaches.forEach(approach -> timeLeft.expect(approach.name(), seeds));
            for (long seed = 1; seed <= seeds && !stop.requested(); seed++) {
                for (Iterator<Approach> rest = approaches.iterator(); rest.hasNext() && !stop.requested();) {
                    Approach approach = rest.next();
                    try {
                        Measurement measured = tuning.run(approach, recipe(approach, tuning.width()), seed);
                        measurements.add(measured);
                        file.add(measured);
                        timeLeft.done(approach.name(), 1, measured.trainSeconds());
                        tell(measured, timeLeft);
                    } catch (EmtalException e) {
                        progress.close();
                        timeLeft.dropped(approach.name(), 1);
                        failures.add(approach.name() + ", seed " + seed + ": " + e.getMessage());
                    }
                }
            }
        }
        EmtalException.check(!measurements.isEmpty(), "%s", String.join("; ", failures));
        report.table(measurements);
        screen.println("Wrote the models to " + out + ", every number to " + results);
        failures.forEach(failure -> screen.println("failed: " + failure));
        screen.flush();
        return failures.isEmpty() ? ExitCode.OK : ExitCode.SOFTWARE;
    }

    private void checkFiles(Path results, List<Approach> approaches, List<ImageSet> sets) {
        CommandFiles files = new CommandFiles().reads("--backbone", backbone).writes("--out", results);
        images.forEach(file -> files.reads("--images", file));
        for (Approach approach : approaches) {
            for (long seed = 1; seed <= seeds; seed++) {
                FineTuning.files(out, approach, seed, sets).forEach(file -> files.writes("--out", file));
            }
        }
        files.check();
    }

    private void tell(Measurement measured, TimeLeft timeLeft) {
        PrintWriter err = spec.commandLine().getErr();
        err.printf(Locale.ROOT, "%s, seed %d: %s %.4f in %.1f s; about %s left%n", measured.trainer(),
                measured.seed(), FineTuning.MEAN, measured.metrics().get(FineTuning.MEAN), measured.trainSeconds(),
                TimeLeft.format(timeLeft.estimate()));
        err.flush();
    }

    private List<Approach> approaches() {
        NamedMethod.Settings settings = new NamedMethod.Settings(OptionalInt.empty(), given(experts),
                given(adaptBlocks), embeddingRate.map(OptionalDouble::of).orElse(OptionalDouble.empty()));
        List<Approach> approaches = new ArrayList<>();
        for (String name : trainers.stream().distinct().toList()) {
            if (!Approach.names().contains(name)) {
                throw wrong("--trainer " + name + ": there is none of this name; allowed are "
                        + String.join(", ", Approach.names()));
            }
            approaches.addAll(Approach.of(name, ranks.stream().distinct().toList(), settings));
        }
        return approaches;
    }

    private static OptionalInt given(Optional<Integer> number) {
        return number.map(OptionalInt::of).orElse(OptionalInt.empty());
    }

    /** What the options say; where they say nothing, the file must. */
    private ImagePreprocessing preprocessing(ImageInput stated) {
        if (mean.isEmpty() && stated.mean().isEmpty() || deviation.isEmpty() && stated.deviation().isEmpty()) {
            int channels = stated.channels().count();
            throw wrong(backbone + " does not state how its images are scaled: --mean and --deviation are needed, as it"
                    + " was trained with, " + (channels == 1 ? "a number" : channels + " numbers") + " each");
        }
        return ImagePreprocessing.builder().mean(numbers(mean)).deviation(numbers(deviation)).build();
    }

    private static double[] numbers(List<Double> list) {
        return list.stream().mapToDouble(Double::doubleValue).toArray();
    }

    private Recipe recipe(Approach approach, int width) {
        Recipe.Builder recipe = Recipe.builder().dropout(dropout);
        epochs.ifPresent(recipe::epochs);
        batchSize.ifPresent(recipe::batchSize);
        weightDecay.ifPresent(decay -> recipe.optimizer(new AdamW().withWeightDecay(decay)));
        validation.ifPresent(recipe::validationFraction);
        workers.ifPresent(recipe::workers);
        double peak = approach.dense() ? denseLearningRate.or(() -> learningRate).orElse(DENSE_RATE / width)
                : learningRate.orElse(RATE / width * Math.min(1, (double) HIGHEST_RANK / approach.rank().orElse(1)));
        return recipe.schedule(new CosineSchedule(peak, LAST_RATE * peak, WARM_UP)).build();
    }

    private ParameterException wrong(String message) {
        return new ParameterException(spec.commandLine(), message);
    }

    /** The names for the help text. */
    static final class TrainerNames implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Approach.names().iterator();
        }
    }
}

package io.emtal.samples.tool;

import com.oracle.labs.mlrg.olcut.provenance.ListProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.onnx.adapt.Emtal;
import io.emtal.onnx.predict.Optimise;
import io.emtal.onnx.train.EpochRecord;
import io.emtal.onnx.train.ParameterReport;
import io.emtal.onnx.train.Phase;
import io.emtal.onnx.train.Recipe;
import io.emtal.samples.output.CommandFiles;
import io.emtal.samples.output.HistoryFile;
import io.emtal.samples.output.OptimiseOption;
import io.emtal.samples.output.WholeFile;
import io.emtal.samples.progress.ProgressBarListener;
import io.emtal.samples.resume.CheckpointOptions;
import io.emtal.samples.resume.StopOnSignal;
import io.emtal.samples.table.Layout;
import io.emtal.samples.table.Schema;
import io.emtal.tribuo.EmtalModel;
import io.emtal.tribuo.EmtalTrainer;
import io.emtal.tribuo.TrainingReport;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskInfo;
import io.emtal.tribuo.table.TableDataset;
import io.emtal.tribuo.table.TableSchema;
import io.emtal.tribuo.table.TableSource;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The subcommand {@code train}. */
@Command(name = "train", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Train EMTAL on a CSV file and write a model.",
        description = {"",
            "The schema is a JSON file: name, features and targets, each with name, type (numeric or nominal) and, for a "
                + "nominal one, values. A numeric target is predicted as a number, one with the values 0 and 1 as a "
                + "label that a row has or has not, another nominal one as one of several classes; one file may have "
                + "targets of all kinds. The CSV file has a line of column names; an empty cell is a missing value, or "
                + "a target of which nothing is known. It may be larger than memory.", ""})
public final class TrainCommand implements Callable<Integer> {
    /** The name in a model's provenance under which the schema of its data stands. */
    static final String SCHEMA = "schema";
    /** The name there of the columns that are neither features nor targets. */
    static final String IGNORED = "ignored";

    private static final String ONNX_DOMAIN = "io.emtal.samples";

    @Spec
    private CommandSpec spec;

    @Option(names = "--data", required = true, paramLabel = "FILE", description = "The CSV file to train on.")
    private Path data;

    @Option(names = "--schema", paramLabel = "FILE",
            description = "The schema of the CSV file. Default: schema.json beside it.")
    private Optional<Path> schema;

    @Option(names = "--target", paramLabel = "NAME",
            description = "A column that is a target; may be given several times. Then there is no schema: the types of the "
                + "columns are inferred from the cells, and shown.")
    private List<String> targets = List.of();

    @Option(names = "--ignore", paramLabel = "NAME",
            description = "A column that is neither feature nor target, even if the schema has it as a feature; may be "
                + "given several times.")
    private List<String> ignored = List.of();

    @Option(names = "--missing", paramLabel = "TEXT",
            description = "What marks a missing cell besides the empty one, such as NA, where the schema is inferred; may "
                + "be given several times. In a schema that is \"missing\": [\"NA\"].")
    private List<String> missing = List.of();

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "The Tribuo model to write.")
    private Path out;

    @Option(names = "--onnx", paramLabel = "FILE", description = "Write the dense network as an ONNX file too.")
    private Optional<Path> onnx;

    @Mixin
    private OptimiseOption optimise;

    @Option(names = "--history", paramLabel = "FILE", description = "Write the losses of each epoch as a CSV file too.")
    private Optional<Path> history;

    @Option(names = "--dense-epochs", paramLabel = "N", description = "The most epochs of dense training, which comes first.")
    private Optional<Integer> denseEpochs;

    @Option(names = "--epochs", paramLabel = "N", description = "Epochs of adaptation.")
    private Optional<Integer> epochs;

    @Option(names = "--batch-size", paramLabel = "N", description = "Rows of a training step.")
    private Optional<Integer> batchSize;

    @Option(names = "--validation", paramLabel = "FRACTION",
            description = "The fraction of the rows that each of the network's 16 members does without, to choose the best epoch by"
                    + " them: nearest is one of 2 to 16 parts; 0 for none.")
    private Optional<Double> validation;

    @Option(names = "--patience", paramLabel = "N",
            description = "Stop dense training after so many epochs that were no better on the held-out rows; 0 for never.")
    private Optional<Integer> patience;

    @Option(names = "--experts", paramLabel = "K",
            description = "Experts of a feed-forward network; must divide its width.")
    private Optional<Integer> experts;

    @Option(names = "--rank", paramLabel = "R", description = "Rank of the low-rank updates.")
    private Optional<Integer> rank;

    @Option(names = "--workers", paramLabel = "N",
            description = "Threads; by default one a processor. Another number gives another model in the last digits.")
    private Optional<Integer> workers;

    @Mixin
    private CheckpointOptions checkpoints;

    @Option(names = "--seed", paramLabel = "N", defaultValue = "1",
            description = "Decides everything random. Default: ${DEFAULT-VALUE}.")
    private long seed;

    /** Made by the command line. */
    private TrainCommand() {
    }

    @Override
    public Integer call() {
        if (optimise.form().isPresent() && onnx.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "--optimise without --onnx: there is no ONNX file");
        }
        checkFiles();
        Schema whole = schema();
        List<String> others = new ArrayList<>(ignored);
        if (whole.layout().orElse(null) instanceof Layout.Folds folds) {
            others.add(folds.column());
        }
        TableSource source = TableSource.builder(data).schema(whole.columns()).ignore(others.toArray(String[]::new))
                .build();
        Schema columns = new Schema(whole.name(), whole.kind(), whole.layout(), source.schema());
        try (TableDataset rows = TableDataset.of(source)) {
            checkLabels(columns, rows);
            return train(columns, others, rows);
        }
    }

    private void checkFiles() {
        CommandFiles files = new CommandFiles().reads("--data", data).writes("--out", out);
        if (targets.isEmpty()) {
            files.reads("the schema", schema.orElseGet(this::usualSchema));
        }
        onnx.ifPresent(file -> files.writes("--onnx", file));
        history.ifPresent(file -> files.writes("--history", file));
        files.check();
    }

    private Path usualSchema() {
        return data.toAbsolutePath().resolveSibling(Schema.FILE);
    }

    /** A target that no row has would be in no model, and miss where rows are predicted. */
    private void checkLabels(Schema columns, TableDataset rows) {
        Set<String> labelled = ((MultiTaskInfo) rows.getOutputInfo()).kinds().keySet();
        columns.targets().forEach(target -> EmtalException.check(labelled.contains(target.name()), "%s, column %s: found no"
                + " value in %d rows, at least one is needed", data, Quoted.of(target.name()), rows.size()));
    }

    private Schema schema() {
        if (targets.isEmpty()) {
            if (!missing.isEmpty()) {
                throw new ParameterException(spec.commandLine(), "--missing without --target: the schema says it,"
                        + " as \"missing\": [\"" + missing.get(0) + "\"]");
            }
            Path usual = usualSchema();
            EmtalException.check(schema.isPresent() || Files.exists(usual), "%s: found no file; allowed are a schema there, one"
                    + " named by --schema, and --target NAME for each target, to have the schema inferred", usual);
            return Schema.read(schema.orElse(usual));
        }
        if (schema.isPresent()) {
            throw new ParameterException(spec.commandLine(), "--schema and --target: allowed is one of the two");
        }
        TableSchema inferred = TableSchema.infer(data, targets, ignored, Set.copyOf(missing));
        spec.commandLine().getOut().println(inferred);
        return Schema.of(data.getFileName().toString(), inferred);
    }

    private int train(Schema columns, List<String> others, TableDataset rows) {
        Recipe.Builder recipe = Recipe.builder();
        denseEpochs.ifPresent(recipe::pretrainEpochs);
        epochs.ifPresent(recipe::epochs);
        batchSize.ifPresent(recipe::batchSize);
        validation.ifPresent(recipe::validationFraction);
        patience.ifPresent(recipe::patience);
        workers.ifPresent(recipe::workers);
        Emtal.Builder method = Emtal.builder();
        experts.ifPresent(method::experts);
        rank.ifPresent(method::rank);
        try (EmtalModel<MultiTask> model = train(method.build(), recipe.build(), rows,
                Map.of(SCHEMA, new StringProvenance(SCHEMA, columns.toJson()), IGNORED, new ListProvenance<>(others.stream()
                        .map(name -> new StringProvenance(IGNORED, name)).toList())))) {
            write(model);
            tell(columns, rows.size(), model.training());
            return model.training().stop().isPresent() ? StopOnSignal.EXIT_CODE : ExitCode.OK;
        }
    }

    private EmtalModel<MultiTask> train(Emtal method, Recipe recipe, TableDataset rows, Map<String, Provenance> run) {
        try (StopOnSignal stop = new StopOnSignal(spec.commandLine().getErr());
             ProgressBarListener progress = new ProgressBarListener(spec.commandLine().getErr())) {
            EmtalTrainer.Builder<MultiTask> trainer = EmtalTrainer.<MultiTask>builder().method(method).recipe(recipe)
                    .seed(seed).listener(progress);
            checkpoints.checkpoints().ifPresent(trainer::checkpoints);
            return trainer.build().train(rows, run);
        }
    }

    private void write(EmtalModel<?> model) {
        WholeFile.write(out, model::serializeToFile);
        Optimise form = optimise.form().orElse(Optimise.PORTABLE);
        onnx.ifPresent(file -> WholeFile.write(file, to -> model.saveONNXModel(ONNX_DOMAIN, 1, to, form)));
        history.ifPresent(file -> HistoryFile.write(file, model.training()));
    }

    private void tell(Schema columns, int rows, TrainingReport training) {
        PrintWriter screen = spec.commandLine().getOut();
        EpochRecord best = training.best();
        ParameterReport parameters = training.parameters();
        screen.printf(Locale.ROOT, "Trained %s for %d targets on %d rows with %d features.%n", columns.name(),
                columns.targets().size(), rows, columns.features().size());
        training.stop().ifPresent(stop -> screen.println("Stopped in phase " + stop + ": the model is the best so far."));
        boolean held = best.validationLosses().length > 0;
        double[] losses = held ? best.validationLosses() : best.trainLosses();
        screen.printf(Locale.ROOT, "Loss of each task %s, in epoch %d of the %s:%n",
                held ? "on the held-out rows" : "on the training rows", best.epoch(),
                best.phase() == Phase.ADAPT ? "adaptation" : "dense training");
        for (int t = 0; t < losses.length; t++) {
            screen.printf(Locale.ROOT, "  %.4f  %s%n", losses[t], training.tasks().task(t).name());
        }
        if (best.phase() == Phase.ADAPT) {
            screen.printf(Locale.ROOT, "The adaptation trained %d parameters; the dense network has %d.%n",
                    parameters.trainableTotal(), parameters.deployed());
        }
        Stream.concat(Stream.of(out), Stream.concat(onnx.stream(), history.stream()))
                .forEach(file -> screen.println("Wrote " + file));
        screen.flush();
    }
}

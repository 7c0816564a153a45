package io.emtal.samples.tool;

import com.oracle.labs.mlrg.olcut.provenance.ListProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.emtal.onnx.EmtalException;
import io.emtal.samples.output.CommandFiles;
import io.emtal.samples.output.CsvOutput;
import io.emtal.samples.table.Schema;
import io.emtal.tribuo.EmtalModel;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.table.TableSource;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.Prediction;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** The subcommand {@code predict}. */
@Command(name = "predict", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Predict the targets of a CSV file's rows with a model that the command train wrote.",
        description = {"",
            "The CSV file has the columns that the model was trained on; its targets may be there and are not looked "
                + "at; what was ignored in training is ignored again. The predictions are a CSV file with a row for each row: a column for each target, with the "
                + "value, and for targets that are no numbers a column NAME:probability.", ""})
public final class PredictCommand implements Callable<Integer> {
    private static final int ROWS_AT_A_TIME = 1024;

    @Spec
    private CommandSpec spec;

    @Option(names = "--model", required = true, paramLabel = "FILE", description = "The model.")
    private Path model;

    @Option(names = "--data", required = true, paramLabel = "FILE", description = "The CSV file with the rows.")
    private Path data;

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "The CSV file to write.")
    private Path out;

    @Option(names = "--ignore", paramLabel = "NAME",
            description = "Another column to pass over; may be given several times. A feature of the model is "
                + "missing in every row then.")
    private List<String> ignored = List.of();

    @Option(names = "--lenient", description = "Take cells that are not as in training, such as values of a nominal column "
            + "that were not seen there, as missing, and warn of their number; without it they are errors. "
            + "A row without features has no predictions then: its cells are empty.")
    private boolean lenient;

    /** Made by the command line. */
    private PredictCommand() {
    }

    @Override
    public Integer call() {
        new CommandFiles().reads("--data", data).reads("--model", model).writes("--out", out).check();
        try (EmtalModel<?> read = read()) {
            predict(read.castModel(MultiTask.class), schema(read), ignored(read));
        }
        return ExitCode.OK;
    }

    private EmtalModel<?> read() {
        Model<?> found;
        try {
            found = Model.deserializeFromFile(model);
        } catch (EmtalException e) {
            throw e;
        } catch (IOException | RuntimeException e) {
            // Tribuo throws several types for bytes that are no model of any class that it finds.
            throw new EmtalException(model + " cannot be read as a model: " + e, e);
        }
        if (found instanceof EmtalModel<?> ours && ours.validate(MultiTask.class)) {
            return ours;
        }
        throw new EmtalException(model + " is a " + found.getClass().getName() + "; allowed is what train wrote");
    }

    private Schema schema(EmtalModel<?> read) {
        Provenance stored = read.getProvenance().getInstanceProvenance().getMap().get(TrainCommand.SCHEMA);
        if (stored instanceof StringProvenance text) {
            return Schema.parse(model.toString(), text.getValue());
        }
        throw new EmtalException(model + " says nothing of the columns that it was trained on; allowed is what train"
                + " wrote");
    }

    private List<String> ignored(EmtalModel<?> read) {
        Stream<String> inTraining = read.getProvenance().getInstanceProvenance().getMap().get(TrainCommand.IGNORED)
                instanceof ListProvenance<?> names ? names.getList().stream().map(name -> ((StringProvenance) name).getValue())
                : Stream.of();
        return Stream.concat(inTraining, ignored.stream()).toList();
    }

    private void predict(Model<MultiTask> predictor, Schema schema, List<String> others) {
        TableSource.Builder source = TableSource.builder(data).schema(schema.columns()).unlabelled()
                .ignore(others.toArray(String[]::new));
        if (lenient) {
            source.lenient();
        }
        PredictedColumns columns = new PredictedColumns(schema.targets());
        long[] rows = {0};
        CsvOutput.write(out, columns.header(), some(source.build()).flatMap(some -> cells(predictor, columns, some))
                .peek(cells -> rows[0]++));
        PrintWriter screen = spec.commandLine().getOut();
        screen.println("Predicted " + rows[0] + " rows: " + out);
        screen.flush();
    }

    /** Some rows at a time, so that a file may be larger than memory. */
    private static Stream<List<Example<MultiTask>>> some(TableSource source) {
        Iterator<Example<MultiTask>> rows = source.iterator();
        return Stream.generate(() -> {
            List<Example<MultiTask>> some = new ArrayList<>();
            while (rows.hasNext() && some.size() < ROWS_AT_A_TIME) {
                some.add(rows.next());
            }
            return some;
        }).takeWhile(some -> !some.isEmpty());
    }

    private static Stream<List<Object>> cells(Model<MultiTask> predictor, PredictedColumns columns,
            List<Example<MultiTask>> rows) {
        Iterator<Prediction<MultiTask>> predictions = predictor.predict(rows.stream().filter(row -> row.size() > 0)
                .toList()).iterator();
        return rows.stream().map(row -> row.size() > 0 ? columns.cells(predictions.next()) : columns.empty());
    }
}

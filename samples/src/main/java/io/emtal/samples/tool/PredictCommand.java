package io.emtal.samples.tool;

import com.oracle.labs.mlrg.olcut.provenance.Provenance;
import com.oracle.labs.mlrg.olcut.provenance.primitives.StringProvenance;
import io.emtal.onnx.EmtalException;
import io.emtal.samples.output.CsvOutput;
import io.emtal.samples.output.WholeFile;
import io.emtal.samples.table.NaturalFeatures;
import io.emtal.samples.table.Schema;
import io.emtal.samples.table.Table;
import io.emtal.tribuo.EmtalModel;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.tribuo.Example;
import org.tribuo.Model;
import org.tribuo.Output;
import org.tribuo.OutputFactory;
import org.tribuo.multilabel.MultiLabel;
import org.tribuo.multilabel.MultiLabelFactory;
import org.tribuo.regression.RegressionFactory;
import org.tribuo.regression.Regressor;
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
                + "at. The predictions are a CSV file with a row for each row: a column for each target, with the "
                + "value, and for targets that are no numbers a column NAME:probability.", ""})
public final class PredictCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Option(names = "--model", required = true, paramLabel = "FILE", description = "The model.")
    private Path model;

    @Option(names = "--data", required = true, paramLabel = "FILE", description = "The CSV file with the rows.")
    private Path data;

    @Option(names = "--out", required = true, paramLabel = "FILE", description = "The CSV file to write.")
    private Path out;

    /** Made by the command line. */
    private PredictCommand() {
    }

    @Override
    public Integer call() {
        WholeFile.check(out);
        try (EmtalModel<?> read = read()) {
            Table table = Table.readFeatures(schema(read), data);
            switch (table.schema().kind()) {
                case REGRESSION -> predict(read.castModel(Regressor.class), table, new RegressionFactory(),
                        PredictedColumns.numbers(table.schema()));
                case MULTILABEL -> predict(read.castModel(MultiLabel.class), table, new MultiLabelFactory(),
                        PredictedColumns.labels(table.schema()));
                case CATEGORICAL -> predict(read.castModel(MultiLabel.class), table, new MultiLabelFactory(),
                        PredictedColumns.classes(table.schema()));
                default -> throw new AssertionError(table.schema().kind());
            }
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
        if (found instanceof EmtalModel<?> ours) {
            return ours;
        }
        throw new EmtalException(model + " is a " + found.getClass().getName() + "; allowed is what train wrote");
    }

    private Schema schema(EmtalModel<?> read) {
        Provenance stored = read.getProvenance().getInstanceProvenance().getMap().get(TrainCommand.SCHEMA);
        if (stored instanceof StringProvenance text) {
            return Schema.parse(model, text.getValue());
        }
        throw new EmtalException(model + " says nothing of the columns that it was trained on; allowed is what train"
                + " wrote");
    }

    private <T extends Output<T>> void predict(Model<T> predictor, Table table, OutputFactory<T> outputs,
            PredictedColumns<T> columns) {
        NaturalFeatures features = new NaturalFeatures(table);
        List<Example<T>> examples = new ArrayList<>();
        for (int row = 0; row < table.rows(); row++) {
            Example<T> example = features.example(row, outputs.getUnknownOutput());
            EmtalException.check(example.size() > 0, "%s: all features are missing; a row needs at least one",
                    table.origin(row));
            examples.add(example);
        }
        CsvOutput.write(out, columns.header(), predictor.predict(examples).stream().map(columns.cells()));
        PrintWriter screen = spec.commandLine().getOut();
        screen.println("Predicted " + table.rows() + " rows: " + out);
        screen.flush();
    }
}

package io.emtal.samples.output;

import io.emtal.onnx.task.Task;
import io.emtal.onnx.train.EpochRecord;
import io.emtal.tribuo.TrainingReport;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * The history of a training as a CSV file: a row an epoch, and for each task two columns of losses, its weight in
 * Quality Retaining and whether its head is frozen.
 */
public final class HistoryFile {
    private HistoryFile() {
    }

    /**
     * Writes the file. Columns: {@code phase}, {@code epoch} and {@code step} in the phase, {@code learning_rate} and
     * {@code fade} of the epoch's last step, {@code router_entropy}, {@code seconds}, of which
     * {@code input_seconds} went by until inputs were there, and for each task
     * {@code train_loss:<task>}, {@code validation_loss:<task>}, {@code retaining_weight:<task>}, the weight of its
     * terms of Quality Retaining after the epoch's last step, and {@code head_frozen:<task>}, whether its head is not
     * updated from then on; a cell is empty where there is no such number.
     *
     * @param file the file
     * @param training the training
     * @throws io.emtal.onnx.EmtalException if that fails
     */
    public static void write(Path file, TrainingReport training) {
        List<String> header = new ArrayList<>(
                List.of("phase", "epoch", "step", "learning_rate", "fade", "router_entropy", "seconds",
                        "input_seconds"));
        for (Task task : training.tasks().tasks()) {
            header.add("train_loss:" + task.name());
            header.add("validation_loss:" + task.name());
            header.add("retaining_weight:" + task.name());
            header.add("head_frozen:" + task.name());
        }
        CsvOutput.write(file, header, training.history().stream().map(HistoryFile::row));
    }

    private static List<Object> row(EpochRecord epoch) {
        List<Object> row = new ArrayList<>(List.of(epoch.phase().name().toLowerCase(Locale.ROOT), epoch.epoch(),
                epoch.step(), epoch.learningRate(), epoch.fade(), epoch.routerEntropy(), epoch.seconds(),
                epoch.inputSeconds()));
        for (int t = 0; t < epoch.trainLosses().length; t++) {
            row.add(epoch.trainLosses()[t]);
            row.add(epoch.validationLosses().length == 0 ? Double.NaN : epoch.validationLosses()[t]);
            row.add(epoch.retainingWeights().length == 0 ? Double.NaN : epoch.retainingWeights()[t]);
            row.add(epoch.frozenHeads().contains(t));
        }
        return row;
    }
}

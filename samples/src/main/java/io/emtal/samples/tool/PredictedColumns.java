package io.emtal.samples.tool;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.TaskValue;
import io.emtal.tribuo.table.Column;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.tribuo.Prediction;

/**
 * The columns of a file of predictions: a number for each numeric target; for each other one the value, and the
 * probability: of the class, or that a label is there.
 *
 * @param targets the targets
 */
record PredictedColumns(List<Column> targets) {
    private static final String PROBABILITY = ":probability";

    /** The names of the columns. */
    List<String> header() {
        List<String> header = new ArrayList<>();
        for (Column target : targets) {
            header.add(target.name());
            if (target.type() != Column.Type.NUMERIC) {
                header.add(target.name() + PROBABILITY);
            }
        }
        return header;
    }

    /** The cells of a row that cannot be predicted. */
    List<Object> empty() {
        return Collections.nCopies(header().size(), "");
    }

    /** The cells of a row. */
    List<Object> cells(Prediction<MultiTask> prediction) {
        List<Object> cells = new ArrayList<>();
        for (Column target : targets) {
            TaskValue value = prediction.getOutput().value(target.name()).orElseThrow(() -> new EmtalException(
                    "Target " + Quoted.of(target.name()) + " is missing in " + prediction.getOutput()));
            if (value instanceof TaskValue.Real real) {
                cells.add(real.value());
            } else if (value instanceof TaskValue.Category category) {
                cells.addAll(List.of(category.value(), category.score()));
            } else if (value instanceof TaskValue.Binary binary) {
                cells.addAll(List.of(binary.value() ? "1" : "0", binary.value() ? binary.score() : 1 - binary.score()));
            }
        }
        return cells;
    }
}

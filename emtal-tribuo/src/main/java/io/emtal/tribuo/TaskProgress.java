package io.emtal.tribuo;

import io.emtal.onnx.task.Task;
import io.emtal.onnx.train.EpochRecord;
import io.emtal.onnx.train.Phase;
import io.emtal.onnx.train.TaskMean;

import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.stream.IntStream;

/**
 * When a task was at its best in a phase of the training, and what became of it. Tasks are best at different epochs;
 * one epoch is chosen for all. Losses are means over the held-out rows that are labelled for the task, as in
 * {@link EpochRecord#validationLosses()}.
 *
 * @param phase the phase
 * @param task the task's name
 * @param bestEpoch the first epoch of the task's least loss, 0 for what the phase started from
 * @param bestLoss the loss there
 * @param chosenEpoch the epoch whose weights were taken: that of the least {@link TaskMean} of the losses,
 *     among equals the last
 * @param chosenLoss the task's loss there
 * @param chosenRetainingWeight the weight of the task's terms of Quality Retaining there, as in
 *     {@link EpochRecord#retainingWeights()}; not-a-number if it takes no part
 * @param lastEpoch the last epoch with held-out losses
 * @param lastLoss the task's loss there
 */
public record TaskProgress(Phase phase, String task, int bestEpoch, double bestLoss, int chosenEpoch, double chosenLoss,
                           double chosenRetainingWeight, int lastEpoch, double lastLoss) {

    /** The progress of all tasks in all phases. */
    static List<TaskProgress> of(List<Task> tasks, List<EpochRecord> history) {
        return Arrays.stream(Phase.values()).flatMap(phase -> {
            List<EpochRecord> judged = history.stream()
                    .filter(epoch -> epoch.phase() == phase && epoch.validationLosses().length > 0).toList();
            // Whether a task has held-out labels is the same in all epochs.
            return IntStream.range(0, judged.isEmpty() ? 0 : tasks.size())
                    .filter(task -> !Double.isNaN(judged.get(0).validationLosses()[task]))
                    .mapToObj(task -> of(phase, tasks, task, judged));
        }).toList();
    }

    private static TaskProgress of(Phase phase, List<Task> tasks, int task, List<EpochRecord> judged) {
        EpochRecord best = judged.stream()
                .min(Comparator.comparingDouble(epoch -> epoch.validationLosses()[task])).orElseThrow();
        EpochRecord chosen = judged.stream().reduce((a, b) -> score(tasks, b) <= score(tasks, a) ? b : a).orElseThrow();
        EpochRecord last = judged.get(judged.size() - 1);
        double weight = chosen.retainingWeights().length == 0 ? Double.NaN : chosen.retainingWeights()[task];
        return new TaskProgress(phase, tasks.get(task).name(), best.epoch(), best.validationLosses()[task],
                chosen.epoch(), chosen.validationLosses()[task], weight, last.epoch(), last.validationLosses()[task]);
    }

    private static double score(List<Task> tasks, EpochRecord epoch) {
        return TaskMean.of(tasks, epoch.validationLosses()).orElseThrow();
    }
}

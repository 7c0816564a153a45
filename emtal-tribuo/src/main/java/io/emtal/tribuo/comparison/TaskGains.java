package io.emtal.tribuo.comparison;

import io.emtal.tribuo.evaluation.TextTable;

import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.IntStream;

/**
 * What tasks gained from being learnt together, over seeds.
 *
 * @param seeds the seeds
 * @param tasks the tasks, sorted by name, each with a score a seed
 */
public record TaskGains(List<Long> seeds, List<TaskGain> tasks) {

    /** Makes the gains immutable. */
    public TaskGains {
        seeds = List.copyOf(seeds);
        tasks = List.copyOf(tasks);
    }

    /**
     * Δm with each seed: the mean of the tasks' {@linkplain TaskGain#gains() gains}.
     *
     * @return percent, one a seed; nothing where no task has a gain
     */
    public List<OptionalDouble> deltaMs() {
        return IntStream.range(0, seeds.size()).mapToObj(seed -> tasks.stream().map(task -> task.gains().get(seed))
                .flatMapToDouble(OptionalDouble::stream).average()).toList();
    }

    /**
     * Δm over the seeds.
     *
     * @return mean and spread, in percent
     */
    public Spread deltaM() {
        return Spread.of(deltaMs().stream().flatMapToDouble(OptionalDouble::stream));
    }

    /**
     * The gain of a task.
     *
     * @param name the task's name
     * @return the gain, if there is such a task
     */
    public Optional<TaskGain> task(String name) {
        return tasks.stream().filter(task -> task.task().equals(name)).findFirst();
    }

    /**
     * A table: a line a task and Δm, as mean over the seeds and, in brackets, the standard deviation.
     *
     * @return the table; "-" is undefined
     */
    public TextTable table() {
        List<List<String>> rows = new ArrayList<>();
        for (TaskGain task : tasks) {
            rows.add(List.of(task.task(), task.metric().title(), String.valueOf(task.rows()),
                    task.joint().toText("%.4f"), task.separate().toText("%.4f"), task.gain().toText("%+.2f"),
                    ahead(task.gains())));
        }
        rows.add(List.of("mean", "", "", "", "", deltaM().toText("%+.2f"), ahead(deltaMs())));
        return new TextTable(List.of("task", "metric", "rows", "joint", "separate", "gain %", "seeds ahead"), rows);
    }

    private static String ahead(List<OptionalDouble> gains) {
        return gains.stream().filter(gain -> gain.orElse(0) > 0).count() + " of " + gains.size();
    }

    /** The text of the table. */
    @Override
    public String toString() {
        return table().toText();
    }
}

package io.emtal.samples.progress;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * Estimates how long trainings still take, each of which is so much work in any unit. Each trainer has its own
 * pace, and one that has not run yet the mean pace of those that have.
 */
public final class TimeLeft {
    private final int parallelism;
    private final Map<String, Double> workLeft = new HashMap<>();
    private final Map<String, Double> workDone = new HashMap<>();
    private final Map<String, Double> seconds = new HashMap<>();

    /** Of trainings one after another. */
    public TimeLeft() {
        this(1);
    }

    /**
     * Of trainings side by side.
     *
     * @param parallelism how many there are at a time
     */
    public TimeLeft(int parallelism) {
        this.parallelism = parallelism;
    }

    /**
     * Announces work.
     *
     * @param trainer who does it
     * @param work how much
     */
    public void expect(String trainer, double work) {
        workLeft.merge(trainer, work, Double::sum);
    }

    /**
     * Work was done.
     *
     * @param trainer who did it
     * @param work how much
     * @param tookSeconds how long it took
     */
    public void done(String trainer, double work, double tookSeconds) {
        workLeft.merge(trainer, -work, Double::sum);
        workDone.merge(trainer, work, Double::sum);
        seconds.merge(trainer, tookSeconds, Double::sum);
    }

    /**
     * Work was given up.
     *
     * @param trainer whose it was
     * @param work how much
     */
    public void dropped(String trainer, double work) {
        workLeft.merge(trainer, -work, Double::sum);
    }

    /**
     * The time that the work left takes.
     *
     * @return zero before any was done
     */
    public Duration estimate() {
        double meanPace = seconds.keySet().stream().mapToDouble(this::pace).average().orElse(0);
        double left = 0;
        for (Map.Entry<String, Double> trainer : workLeft.entrySet()) {
            left += Math.max(0, trainer.getValue())
                    * (seconds.containsKey(trainer.getKey()) ? pace(trainer.getKey()) : meanPace);
        }
        return Duration.ofMillis(Math.round(left * 1000 / parallelism));
    }

    private double pace(String trainer) {
        return seconds.get(trainer) / workDone.get(trainer);
    }

    /**
     * A duration as people say it.
     *
     * @param duration the duration
     * @return seconds, minutes and seconds, or hours and minutes
     */
    public static String format(Duration duration) {
        long total = duration.toSeconds();
        if (total < 60) {
            return total + " s";
        }
        long minutes = total / 60;
        return minutes < 60 ? minutes + " min " + total % 60 + " s" : minutes / 60 + " h " + minutes % 60 + " min";
    }
}

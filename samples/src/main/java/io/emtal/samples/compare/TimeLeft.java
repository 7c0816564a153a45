package io.emtal.samples.compare;

import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/**
 * Estimates how long the fits still take. A fit's work is taken as rows x inputs x targets; each trainer has its own
 * pace, and one that has not run yet the mean pace of those that have.
 */
final class TimeLeft {
    private final Map<String, Double> workLeft = new HashMap<>();
    private final Map<String, Double> workDone = new HashMap<>();
    private final Map<String, Double> seconds = new HashMap<>();

    void expect(String trainer, double work) {
        workLeft.merge(trainer, work, Double::sum);
    }

    void done(String trainer, double work, double tookSeconds) {
        workLeft.merge(trainer, -work, Double::sum);
        workDone.merge(trainer, work, Double::sum);
        seconds.merge(trainer, tookSeconds, Double::sum);
    }

    /** A fit that was given up. */
    void dropped(String trainer, double work) {
        workLeft.merge(trainer, -work, Double::sum);
    }

    Duration estimate() {
        double meanPace = seconds.keySet().stream().mapToDouble(this::pace).average().orElse(0);
        double left = 0;
        for (Map.Entry<String, Double> trainer : workLeft.entrySet()) {
            left += Math.max(0, trainer.getValue())
                    * (seconds.containsKey(trainer.getKey()) ? pace(trainer.getKey()) : meanPace);
        }
        return Duration.ofMillis(Math.round(left * 1000));
    }

    private double pace(String trainer) {
        return seconds.get(trainer) / workDone.get(trainer);
    }

    /** As people say it: seconds, minutes and seconds, or hours and minutes. */
    static String format(Duration duration) {
        long total = duration.toSeconds();
        if (total < 60) {
            return total + " s";
        }
        long minutes = total / 60;
        return minutes < 60 ? minutes + " min " + total % 60 + " s" : minutes / 60 + " h " + minutes % 60 + " min";
    }
}

package io.emtal.samples.compare;

import io.emtal.samples.output.Measurement;
import io.emtal.samples.output.TextColumns;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import org.tribuo.util.MeanVarianceAccumulator;

/**
 * The main metric of every trainer on every set, the trainers' ranks on each set (ties share the mean of their
 * places) and their mean ranks over the sets that they took part in.
 */
final class Scoreboard {
    private final List<Contest<?>> contests;
    private final List<String> trainers;
    private final Map<String, Map<String, MeanVarianceAccumulator>> scores = new LinkedHashMap<>();

    Scoreboard(List<Contest<?>> contests, List<Measurement> measurements) {
        this.contests = List.copyOf(contests);
        for (Contest<?> contest : contests) {
            Map<String, MeanVarianceAccumulator> perTrainer = new LinkedHashMap<>();
            String set = contest.table().schema().name();
            for (Measurement measurement : measurements) {
                if (measurement.set().equals(set)) {
                    perTrainer.computeIfAbsent(measurement.trainer(), name -> new MeanVarianceAccumulator())
                            .observe(measurement.metrics().get(contest.metrics().main()));
                }
            }
            scores.put(set, perTrainer);
        }
        this.trainers = measurements.stream().map(Measurement::trainer).distinct().toList();
    }

    /** The place of a trainer's mean on a set, 1 being the best; nothing if it was not measured there. */
    OptionalDouble rank(Contest<?> contest, String trainer) {
        Map<String, MeanVarianceAccumulator> perTrainer = scores.get(contest.table().schema().name());
        if (!perTrainer.containsKey(trainer)) {
            return OptionalDouble.empty();
        }
        double sign = contest.metrics().lowerIsBetter() ? 1 : -1;
        double own = sign * perTrainer.get(trainer).getMean();
        long better = perTrainer.values().stream().filter(other -> sign * other.getMean() < own).count();
        long equal = perTrainer.values().stream().filter(other -> sign * other.getMean() == own).count();
        return OptionalDouble.of(better + (equal + 1) / 2.0);
    }

    /** The mean of a trainer's ranks. */
    double meanRank(String trainer) {
        return contests.stream().map(contest -> rank(contest, trainer)).filter(OptionalDouble::isPresent)
                .mapToDouble(OptionalDouble::getAsDouble).average().orElseThrow();
    }

    /** Prints the table, as many sets side by side as fit, then the mean ranks, the best first. */
    void print(PrintWriter out) {
        out.println("Main metric: mean over seeds (standard deviation, where there are several) #rank");
        List<List<String>> columns = new ArrayList<>();
        for (Contest<?> contest : contests) {
            columns.add(column(contest));
        }
        List<String> names = new ArrayList<>(List.of("trainer", ""));
        names.addAll(trainers);
        TextColumns.print(out, names, columns);
        List<String> ranked = trainers.stream().sorted(Comparator.comparingDouble(this::meanRank)).toList();
        List<String> means = new ArrayList<>(List.of("mean rank"));
        List<String> sets = new ArrayList<>(List.of("sets"));
        for (String trainer : ranked) {
            means.add(String.format(Locale.ROOT, "%.2f", meanRank(trainer)));
            sets.add(String.valueOf(contests.stream().filter(c -> rank(c, trainer).isPresent()).count()));
        }
        List<String> heads = new ArrayList<>(List.of("trainer"));
        heads.addAll(ranked);
        TextColumns.print(out, heads, List.of(means, sets));
    }

    private List<String> column(Contest<?> contest) {
        String set = contest.table().schema().name();
        List<String> cells = new ArrayList<>(List.of(set,
                contest.metrics().main() + (contest.metrics().lowerIsBetter() ? ", less is better" : "")));
        for (String trainer : trainers) {
            MeanVarianceAccumulator score = scores.get(set).get(trainer);
            OptionalDouble rank = rank(contest, trainer);
            if (rank.isEmpty()) {
                cells.add("-");
            } else {
                String deviation = score.getCount() > 1
                        ? String.format(Locale.ROOT, " (%.4f)", score.getStdDev()) : "";
                cells.add(String.format(Locale.ROOT, "%.4f%s #%s", score.getMean(), deviation,
                        rank.getAsDouble() % 1 == 0 ? String.valueOf((int) rank.getAsDouble())
                                : String.format(Locale.ROOT, "%.1f", rank.getAsDouble())));
            }
        }
        return cells;
    }
}

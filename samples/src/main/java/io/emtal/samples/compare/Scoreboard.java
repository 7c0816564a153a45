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
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.function.Function;
import java.util.stream.DoubleStream;
import java.util.stream.Stream;
import org.tribuo.util.MeanVarianceAccumulator;

/**
 * The main metric of every trainer on every set, the trainers' ranks on each set (ties share the mean of their
 * places), their mean ranks over the sets that they took part in, how far EMTAL is behind the best of its peers, and which
 * differences are significant.
 */
final class Scoreboard {
    private final List<Contest<?>> contests;
    private final List<String> trainers;
    private final Function<String, Group> groups;
    private final Map<String, Map<String, MeanVarianceAccumulator>> scores = new LinkedHashMap<>();

    /**
     * Collects the scores.
     *
     * @param contests the contests
     * @param measurements what they came to
     * @param groups the group of a trainer by its name
     */
    Scoreboard(List<Contest<?>> contests, List<Measurement> measurements, Function<String, Group> groups) {
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
        this.trainers = measurements.stream().map(Measurement::trainer).distinct()
                .sorted(Comparator.comparing(groups)).toList();
        this.groups = groups;
    }

    /** The place of a trainer's mean on a set, 1 being the best; nothing if it was not measured there. */
    OptionalDouble rank(Contest<?> contest, String trainer) {
        if (!tookPart(contest, trainer)) {
            return OptionalDouble.empty();
        }
        double own = score(contest, trainer);
        double[] all = trainers.stream().filter(other -> tookPart(contest, other))
                .mapToDouble(other -> score(contest, other)).toArray();
        long better = DoubleStream.of(all).filter(other -> other < own).count();
        long equal = DoubleStream.of(all).filter(other -> other == own).count();
        return OptionalDouble.of(better + (equal + 1) / 2.0);
    }

    private boolean tookPart(Contest<?> contest, String trainer) {
        return scores.get(contest.table().schema().name()).containsKey(trainer);
    }

    /** The mean over the seeds, negative where more is better: less is better then. */
    private double score(Contest<?> contest, String trainer) {
        double mean = scores.get(contest.table().schema().name()).get(trainer).getMean();
        return contest.metrics().lowerIsBetter() ? mean : -mean;
    }

    private List<String> in(Group group) {
        return trainers.stream().filter(trainer -> groups.apply(trainer) == group).toList();
    }

    /**
     * By how much EMTAL's main metric is worse than that of the best peer.
     *
     * @param peer the best peer
     * @param percent of that peer's metric; negative where EMTAL is better, infinite where the peer's is 0
     */
    record Gap(String peer, double percent) {
    }

    /** EMTAL's gap on a set; nothing if it or all peers were not measured there. */
    Optional<Gap> gap(Contest<?> contest) {
        Optional<String> emtal = in(Group.EMTAL).stream().filter(trainer -> tookPart(contest, trainer)).findFirst();
        Optional<String> best = in(Group.PEERS).stream().filter(trainer -> tookPart(contest, trainer))
                .min(Comparator.comparingDouble(trainer -> score(contest, trainer)));
        return emtal.flatMap(ours -> best.map(peer -> {
            double difference = score(contest, ours) - score(contest, peer);
            return new Gap(peer, difference == 0 ? 0 : 100 * difference / Math.abs(score(contest, peer)));
        }));
    }

    /** The mean of a trainer's ranks. */
    double meanRank(String trainer) {
        return contests.stream().map(contest -> rank(contest, trainer)).filter(OptionalDouble::isPresent)
                .mapToDouble(OptionalDouble::getAsDouble).average().orElseThrow();
    }

    /** Prints the table, as many sets side by side as fit, the mean ranks, the best first, and the tests. */
    void print(PrintWriter out) {
        out.println("Main metric: mean over seeds (standard deviation, where there are several) #rank");
        List<List<String>> columns = new ArrayList<>();
        for (Contest<?> contest : contests) {
            columns.add(column(contest));
        }
        List<String> names = new ArrayList<>(List.of("trainer", ""));
        for (Group group : Group.values()) {
            if (!in(group).isEmpty()) {
                names.add(group + ":");
                in(group).forEach(trainer -> names.add("  " + trainer));
            }
        }
        names.add("emtal to best peer");
        TextColumns.print(out, names, columns);
        List<String> ranked = trainers.stream().sorted(Comparator.comparingDouble(this::meanRank)).toList();
        List<String> means = new ArrayList<>(List.of("mean rank"));
        List<String> sets = new ArrayList<>(List.of("sets"));
        List<String> group = new ArrayList<>(List.of("group"));
        for (String trainer : ranked) {
            means.add(String.format(Locale.ROOT, "%.2f", meanRank(trainer)));
            sets.add(String.valueOf(contests.stream().filter(c -> tookPart(c, trainer)).count()));
            group.add(groups.apply(trainer).toString());
        }
        List<String> heads = new ArrayList<>(List.of("trainer"));
        heads.addAll(ranked);
        TextColumns.print(out, heads, List.of(means, sets, group));
        if (!in(Group.EMTAL).isEmpty()) {
            significance("emtal against peers", Group.PEERS).print(out);
            significance("emtal against its family", Group.FAMILY).print(out);
        }
    }

    /** The tests of EMTAL against the trainers of a group that took part wherever EMTAL did. */
    private Significance significance(String title, Group group) {
        List<Contest<?>> common = contests.stream()
                .filter(contest -> in(Group.EMTAL).stream().anyMatch(ours -> tookPart(contest, ours))).toList();
        List<String> compared = Stream.of(in(Group.EMTAL), in(group)).flatMap(List::stream)
                .filter(trainer -> common.stream().allMatch(contest -> tookPart(contest, trainer))).toList();
        return new Significance(title, compared, common.stream().map(contest ->
                compared.stream().mapToDouble(trainer -> score(contest, trainer)).toArray()).toArray(double[][]::new));
    }

    private List<String> column(Contest<?> contest) {
        String set = contest.table().schema().name();
        List<String> cells = new ArrayList<>(List.of(set,
                contest.metrics().main() + (contest.metrics().lowerIsBetter() ? ", less is better" : "")));
        for (Group group : Group.values()) {
            if (!in(group).isEmpty()) {
                cells.add("");
                in(group).forEach(trainer -> cells.add(cell(contest, trainer)));
            }
        }
        cells.add(gap(contest).map(gap -> String.format(Locale.ROOT, "%.1f %% %s %s", Math.abs(gap.percent),
                gap.percent > 0 ? "behind" : "ahead of", gap.peer)).orElse("-"));
        return cells;
    }

    private String cell(Contest<?> contest, String trainer) {
        OptionalDouble rank = rank(contest, trainer);
        if (rank.isEmpty()) {
            return "-";
        }
        MeanVarianceAccumulator score = scores.get(contest.table().schema().name()).get(trainer);
        String deviation = score.getCount() > 1 ? String.format(Locale.ROOT, " (%.4f)", score.getStdDev()) : "";
        return String.format(Locale.ROOT, "%.4f%s #%s", score.getMean(), deviation,
                rank.getAsDouble() % 1 == 0 ? String.valueOf((int) rank.getAsDouble())
                        : String.format(Locale.ROOT, "%.1f", rank.getAsDouble()));
    }
}

package io.emtal.samples.compare;

import io.emtal.onnx.EmtalException;
import io.emtal.samples.output.Measurement;
import io.emtal.samples.output.ResultsFile;
import io.emtal.samples.progress.TimeLeft;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.LongStream;
import org.tribuo.Output;

/** Runs every competitor of every contest with every seed. */
final class Comparison {
    private final List<Contest<?>> contests;
    private final int seeds;
    private final ResultsFile file;
    private final PrintWriter progress;
    private final TimeLeft timeLeft = new TimeLeft();
    private final List<Measurement> measurements = new ArrayList<>();
    private final List<String> failures = new ArrayList<>();
    private int fits;
    private int fitsDone;

    /**
     * @param contests the contests
     * @param seeds how many seeds; they are 1, 2, ...
     * @param file where results go at once; what is in it already is not measured again
     * @param progress where each fit is told of
     */
    Comparison(List<Contest<?>> contests, int seeds, ResultsFile file, PrintWriter progress) {
        this.contests = List.copyOf(contests);
        this.seeds = seeds;
        this.file = file;
        this.progress = progress;
    }

    /** Runs. A competitor that fails on a set is reported and left out there; the others go on. */
    void run() {
        contests.forEach(this::expect);
        contests.forEach(this::run);
    }

    List<Measurement> measurements() {
        return List.copyOf(measurements);
    }

    /** What went wrong: set, trainer, seed and message. */
    List<String> failures() {
        return List.copyOf(failures);
    }

    private <T extends Output<T>> void expect(Contest<T> contest) {
        for (Competitor<T> competitor : contest.competitors()) {
            int runs = (int) LongStream.rangeClosed(1, competitor.seeded() ? seeds : 1)
                    .filter(seed -> earlier(contest, competitor, seed).isEmpty()).count();
            fits += runs * contest.splits().size();
            timeLeft.expect(competitor.name(), runs * contest.splits().size() * work(contest));
        }
    }

    private <T extends Output<T>> void run(Contest<T> contest) {
        // Seed by seed: what competitors share for a seed need not be kept for the others.
        for (long seed = 1; seed <= seeds; seed++) {
            for (Competitor<T> competitor : contest.competitors()) {
                Optional<Measurement> earlier = earlier(contest, competitor, seed);
                if (earlier.isPresent()) {
                    measurements.add(earlier.get());
                } else if (competitor.seeded() || seed == 1) {
                    run(contest, competitor, seed);
                } else {
                    repeat(contest, competitor, seed);
                }
            }
        }
        contest.competitors().forEach(Competitor::close);
    }

    private <T extends Output<T>> void run(Contest<T> contest, Competitor<T> competitor, long seed) {
        int before = fitsDone;
        try {
            keep(measure(contest, competitor, seed));
        } catch (RuntimeException | LinkageError e) {
            // A native library that is missing is an error of one competitor, not of all.
            int lost = contest.splits().size() - (fitsDone - before);
            fitsDone += lost;
            timeLeft.dropped(competitor.name(), lost * work(contest));
            fail(contest, competitor, seed, e);
        }
    }

    /** What does not depend on the seed is what it was with the first. */
    private void repeat(Contest<?> contest, Competitor<?> competitor, long seed) {
        find(measurements, contest, competitor, 1).ifPresent(first -> keep(first.withSeed(seed)));
    }

    private Optional<Measurement> earlier(Contest<?> contest, Competitor<?> competitor, long seed) {
        Optional<Measurement> earlier = find(file.earlier(), contest, competitor, seed);
        earlier.ifPresent(found -> EmtalException.check(found.metrics().containsKey(contest.metrics().main()),
                "earlier results: found set %s, trainer %s, seed %d with %s, allowed are results with %s", found.set(),
                found.trainer(), seed, found.metrics().keySet(), contest.metrics().main()));
        return earlier;
    }

    private static Optional<Measurement> find(List<Measurement> among, Contest<?> contest, Competitor<?> competitor,
            long seed) {
        return among.stream().filter(m -> m.seed() == seed && m.trainer().equals(competitor.name())
                && m.set().equals(contest.table().schema().name())).findFirst();
    }

    private <T extends Output<T>> Measurement measure(Contest<T> contest, Competitor<T> competitor, long seed) {
        String set = contest.table().schema().name();
        return contest.measure(competitor, seed, fit -> {
            fitsDone++;
            timeLeft.done(competitor.name(), work(contest), fit.seconds());
            progress.printf(Locale.ROOT, "[%d/%d] %s, %s, seed %d, %s: %s %.4f in %.1f s; about %s left%n", fitsDone,
                    fits, set, competitor.name(), seed, fit.split().name(), contest.metrics().main(), fit.score(),
                    fit.seconds(), TimeLeft.format(timeLeft.estimate()));
            progress.flush();
        });
    }

    private void keep(Measurement measured) {
        measurements.add(measured);
        file.add(measured);
    }

    private void fail(Contest<?> contest, Competitor<?> competitor, long seed, Throwable cause) {
        String message = cause instanceof EmtalException ? cause.getMessage() : cause.toString();
        String failure = contest.table().schema().name() + ", " + competitor.name() + ", seed " + seed + ": " + message;
        failures.add(failure);
        progress.println("failed: " + failure);
        progress.flush();
    }

    private static double work(Contest<?> contest) {
        return (double) contest.splits().get(0).train().length * contest.table().schema().features().size()
                * contest.table().schema().targets().size();
    }
}

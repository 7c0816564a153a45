package io.emtal.samples.gain;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.onnx.SideBySide;
import io.emtal.samples.progress.TimeLeft;
import io.emtal.samples.table.DataSetOptions;
import io.emtal.samples.table.MultiTaskTargets;
import io.emtal.samples.table.NaturalFeatures;
import io.emtal.samples.table.Split;
import io.emtal.samples.table.Table;
import io.emtal.tribuo.comparison.TaskComparison;
import io.emtal.tribuo.comparison.TaskComparison.Fold;
import io.emtal.tribuo.comparison.TaskGains;
import io.emtal.tribuo.multitask.TaskValue;
import io.emtal.tribuo.table.Column;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import org.tribuo.util.MeanVarianceAccumulator;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.TypeConversionException;

/** The subcommand {@code gain}. */
@Command(name = "gain", mixinStandardHelpOptions = true, sortOptions = false,
        header = "Measure what tasks gain from being learnt together, some of their labels missing.",
        description = {"",
            "Makes tasks of mixed kinds of a data set: one numeric target is cut into classes at its quantiles, and a "
                + "fraction of all labels is removed at random, from training and test rows alike. Then trains, with "
                + "each seed and on each fold, one EMTAL of all tasks and one of each task alone on its labelled "
                + "rows, with the same defaults.", "",
            "Gain, in percent: 100 (joint - separate) / separate, with the sign turned where less is better. The mean "
                + "line is the mean over the tasks. Numbers are means over the seeds, in brackets the standard "
                + "deviation. Progress goes to the error stream.", ""})
public final class GainCommand implements Callable<Integer> {
    @Spec
    private CommandSpec spec;

    @Mixin
    private DataSetOptions dataSets;

    @Option(names = "--cut", paramLabel = "TARGET",
            description = "The numeric target that is cut into classes; \"none\" for none. Default: the first one that has "
                + "different numbers enough; none where there is none such.")
    private String cut;

    @Option(names = "--classes", paramLabel = "N", defaultValue = "3",
            description = "How many classes it is cut into. Default: ${DEFAULT-VALUE}.")
    private int classes;

    @Option(names = "--missing", paramLabel = "FRACTION", defaultValue = "0.3",
            description = "The fraction of all labels that is removed. Default: ${DEFAULT-VALUE}.")
    private double missing;

    @Option(names = "--missing-of", paramLabel = "TARGET=FRACTION", converter = MissingOfConverter.class,
            description = "The fraction of one target's labels that is removed as well; may be given several times.")
    private List<MissingOf> missingOf = List.of();

    @Option(names = "--data-seed", paramLabel = "N", defaultValue = "1",
            description = "Decides which labels are removed. Default: ${DEFAULT-VALUE}.")
    private long dataSeed;

    @Option(names = "--seeds", paramLabel = "N", defaultValue = "5",
            description = "Train with the seeds 1 to N. Default: ${DEFAULT-VALUE}.")
    private int seeds;

    @Option(names = "--folds", paramLabel = "N",
            description = "Only the first N folds of data sets that have folds. Default: all.")
    private Integer folds;

    @Option(names = "--parallelism", paramLabel = "N", defaultValue = "0",
            description = "How many models are trained at a time, each in memory of its own; 0 for one a processor. "
                + "Default: ${DEFAULT-VALUE}.")
    private int parallelism;

    /** Made by the command line. */
    private GainCommand() {
    }

    private record MissingOf(String target, double fraction) {
    }

    /** A target's name may have equals signs, a fraction has none. */
    private static final class MissingOfConverter implements ITypeConverter<MissingOf> {
        @Override
        public MissingOf convert(String text) {
            int sign = text.lastIndexOf('=');
            if (sign >= 0) {
                try {
                    return new MissingOf(text.substring(0, sign), Double.parseDouble(text.substring(sign + 1)));
                } catch (NumberFormatException e) {
                    throw wrong(text);
                }
            }
            throw wrong(text);
        }

        private static TypeConversionException wrong(String text) {
            return new TypeConversionException("found " + Quoted.of(text) + ", allowed is TARGET=FRACTION");
        }
    }

    @Override
    public Integer call() {
        check(seeds >= 1, "--seeds is " + seeds + "; allowed are 1 and more");
        check(folds == null || folds >= 1, "--folds is " + folds + "; allowed are 1 and more");
        check(parallelism >= 0, "--parallelism is " + parallelism + "; allowed are 0 and more");
        check(classes >= 2, "--classes is " + classes + "; allowed are 2 and more");
        PrintWriter screen = spec.commandLine().getOut();
        MeanVarianceAccumulator overSets = new MeanVarianceAccumulator();
        List<String> failures = new ArrayList<>();
        dataSets.folders().forEach((name, folder) -> {
            try {
                gains(folder, screen).deltaM().mean().ifPresent(overSets::observe);
            } catch (EmtalException e) {
                failures.add(name + ": " + e.getMessage());
            }
        });
        if (overSets.getCount() > 1) {
            screen.printf(Locale.ROOT, "Mean gain over %d sets: %+.2f %%%n", overSets.getCount(), overSets.getMean());
        }
        screen.flush();
        EmtalException.check(failures.isEmpty(), "%s", String.join("; ", failures));
        return ExitCode.OK;
    }

    private TaskGains gains(Path folder, PrintWriter screen) {
        Table table = Table.read(folder);
        MultiTaskTargets targets = targets(table);
        screen.println(describe(table, targets));
        TaskGains gains = compare(table, targets);
        screen.println(gains);
        screen.flush();
        return gains;
    }

    private MultiTaskTargets targets(Table table) {
        List<Column> columns = table.schema().targets();
        MultiTaskTargets targets = new MultiTaskTargets(table);
        if (cut == null) {
            MultiTaskTargets whole = targets;
            OptionalInt first = IntStream.range(0, columns.size()).filter(t -> whole.canCut(t, classes)).findFirst();
            targets = first.isPresent() ? whole.cut(first.getAsInt(), classes) : whole;
        } else if (!cut.equals("none")) {
            targets = targets.cut(target("--cut", table, cut), classes);
        }
        targets = targets.without(missing, dataSeed);
        for (MissingOf of : missingOf) {
            targets = targets.without(target("--missing-of", table, of.target), of.fraction, dataSeed);
        }
        return targets;
    }

    private int target(String option, Table table, String name) {
        List<String> names = table.schema().targets().stream().map(Column::name).toList();
        EmtalException.check(names.contains(name), "%s %s: found no target of this name, allowed are %s", option, name,
                String.join(", ", names));
        return names.indexOf(name);
    }

    private void check(boolean condition, String message) {
        if (!condition) {
            throw new ParameterException(spec.commandLine(), message);
        }
    }

    private String describe(Table table, MultiTaskTargets targets) {
        List<Column> columns = table.schema().targets();
        StringBuilder text = new StringBuilder(table.schema().name()).append(": ").append(table.rows()).append(" rows");
        for (int target = 0; target < columns.size(); target++) {
            String name = columns.get(target).name();
            long labelled = IntStream.range(0, table.rows())
                    .filter(row -> targets.output(row).value(name).isPresent()).count();
            text.append(", ").append(name).append(" in ").append(labelled);
            if (targets.cuts(target).length > 0) {
                text.append(" (cut at ").append(Arrays.stream(targets.cuts(target)).mapToObj(String::valueOf)
                        .collect(Collectors.joining(", "))).append(')');
            }
        }
        boolean cut = IntStream.range(0, columns.size()).anyMatch(target -> targets.cuts(target).length > 0);
        return text.append(cut ? "" : "; none is cut").toString();
    }

    /** A task without a label in training can be learnt neither together nor alone. */
    private static void checkLabels(Table table, MultiTaskTargets targets, Split split) {
        int[] train = split.train();
        Set<String> labelled = Arrays.stream(train).boxed().flatMap(row -> targets.output(row).values().stream())
                .map(TaskValue::task).collect(Collectors.toSet());
        table.schema().targets().forEach(target -> EmtalException.check(labelled.contains(target.name()), "%s, task %s:"
                + " found no label in %d training rows, at least one is needed", split.name(), Quoted.of(target.name()),
                train.length));
    }

    private TaskGains compare(Table table, MultiTaskTargets targets) {
        NaturalFeatures features = new NaturalFeatures(table);
        List<Split> splits = table.splits();
        if (folds != null) {
            splits = splits.subList(0, Math.min(folds, splits.size()));
        }
        splits.forEach(split -> checkLabels(table, targets, split));
        List<Fold> parts = splits.stream().map(split -> new Fold(table.dataset(features, targets, split.train()),
                table.dataset(features, targets, split.test()))).toList();
        int fits = seeds * parts.size() * (1 + table.schema().targets().size());
        int side = SideBySide.threads(parallelism);
        TimeLeft timeLeft = new TimeLeft(side);
        int[] done = {0};
        timeLeft.expect("joint", seeds * parts.size());
        timeLeft.expect("separate", fits - seeds * parts.size());
        PrintWriter progress = spec.commandLine().getErr();
        TaskComparison.Builder comparison = TaskComparison.builder().seeds(LongStream.rangeClosed(1, seeds).toArray());
        return comparison.parallelism(side).listener(fit -> {
            timeLeft.done(fit.task().isEmpty() ? "joint" : "separate", 1, fit.seconds());
            progress.printf(Locale.ROOT, "[%d/%d] %s, seed %d, fold %d, %s in %.1f s; about %s left%n", ++done[0], fits,
                    table.schema().name(), fit.seed(), fit.fold(), fit.task().orElse("all tasks"), fit.seconds(),
                    TimeLeft.format(timeLeft.estimate()));
            progress.flush();
        }).build().compare(parts);
    }
}

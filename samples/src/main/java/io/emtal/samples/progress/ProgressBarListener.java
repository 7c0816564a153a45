package io.emtal.samples.progress;

import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;
import io.emtal.onnx.train.EpochRecord;
import io.emtal.onnx.train.Phase;
import io.emtal.onnx.train.StepEvent;
import io.emtal.onnx.train.TrainingListener;
import java.io.PrintWriter;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * Shows a training on a console: a bar for each phase, with the time left and the loss of each task. Where there is no
 * console, as in a log file, it writes a line after each epoch instead, and after a minute without one.
 *
 * <p>Of many tasks only the mean loss is shown. Close the listener after the training: one that ended early leaves an
 * unfinished bar.
 */
public final class ProgressBarListener implements TrainingListener, AutoCloseable {
    private static final int MOST_TASKS = 6;
    private static final int UPDATE_MILLIS = 200;
    /** How much of the shown loss is that of the steps before. */
    private static final double SMOOTHING = 0.9;
    private static final long QUIET_NANOS = 60_000_000_000L;

    private final PrintWriter lines;
    private final Optional<Supplier<ProgressBarBuilder>> bars;
    private final LongSupplier nanos;
    private long written;
    private List<String> tasks = List.of();
    private double[] losses = {};
    private ProgressBar bar;
    private StepEvent last;

    /** Shows bars on the console, or writes lines to the error stream if there is none. */
    public ProgressBarListener() {
        this(new PrintWriter(System.err, true));
    }

    /**
     * Shows bars on the console.
     *
     * @param lines gets a line an epoch, and one a minute, if there is no console
     */
    public ProgressBarListener(PrintWriter lines) {
        this(lines, System.console() == null ? Optional.empty() : Optional.of(ProgressBar::builder), System::nanoTime);
    }

    /**
     * @param lines gets the lines if there are no bars
     * @param bars makes a builder for each bar
     * @param nanos tells the time
     */
    ProgressBarListener(PrintWriter lines, Optional<Supplier<ProgressBarBuilder>> bars, LongSupplier nanos) {
        this.lines = lines;
        this.bars = bars;
        this.nanos = nanos;
        written = nanos.getAsLong();
    }

    @Override
    public void start(TaskLayout layout) {
        tasks = layout.tasks().stream().map(Task::name).toList();
    }

    @Override
    public void step(StepEvent event) {
        boolean first = last == null || last.phase() != event.phase() || event.step() == 1;
        last = event;
        // A training that goes on from a checkpoint has no step 1.
        if (first) {
            close();
            losses = event.taskLosses().clone();
            bar = bars.map(builder -> builder.get().setTaskName(name(event.phase())).setInitialMax(event.steps())
                    .setStyle(ProgressBarStyle.ASCII).setUpdateIntervalMillis(UPDATE_MILLIS)
                    .setEtaFunction(state -> Optional.of(left())).build()).orElse(null);
        }
        for (int t = 0; t < losses.length; t++) {
            double now = event.taskLosses()[t];
            losses[t] = Double.isNaN(losses[t]) ? now
                    : Double.isNaN(now) ? losses[t] : SMOOTHING * losses[t] + (1 - SMOOTHING) * now;
        }
        if (bar != null) {
            bar.setExtraMessage(describe(losses));
            bar.stepTo(event.step());
            if (event.step() == event.steps()) {
                close();
            }
        } else if (nanos.getAsLong() - written >= QUIET_NANOS) {
            write(String.format(Locale.ROOT, "%s step %d%s: %s", name(event.phase()), event.step(), ofAll(),
                    describe(losses)));
        }
    }

    @Override
    public void epoch(EpochRecord epoch) {
        if (bars.isPresent()) {
            return;
        }
        // One that goes on from a checkpoint may end an epoch before it has done a step.
        String rest = last == null || last.phase() != epoch.phase() ? "" : ofAll();
        write(String.format(Locale.ROOT, "%s epoch %d, step %d%s: %s", name(epoch.phase()), epoch.epoch(), epoch.step(),
                rest, describe(epoch.trainLosses())));
    }

    private void write(String line) {
        lines.println(line);
        lines.flush();
        written = nanos.getAsLong();
    }

    /** How many steps there are, and the time left. */
    private String ofAll() {
        return " of " + last.steps() + ", " + TimeLeft.format(left()) + " left";
    }

    /** Ends a bar that is unfinished; without one nothing happens. */
    @Override
    public void close() {
        if (bar != null) {
            bar.close();
            bar = null;
        }
    }

    private Duration left() {
        return Duration.ofMillis(Math.round(last.secondsLeft() * 1000));
    }

    private String describe(double[] taskLosses) {
        if (taskLosses.length > MOST_TASKS) {
            double mean = Arrays.stream(taskLosses).filter(loss -> !Double.isNaN(loss)).average().orElse(Double.NaN);
            return String.format(Locale.ROOT, "mean loss of %d tasks %.3f", taskLosses.length, mean);
        }
        StringJoiner text = new StringJoiner(", ", "loss ", "");
        for (int t = 0; t < taskLosses.length; t++) {
            text.add(tasks.get(t) + String.format(Locale.ROOT, " %.3f", taskLosses[t]));
        }
        return text.toString();
    }

    private static String name(Phase phase) {
        return phase == Phase.PRETRAIN ? "dense" : "adapt";
    }
}

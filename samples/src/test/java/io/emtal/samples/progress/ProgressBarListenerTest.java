package io.emtal.samples.progress;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.emtal.onnx.task.BinaryTask;
import io.emtal.onnx.task.Task;
import io.emtal.onnx.task.TaskLayout;
import io.emtal.onnx.train.EpochRecord;
import io.emtal.onnx.train.Phase;
import io.emtal.onnx.train.StepEvent;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.IntStream;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import org.junit.jupiter.api.Test;

class ProgressBarListenerTest {
    private final StringWriter lines = new StringWriter();
    private final List<String> bars = new ArrayList<>();
    private long nanos;

    @Test
    void withoutAConsoleThereIsALineAnEpoch() {
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.GERMANY);
            train(listener(false), 2);
        } finally {
            Locale.setDefault(before);
        }
        assertEquals("""
                dense epoch 1, step 2 of 4, 2 s left: loss t0 0.500, t1 NaN
                dense epoch 2, step 4 of 4, 0 s left: loss t0 0.500, t1 NaN
                adapt epoch 1, step 2 of 4, 2 s left: loss t0 0.500, t1 NaN
                adapt epoch 2, step 4 of 4, 0 s left: loss t0 0.500, t1 NaN
                """, lines.toString().replace("\r\n", "\n"));
    }

    @Test
    void manyTasksAreShownByTheirMean() {
        train(listener(false), 7);
        assertTrue(lines.toString().startsWith("dense epoch 1, step 2 of 4, 2 s left: mean loss of 7 tasks 0.500"),
                lines.toString());
    }

    @Test
    void onAConsoleThereIsABarAPhase() {
        train(listener(true), 2);
        assertEquals("", lines.toString());
        String last = bars.get(bars.size() - 1);
        assertTrue(last.startsWith("adapt 100%") && last.contains("4/4") && last.contains("loss t0 0.500, t1 "), last);
        assertTrue(bars.stream().anyMatch(bar -> bar.startsWith("dense 100%")), bars.toString());
    }

    @Test
    void closingEndsAnUnfinishedBar() {
        ProgressBarListener listener = listener(true);
        listener.start(layout(1));
        listener.step(step(Phase.PRETRAIN, 1, 1));
        listener.close();
        listener.close();
        assertTrue(bars.get(bars.size() - 1).contains("1/4"), bars.toString());
    }

    @Test
    void withoutAConsoleALongEpochHasALineAMinute() {
        ProgressBarListener listener = listener(false);
        listener.start(layout(1));
        for (int step = 1; step <= 3; step++) {
            nanos += 40_000_000_000L;
            listener.step(step(Phase.PRETRAIN, step, 1));
        }
        listener.epoch(epoch(Phase.PRETRAIN, 3, 1));
        nanos += 59_000_000_000L;
        listener.step(step(Phase.PRETRAIN, 4, 1));
        nanos += 1_000_000_000L;
        listener.step(new StepEvent(Phase.ADAPT, 1, 4, 1e-3, 1, losses(1), Map.of(), 7200));
        assertEquals("""
                dense step 2 of 4, 2 s left: loss t0 0.500
                dense epoch 1, step 3 of 4, 1 s left: loss t0 0.500
                adapt step 1 of 4, 2 h 0 min left: loss t0 0.500
                """, lines.toString().replace("\r\n", "\n"));
    }

    /** From a checkpoint at the end of an epoch, whose step is not heard of. */
    @Test
    void aTrainingThatGoesOnInTheMiddleIsShownFromThere() {
        for (boolean console : new boolean[] {true, false}) {
            ProgressBarListener listener = listener(console);
            listener.start(layout(1));
            listener.epoch(epoch(Phase.ADAPT, 2, 1));
            listener.step(step(Phase.ADAPT, 3, 1));
            listener.step(step(Phase.ADAPT, 4, 1));
            listener.epoch(epoch(Phase.ADAPT, 4, 1));
            listener.close();
        }
        assertEquals("""
                adapt epoch 1, step 2: loss t0 0.500
                adapt epoch 2, step 4 of 4, 0 s left: loss t0 0.500
                """, lines.toString().replace("\r\n", "\n"));
        assertTrue(bars.get(bars.size() - 1).startsWith("adapt 100%"), bars.toString());
    }

    private ProgressBarListener listener(boolean console) {
        return new ProgressBarListener(new PrintWriter(lines), console ? Optional.of(() -> ProgressBar.builder()
                .setConsumer(new DelegatingProgressBarConsumer(bars::add, 200))) : Optional.empty(), () -> nanos);
    }

    /** Two phases of two epochs of two steps; the first task's loss is always 0.5, the others have no labels. */
    private static void train(ProgressBarListener listener, int tasks) {
        listener.start(layout(tasks));
        for (Phase phase : Phase.values()) {
            for (int step = 1; step <= 4; step++) {
                listener.step(step(phase, step, tasks));
                if (step % 2 == 0) {
                    listener.epoch(epoch(phase, step, tasks));
                }
            }
        }
        listener.close();
    }

    private static EpochRecord epoch(Phase phase, int step, int tasks) {
        return new EpochRecord(phase, step / 2, step, 1e-3, 1, losses(tasks), new double[0], Double.NaN, 1, 0);
    }

    private static StepEvent step(Phase phase, int step, int tasks) {
        return new StepEvent(phase, step, 4, 1e-3, 1, losses(tasks), Map.of(), 4 - step);
    }

    private static double[] losses(int tasks) {
        return IntStream.range(0, tasks).mapToDouble(t -> t == 0 ? 0.5 : Double.NaN).toArray();
    }

    private static TaskLayout layout(int tasks) {
        return new TaskLayout(IntStream.range(0, tasks).<Task>mapToObj(t -> new BinaryTask("t" + t)).toList());
    }
}

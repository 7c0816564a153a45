package io.emtal.samples.bench;

import com.sun.management.OperatingSystemMXBean;
import io.emtal.onnx.EmtalException;
import java.io.PrintWriter;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Measures training steps of one side or of both in turns. */
final class TrainBench {
    /** The largest relative difference of the sides' losses. */
    static final double TOLERANCE = 1e-5;
    private static final int COMPARED_STEPS = 5;
    private static final int WARM_UPS = 3;
    private static final OperatingSystemMXBean CLOCK =
            ManagementFactory.getPlatformMXBean(OperatingSystemMXBean.class);

    private TrainBench() {
    }

    /**
     * What is measured.
     *
     * @param shape the network's sizes
     * @param mode what is trained
     * @param batch the rows of a step
     * @param workers the number of threads
     * @param microBatch the rows that a worker computes at a time, 0 for what training uses
     * @param steps how many steps are measured
     */
    record Setting(BenchShape shape, BenchMode mode, int batch, int workers, int microBatch, int steps) {
    }

    /**
     * Measures.
     *
     * @param network what is trained
     * @param setting how
     * @param sides by whom
     * @param screen hears how well the sides agree
     * @return one result a side
     * @throws EmtalException if the sides' losses differ
     */
    static List<SideResult> measure(BenchNetwork network, Setting setting, List<Side> sides, PrintWriter screen) {
        Map<Side, StepRunner> runners = new EnumMap<>(Side.class);
        try (MatrixCeiling ceiling = new MatrixCeiling(setting.workers())) {
            for (Side side : sides) {
                runners.put(side, runner(network, setting, side, screen));
            }
            compare(network, setting, runners, screen);
            ceiling.measure();
            Map<Side, long[]> nanos = new EnumMap<>(Side.class);
            Map<Side, Long> processor = new EnumMap<>(Side.class);
            sides.forEach(side -> nanos.put(side, new long[setting.steps()]));
            for (int step = -WARM_UPS; step < setting.steps(); step++) {
                int[] rows = network.batch(Math.floorMod(step, setting.steps()), setting.batch());
                for (int k = 0; k < sides.size(); k++) {
                    // Whoever comes first in a turn pays for what the other left in the caches.
                    Side side = sides.get(Math.floorMod(k + step, sides.size()));
                    long processorBegun = CLOCK.getProcessCpuTime();
                    long begun = System.nanoTime();
                    runners.get(side).step(rows);
                    if (step >= 0) {
                        nanos.get(side)[step] = System.nanoTime() - begun;
                        processor.merge(side, CLOCK.getProcessCpuTime() - processorBegun, Long::sum);
                    }
                }
            }
            ceiling.measure();
            double peak = sides.size() == 1 ? ResidentMemory.peakMegabytes().orElse(Double.NaN) : Double.NaN;
            List<SideResult> results = new ArrayList<>();
            for (Side side : sides) {
                Timings times = new Timings(nanos.get(side));
                results.add(new SideResult(side, times.medianMillis(), times.minMillis(), times.percentile95Millis(),
                        processor.get(side) * 1e-6 / setting.steps(), peak, ceiling.gigaflops()));
            }
            return results;
        } finally {
            runners.values().forEach(StepRunner::close);
        }
    }

    private static StepRunner runner(BenchNetwork network, Setting setting, Side side, PrintWriter screen) {
        if (side == Side.RIVAL) {
            return TorchRunner.of(network, setting.workers());
        }
        EmtalRunner runner = new EmtalRunner(network, setting.batch(), setting.workers(), setting.microBatch());
        screen.printf("micro-batches of %d, workers %d%n", runner.microBatchSize(), setting.workers());
        return runner;
    }

    /** Takes some steps on each side from the same weights. */
    private static void compare(BenchNetwork network, Setting setting, Map<Side, StepRunner> runners,
                                PrintWriter screen) {
        double worst = 0;
        for (int step = 0; step < COMPARED_STEPS; step++) {
            int[] rows = network.batch(step, setting.batch());
            double[] first = null;
            for (Map.Entry<Side, StepRunner> runner : runners.entrySet()) {
                double[] losses = runner.getValue().step(rows);
                if (first == null) {
                    first = losses;
                }
                for (int t = 0; t < losses.length; t++) {
                    double difference = Math.abs(losses[t] - first[t]) / first[t];
                    worst = Math.max(worst, difference);
                    EmtalException.check(difference <= TOLERANCE, "bench, step %d, task '%s': found the losses %s by EMTAL"
                            + " and %s by its rival, allowed is a relative difference of %s", step + 1,
                            network.tasks().task(t).name(), first[t], losses[t], TOLERANCE);
                }
            }
        }
        if (runners.size() > 1) {
            screen.printf(Locale.ROOT, "losses of the first %d steps differ by %.1e at most, relative%n", COMPARED_STEPS, worst);
        }
    }
}

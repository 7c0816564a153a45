package io.emtal.samples.bench;

import java.util.List;

/**
 * What was measured of one side.
 *
 * @param side who
 * @param medianMillis the median time of a step
 * @param minMillis the shortest
 * @param percentile95Millis the longest of all but one in twenty
 * @param processorMillis the mean processor time of a step, of all threads together: leaves out what other programs
 *     take, but not what threads lose in waiting for each other
 * @param peakMegabytes the peak resident memory of a process of its own; NaN where it had none
 * @param ceiling GFLOP/s of a large matrix product in the same run
 */
record SideResult(Side side, double medianMillis, double minMillis, double percentile95Millis,
                  double processorMillis, double peakMegabytes, double ceiling) {
    static final List<String> HEADER = List.of("shape", "mode", "batch", "workers", "micro_batch", "steps", "side",
            "median_ms", "min_ms", "p95_ms", "processor_ms", "images_per_s", "peak_mb", "gflop_per_step", "gflops", "ceiling_gflops",
            "fraction_of_ceiling");

    List<Object> cells(TrainBench.Setting setting, double flops) {
        double rate = flops / medianMillis * 1e-6;
        return List.of(setting.shape().toString(), setting.mode().toString(), setting.batch(), setting.workers(),
                setting.microBatch(), setting.steps(), side.toString(), medianMillis, minMillis, percentile95Millis,
                processorMillis, 1000 * setting.batch() / medianMillis, peakMegabytes, flops * 1e-9, rate, ceiling, rate / ceiling);
    }
}

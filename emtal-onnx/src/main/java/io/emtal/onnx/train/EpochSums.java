package io.emtal.onnx.train;

import io.emtal.onnx.task.BatchLabels;

import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/** What the steps of one epoch add up to. */
final class EpochSums {

    /** The prefix of an adaptation's reports of mean gates [K], with the block's name behind it. */
    private static final String GATE = "gate.";
    /** The prefix of an adaptation's reports of the gates' mean entropy. */
    private static final String ENTROPY = "routerEntropy.";

    private final double[] losses;
    private final long[] counts;
    private final Map<String, double[]> reports = new LinkedHashMap<>();
    private int steps;
    private int reportedSteps;
    private double seconds;
    private double inputSeconds;

    /**
     * Starts without a step.
     *
     * @param tasks the number of tasks
     */
    EpochSums(int tasks) {
        losses = new double[tasks];
        counts = new long[tasks];
    }

    /**
     * Adds a step.
     *
     * @param labels its labels
     * @param means the mean loss of each task
     * @param reported the adaptation's reports, none without a router
     * @param seconds how long it took
     * @param inputSeconds how long of that its inputs took
     */
    void add(BatchLabels labels, double[] means, Map<String, double[]> reported, double seconds, double inputSeconds) {
        for (int t = 0; t < losses.length; t++) {
            if (labels.count(t) > 0) {
                losses[t] += means[t] * labels.count(t);
                counts[t] += labels.count(t);
            }
        }
        reported.forEach((name, values) -> {
            double[] sum = reports.computeIfAbsent(name, n -> new double[values.length]);
            for (int i = 0; i < values.length; i++) {
                sum[i] += values[i];
            }
        });
        steps++;
        reportedSteps += reported.isEmpty() ? 0 : 1;
        this.seconds += seconds;
        this.inputSeconds += inputSeconds;
    }

    /** The number of steps. */
    int steps() {
        return steps;
    }

    /** How long the steps took. */
    double seconds() {
        return seconds;
    }

    /** How long of that their inputs took. */
    double inputSeconds() {
        return inputSeconds;
    }

    /** The mean loss of each task over its labelled rows; not-a-number without any. */
    double[] means() {
        double[] means = new double[losses.length];
        for (int t = 0; t < means.length; t++) {
            means[t] = counts[t] == 0 ? Double.NaN : losses[t] / counts[t];
        }
        return means;
    }

    /** The mean gates by block; none without a routed step. */
    Map<String, double[]> gates() {
        Map<String, double[]> gates = new LinkedHashMap<>();
        reports.forEach((name, sum) -> {
            if (name.startsWith(GATE)) {
                gates.put(name.substring(GATE.length()), Arrays.stream(sum).map(s -> s / reportedSteps).toArray());
            }
        });
        return gates;
    }

    /** The mean entropy of the gates over all blocks; not-a-number without a routed step. */
    double entropy() {
        return reports.entrySet().stream().filter(e -> e.getKey().startsWith(ENTROPY))
                .mapToDouble(e -> e.getValue()[0] / reportedSteps).average().orElse(Double.NaN);
    }

    /** Writes the sums. */
    void write(StateOutput output) throws IOException {
        output.write(losses);
        output.write(counts);
        output.write(reports);
        output.write(steps);
        output.write(reportedSteps);
        output.write(seconds);
        output.write(inputSeconds);
    }

    /** Takes over what was written. */
    void read(StateInput input) throws IOException {
        input.readInto("sums of losses", losses);
        input.readInto("counts of labels", counts);
        reports.clear();
        reports.putAll(input.readMap());
        steps = input.readInt();
        reportedSteps = input.readInt();
        seconds = input.readDouble();
        inputSeconds = input.readDouble();
    }
}

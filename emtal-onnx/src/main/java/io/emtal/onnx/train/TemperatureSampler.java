package io.emtal.onnx.train;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.data.Examples;
import io.emtal.onnx.task.Task;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/**
 * Draws a task for each place of an epoch, with a probability in proportion to n_t^(1/T), where n_t is the number of rows
 * that have a label of task t and T the temperature, then one of these rows: all of them once before any comes again. At
 * T = 1 tasks come as often as they have labels, at a high temperature almost alike. What other labels a row has count,
 * too. Rows without any label do not come at all.
 */
public final class TemperatureSampler implements Sampler {

    @Config(description = "The temperature T, 1 or more; infinite for all tasks alike.")
    private double temperature = 2;

    /** For OLCUT, and the default temperature of 2. */
    public TemperatureSampler() {
    }

    /**
     * Sets the temperature.
     *
     * @param temperature T, 1 or more; may be infinite
     * @throws EmtalException if it is less than 1
     */
    public TemperatureSampler(double temperature) {
        this.temperature = temperature;
        EmtalException.check(temperature >= 1, "%s", message());
    }

    /**
     * Draws all tasks alike.
     *
     * @return a sampler of infinite temperature
     */
    public static TemperatureSampler balanced() {
        return new TemperatureSampler(Double.POSITIVE_INFINITY);
    }

    @Override
    public void postConfig() {
        if (!(temperature >= 1)) {
            throw new PropertyException("", "TemperatureSampler", message());
        }
    }

    private String message() {
        return "TemperatureSampler: found temperature " + temperature + ", allowed is 1 or more";
    }

    @Override
    public int[] epoch(int[] training, Examples examples, int tasks, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        Deck[] decks = IntStream.range(0, tasks).mapToObj(t -> new Deck(Arrays.stream(training)
                .filter(row -> Task.isLabelled(examples.label(row, t))).toArray(), random.split())).toArray(Deck[]::new);
        double[] sums = new double[tasks];
        double sum = 0;
        for (int t = 0; t < tasks; t++) {
            sum += decks[t].rows.length == 0 ? 0 : Math.pow(decks[t].rows.length, 1 / temperature);
            sums[t] = sum;
        }
        int[] rows = new int[training.length];
        for (int i = 0; i < rows.length; i++) {
            double drawn = random.nextDouble() * sum;
            rows[i] = decks[(int) Arrays.stream(sums).filter(s -> s <= drawn).count()].next();
        }
        return rows;
    }

    /** The rows of a task, shuffled whenever all of them have come. */
    private static final class Deck {

        private final int[] rows;
        private final SplittableRandom random;
        private int next;

        private Deck(int[] rows, SplittableRandom random) {
            this.rows = rows;
            this.random = random;
        }

        private int next() {
            if (next % rows.length == 0) {
                next = 0;
                ShuffleSampler.shuffle(rows, random);
            }
            return rows[next++];
        }
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "Sampler");
    }
}

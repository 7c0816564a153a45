package io.emtal.samples.table;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.multitask.MultiTask;
import io.emtal.tribuo.multitask.MultiTaskFactory;
import io.emtal.tribuo.table.Column;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.IntStream;
import org.tribuo.OutputFactory;

/**
 * The targets as one {@link MultiTask}, without those whose cells are empty: a numeric target is a real task, one with the
 * values 0 and 1 a binary task, another nominal one a categorical task. Numeric targets can be cut into classes, and labels
 * removed.
 *
 * <p>A cut is part of what the task is, and so made at quantiles of all rows of the table. Classes are named
 * {@code q1}, {@code q2}, ... from the least numbers to the greatest.
 */
public final class MultiTaskTargets implements TargetView<MultiTask> {
    private static final MultiTaskFactory FACTORY = new MultiTaskFactory();

    private final Table table;
    private final Map<Integer, double[]> cuts;
    private final boolean[][] removed;

    private MultiTaskTargets(Table table, Map<Integer, double[]> cuts, boolean[][] removed) {
        this.table = table;
        this.cuts = Map.copyOf(cuts);
        this.removed = removed;
    }

    /**
     * All targets as they are.
     *
     * @param table the table
     */
    public MultiTaskTargets(Table table) {
        this(table, Map.of(), new boolean[table.schema().targets().size()][table.rows()]);
    }

    /**
     * Whether a target can be cut into classes.
     *
     * @param target the target's place in the schema
     * @param classes how many classes, 2 or more
     * @return whether {@link #cut} does not refuse it
     */
    public boolean canCut(int target, int classes) {
        if (table.schema().targets().get(target).type() != Column.Type.NUMERIC) {
            return false;
        }
        double[] sorted = sorted(target);
        return sorted.length >= classes && areApart(quantiles(sorted, classes), sorted);
    }

    private double[] sorted(int target) {
        return IntStream.range(0, table.rows()).filter(row -> table.hasTarget(target, row))
                .mapToDouble(row -> table.target(target, row)).sorted().toArray();
    }

    private static double[] quantiles(double[] sorted, int classes) {
        return IntStream.range(1, classes).mapToDouble(i -> sorted[(int) ((long) i * sorted.length / classes)]).toArray();
    }

    private static boolean areApart(double[] cut, double[] sorted) {
        return Arrays.stream(cut).distinct().count() == cut.length && cut[0] > sorted[0];
    }

    /**
     * Cuts a numeric target into classes.
     *
     * @param target the target's place in the schema
     * @param classes how many classes, 2 or more; each gets about the same number of rows
     * @return the targets with that one categorical
     * @throws EmtalException if the target is not numeric, or so many rows have the same number that a class is empty
     */
    public MultiTaskTargets cut(int target, int classes) {
        Column column = table.schema().targets().get(target);
        EmtalException.check(column.type() == Column.Type.NUMERIC,
                "Target %s is nominal; only a numeric one can be cut", Quoted.of(column.name()));
        EmtalException.check(classes >= 2, "%d classes; allowed are 2 and more", classes);
        double[] sorted = sorted(target);
        EmtalException.check(sorted.length >= classes, "Target %s has a value in %d rows; %d classes need one each",
                Quoted.of(column.name()), sorted.length, classes);
        double[] cut = quantiles(sorted, classes);
        EmtalException.check(areApart(cut, sorted), "Target %s cannot be cut into %d classes at its quantiles %s: too many"
                + " rows have the same number", Quoted.of(column.name()), classes, Arrays.toString(cut));
        Map<Integer, double[]> with = new HashMap<>(cuts);
        with.put(target, cut);
        return new MultiTaskTargets(table, with, removed);
    }

    /**
     * Removes labels of all targets at random.
     *
     * @param fraction the fraction of all labels, 0 or more and less than 1
     * @param seed decides which; those of a smaller fraction are among them
     * @return the targets without them
     * @throws EmtalException if the fraction is none such
     */
    public MultiTaskTargets without(double fraction, long seed) {
        return without(IntStream.range(0, removed.length).toArray(), fraction, seed);
    }

    /**
     * Removes labels of one target at random.
     *
     * @param target the target's place in the schema
     * @param fraction the fraction of its labels, 0 or more and less than 1
     * @param seed decides which; those of a smaller fraction are among them
     * @return the targets without them
     * @throws EmtalException if the fraction is none such
     */
    public MultiTaskTargets without(int target, double fraction, long seed) {
        return without(new int[] {target}, fraction, seed);
    }

    private MultiTaskTargets without(int[] targets, double fraction, long seed) {
        EmtalException.check(fraction >= 0 && fraction < 1, "A fraction of %s is missing; allowed are 0 to less than 1",
                fraction);
        int rows = table.rows();
        int[] cells = IntStream.range(0, targets.length * rows).toArray();
        Random random = new Random(seed);
        for (int i = cells.length - 1; i > 0; i--) {
            int j = random.nextInt(i + 1);
            int cell = cells[i];
            cells[i] = cells[j];
            cells[j] = cell;
        }
        boolean[][] without = Arrays.stream(removed).map(boolean[]::clone).toArray(boolean[][]::new);
        for (int i = 0; i < Math.round(fraction * cells.length); i++) {
            without[targets[cells[i] / rows]][cells[i] % rows] = true;
        }
        return new MultiTaskTargets(table, cuts, without);
    }

    /**
     * Where a target is cut.
     *
     * @param target the target's place in the schema
     * @return the least numbers of all classes but the first; none if it is not cut
     */
    public double[] cuts(int target) {
        return cuts.getOrDefault(target, new double[0]).clone();
    }

    @Override
    public OutputFactory<MultiTask> factory() {
        return FACTORY;
    }

    @Override
    public MultiTask output(int row) {
        List<Column> targets = table.schema().targets();
        MultiTask.Builder output = MultiTask.builder();
        for (int target = 0; target < targets.size(); target++) {
            if (!removed[target][row] && table.hasTarget(target, row)) {
                add(output, targets.get(target), table.target(target, row), cuts(target));
            }
        }
        return output.build();
    }

    private static void add(MultiTask.Builder output, Column target, double cell, double[] cut) {
        if (cut.length > 0) {
            output.categorical(target.name(), "q" + (1 + Arrays.stream(cut).filter(least -> cell >= least).count()));
            return;
        }
        switch (target.type()) {
            case NUMERIC -> output.real(target.name(), cell);
            case BINARY -> output.binary(target.name(), cell == 1);
            case NOMINAL -> output.categorical(target.name(), target.values().get((int) cell));
        }
    }
}

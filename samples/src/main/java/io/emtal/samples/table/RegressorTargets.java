package io.emtal.samples.table;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.table.Column;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.tribuo.OutputFactory;
import org.tribuo.Prediction;
import org.tribuo.regression.RegressionFactory;
import org.tribuo.regression.Regressor;
import org.tribuo.util.MeanVarianceAccumulator;

/** Numeric targets as one {@link Regressor}, as they are or standardised. */
public final class RegressorTargets implements TargetView<Regressor> {
    private static final RegressionFactory FACTORY = new RegressionFactory();

    private final Table table;
    private final int[] targets;
    private final String[] names;
    private final double[] mean;
    private final double[] deviation;

    private RegressorTargets(Table table, int[] targets, double[] mean, double[] deviation) {
        this.table = table;
        this.targets = targets;
        this.names = names(table, targets);
        this.mean = mean;
        this.deviation = deviation;
    }

    /**
     * The targets as they are in the file.
     *
     * @param table the table
     * @throws EmtalException if its targets are not numeric
     */
    public RegressorTargets(Table table) {
        this(table, all(table), new double[all(table).length], filled(all(table).length));
    }

    /**
     * The targets, each centred and divided by its standard deviation on the training rows. A target that is constant
     * there is only centred.
     *
     * @param table the table
     * @param rows the training rows
     * @return the view
     * @throws EmtalException if the table's targets are not numeric, or so large that a variance overflows
     */
    public static RegressorTargets standardised(Table table, int[] rows) {
        return standardised(table, all(table), rows);
    }

    /**
     * One target, centred and divided by its standard deviation on the training rows.
     *
     * @param table the table
     * @param target the target's place in the schema
     * @param rows the training rows, which have the target
     * @return the view
     * @throws EmtalException if the target is not numeric, or so large that its variance overflows
     */
    public static RegressorTargets standardised(Table table, int target, int[] rows) {
        return standardised(table, new int[] {target}, rows);
    }

    private static RegressorTargets standardised(Table table, int[] targets, int[] rows) {
        String[] names = names(table, targets);
        double[] mean = new double[names.length];
        double[] deviation = filled(names.length);
        for (int target = 0; target < names.length; target++) {
            MeanVarianceAccumulator seen = new MeanVarianceAccumulator();
            for (int row : rows) {
                seen.observe(table.target(targets[target], row));
            }
            mean[target] = seen.getMean();
            if (seen.getMin() < seen.getMax()) {
                deviation[target] = seen.getStdDev();
            }
            EmtalException.check(Double.isFinite(deviation[target]) && deviation[target] > 0,
                    "Target %s runs from %s to %s; such numbers cannot be standardised", Quoted.of(names[target]),
                    seen.getMin(), seen.getMax());
        }
        return new RegressorTargets(table, targets, mean, deviation);
    }

    private static int[] all(Table table) {
        return IntStream.range(0, table.schema().targets().size()).toArray();
    }

    private static String[] names(Table table, int[] targets) {
        List<Column> columns = IntStream.of(targets).mapToObj(table.schema().targets()::get).toList();
        EmtalException.check(Kind.REGRESSION.fits(columns), "%s has nominal targets; numeric ones are needed",
                table.schema().name());
        return columns.stream().map(Column::name).toArray(String[]::new);
    }

    private static double[] filled(int length) {
        double[] ones = new double[length];
        Arrays.fill(ones, 1);
        return ones;
    }

    @Override
    public OutputFactory<Regressor> factory() {
        return FACTORY;
    }

    @Override
    public Regressor output(int row) {
        double[] values = new double[names.length];
        for (int target = 0; target < values.length; target++) {
            values[target] = (table.target(targets[target], row) - mean[target]) / deviation[target];
        }
        return new Regressor(names, values);
    }

    @Override
    public Prediction<Regressor> restore(Prediction<Regressor> predicted) {
        double[] values = new double[names.length];
        for (int target = 0; target < values.length; target++) {
            values[target] = value(predicted.getOutput(), names[target]) * deviation[target] + mean[target];
        }
        return new Prediction<>(new Regressor(names, values), predicted.getNumActiveFeatures(),
                predicted.getExample());
    }

    /**
     * One target of an output.
     *
     * @param output the output
     * @param target the target's name
     * @return its value
     * @throws EmtalException if the output has no such target
     */
    public static double value(Regressor output, String target) {
        return output.getDimension(target)
                .orElseThrow(() -> new EmtalException("Target " + Quoted.of(target) + " is missing in " + output))
                .getValue();
    }
}

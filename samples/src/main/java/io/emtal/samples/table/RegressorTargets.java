package io.emtal.samples.table;

import io.emtal.onnx.EmtalException;
import java.util.Arrays;
import java.util.List;
import org.tribuo.OutputFactory;
import org.tribuo.Prediction;
import org.tribuo.regression.RegressionFactory;
import org.tribuo.regression.Regressor;
import org.tribuo.util.MeanVarianceAccumulator;

/** Numeric targets as one {@link Regressor}, as they are or standardised. */
public final class RegressorTargets implements TargetView<Regressor> {
    private static final RegressionFactory FACTORY = new RegressionFactory();

    private final Table table;
    private final String[] names;
    private final double[] mean;
    private final double[] deviation;

    private RegressorTargets(Table table, double[] mean, double[] deviation) {
        this.table = table;
        this.names = names(table);
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
        this(table, new double[names(table).length], filled(names(table).length));
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
        String[] names = names(table);
        double[] mean = new double[names.length];
        double[] deviation = filled(names.length);
        for (int target = 0; target < names.length; target++) {
            MeanVarianceAccumulator seen = new MeanVarianceAccumulator();
            for (int row : rows) {
                seen.observe(table.target(target, row));
            }
            mean[target] = seen.getMean();
            if (seen.getMin() < seen.getMax()) {
                deviation[target] = seen.getStdDev();
            }
            EmtalException.check(Double.isFinite(deviation[target]) && deviation[target] > 0,
                    "Target %s runs from %s to %s; such numbers cannot be standardised", Text.quote(names[target]),
                    seen.getMin(), seen.getMax());
        }
        return new RegressorTargets(table, mean, deviation);
    }

    private static String[] names(Table table) {
        List<Column> targets = table.schema().targets();
        EmtalException.check(table.schema().kind() == Kind.REGRESSION,
                "%s has nominal targets; numeric ones are needed", table.schema().name());
        return targets.stream().map(Column::name).toArray(String[]::new);
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
            values[target] = (table.target(target, row) - mean[target]) / deviation[target];
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
                .orElseThrow(() -> new EmtalException("Target " + Text.quote(target) + " is missing in " + output))
                .getValue();
    }
}

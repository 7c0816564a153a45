package io.emtal.samples.table;

import io.emtal.onnx.EmtalException;
import io.emtal.onnx.Quoted;
import io.emtal.tribuo.table.Column;
import java.util.ArrayList;
import java.util.List;
import org.tribuo.Example;
import org.tribuo.Output;
import org.tribuo.impl.ArrayExample;
import org.tribuo.util.MeanVarianceAccumulator;

/**
 * The features as linear models, neighbours and trees want them: numbers, and one indicator for each value of a
 * nominal feature, each centred and divided by its standard deviation on the training rows. A missing cell has the
 * mean of the training rows, which is 0. What is constant on the training rows is left out.
 */
public final class StandardisedFeatures implements FeatureView {
    private final Table table;
    private final List<Input> inputs;
    private final String[] names;

    /**
     * One input of the models.
     *
     * @param column the feature that it is made of
     * @param value the nominal value that it indicates, or -1 for a number
     */
    private record Input(String name, int column, int value, double mean, double deviation) {
    }

    private StandardisedFeatures(Table table, List<Input> inputs) {
        this.table = table;
        this.inputs = List.copyOf(inputs);
        this.names = inputs.stream().map(Input::name).toArray(String[]::new);
    }

    /**
     * Learns means and standard deviations.
     *
     * @param table the table
     * @param rows the training rows
     * @return the view
     * @throws EmtalException if every feature is constant on these rows, or so large that its variance overflows
     */
    public static StandardisedFeatures fit(Table table, int[] rows) {
        List<Input> inputs = new ArrayList<>();
        for (int column = 0; column < table.schema().features().size(); column++) {
            List<String> names = NaturalFeatures.names(table.schema().features().get(column));
            boolean numeric = table.schema().features().get(column).type() == Column.Type.NUMERIC;
            for (int i = 0; i < names.size(); i++) {
                int value = numeric ? -1 : i;
                MeanVarianceAccumulator seen = new MeanVarianceAccumulator();
                for (int row : rows) {
                    double cell = table.feature(column, row);
                    if (!Double.isNaN(cell)) {
                        seen.observe(raw(cell, value));
                    }
                }
                if (seen.getCount() > 0 && seen.getMin() < seen.getMax()) {
                    EmtalException.check(Double.isFinite(seen.getVariance()) && seen.getStdDev() > 0,
                            "Feature %s runs from %s to %s; such numbers cannot be standardised",
                            Quoted.of(names.get(i)), seen.getMin(), seen.getMax());
                    inputs.add(new Input(names.get(i), column, value, seen.getMean(), seen.getStdDev()));
                }
            }
        }
        EmtalException.check(!inputs.isEmpty(), "%s: every feature is constant on the %d training rows",
                table.schema().name(), rows.length);
        return new StandardisedFeatures(table, inputs);
    }

    /**
     * The number of inputs that a model has on this view.
     *
     * @return the number
     */
    public int width() {
        return names.length;
    }

    @Override
    public <T extends Output<T>> Example<T> example(int row, T output) {
        double[] values = new double[names.length];
        for (int i = 0; i < values.length; i++) {
            Input input = inputs.get(i);
            double cell = table.feature(input.column, row);
            values[i] = Double.isNaN(cell) ? 0 : (raw(cell, input.value) - input.mean) / input.deviation;
        }
        return new ArrayExample<>(output, names, values);
    }

    private static double raw(double cell, int value) {
        return value < 0 ? cell : (int) cell == value ? 1 : 0;
    }
}

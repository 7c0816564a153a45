package io.emtal.tribuo.comparison;

import org.tribuo.util.MeanVarianceAccumulator;

import java.util.Locale;
import java.util.OptionalDouble;
import java.util.stream.DoubleStream;

/**
 * A number over seeds.
 *
 * @param count how many seeds have it
 * @param mean the mean; nothing without a seed
 * @param deviation the sample standard deviation; nothing with fewer than two seeds
 */
public record Spread(long count, OptionalDouble mean, OptionalDouble deviation) {

    static Spread of(DoubleStream values) {
        MeanVarianceAccumulator seen = new MeanVarianceAccumulator();
        values.forEach(seen::observe);
        return new Spread(seen.getCount(),
                seen.getCount() < 1 ? OptionalDouble.empty() : OptionalDouble.of(seen.getMean()),
                seen.getCount() < 2 ? OptionalDouble.empty() : OptionalDouble.of(seen.getStdDev()));
    }

    /**
     * Writes mean and deviation.
     *
     * @param format the format of a number, as in {@link String#format}
     * @return the mean and, where there is one, the deviation in brackets; "-" without a mean
     */
    String toText(String format) {
        if (mean.isEmpty()) {
            return "-";
        }
        String text = String.format(Locale.ROOT, format, mean.getAsDouble());
        return deviation.isEmpty() ? text
                : text + String.format(Locale.ROOT, " (" + format.replace("+", "") + ")", deviation.getAsDouble());
    }
}

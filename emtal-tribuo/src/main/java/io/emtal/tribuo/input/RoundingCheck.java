package io.emtal.tribuo.input;

import io.emtal.onnx.Quoted;

import java.util.Arrays;
import java.util.List;
import java.util.function.IntFunction;
import java.util.logging.Logger;
import java.util.stream.IntStream;

/** Finds features of which rounding to single precision takes more than a small part of their values' range. */
public final class RoundingCheck {

    private static final Logger LOGGER = Logger.getLogger(RoundingCheck.class.getName());

    /** A range of values below as many times what rounding changes one of them is worth a warning. */
    private static final int ROUNDINGS = 256;
    /** The most features that a warning names. */
    private static final int NAMED = 10;

    private final double[] least;
    private final double[] most;
    private final double[] rounding;

    /**
     * Starts without a value.
     *
     * @param features how many features there are
     */
    public RoundingCheck(int features) {
        least = new double[features];
        most = new double[features];
        rounding = new double[features];
        Arrays.fill(least, Double.POSITIVE_INFINITY);
        Arrays.fill(most, Double.NEGATIVE_INFINITY);
    }

    /**
     * Takes a value in.
     *
     * @param feature which feature has it, from 0
     * @param value the value before it is rounded; not-a-number, where it is missing, changes nothing
     */
    public void observe(int feature, double value) {
        if (!Double.isNaN(value)) {
            least[feature] = Math.min(least[feature], value);
            most[feature] = Math.max(most[feature], value);
            rounding[feature] = Math.max(rounding[feature], Math.abs(value - (float) value));
        }
    }

    /**
     * Logs a warning if there are such features.
     *
     * @param names the features' names
     */
    public void warn(IntFunction<String> names) {
        List<String> coarse = IntStream.range(0, rounding.length)
                .filter(i -> most[i] > least[i] && most[i] - least[i] < ROUNDINGS * rounding[i])
                .mapToObj(i -> Quoted.of(names.apply(i))).toList();
        if (!coarse.isEmpty()) {
            LOGGER.warning("Found " + coarse.size() + " features whose values differ too little beside their size for"
                    + " single precision, in which a network reads them; subtract an offset from them: "
                    + coarse.subList(0, Math.min(coarse.size(), NAMED)) + (coarse.size() > NAMED ? " and others" : ""));
        }
    }
}

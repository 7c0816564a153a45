package io.emtal.onnx.train;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenancable;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;

import java.util.Optional;

/** A learning rate that rises linearly to its peak, then falls along half a cosine to its minimum. */
public final class CosineSchedule implements Configurable, Provenancable<ConfiguredObjectProvenance> {

    @Config(description = "The highest learning rate.")
    private double peak = 1e-3;

    @Config(description = "The last learning rate.")
    private double minimum = 1e-5;

    @Config(description = "The fraction of all steps over which the learning rate rises.")
    private double warmUp = 0.1;

    /** For OLCUT, and the defaults. */
    public CosineSchedule() {
    }

    /**
     * Sets everything.
     *
     * @param peak the highest learning rate, above 0
     * @param minimum the last learning rate, 0 up to the peak
     * @param warmUp the fraction of all steps over which the learning rate rises, 0 up to, not including, 1
     * @throws EmtalException if a value is out of its range
     */
    public CosineSchedule(double peak, double minimum, double warmUp) {
        this.peak = peak;
        this.minimum = minimum;
        this.warmUp = warmUp;
        invalid().ifPresent(message -> {
            throw new EmtalException(message);
        });
    }

    @Override
    public void postConfig() {
        invalid().ifPresent(message -> {
            throw new PropertyException("", "CosineSchedule", message);
        });
    }

    private Optional<String> invalid() {
        boolean valid = peak > 0 && Double.isFinite(peak) && minimum >= 0 && minimum <= peak && warmUp >= 0 && warmUp < 1;
        return valid ? Optional.empty() : Optional.of("CosineSchedule: found peak " + peak + ", minimum " + minimum
                + ", warmUp " + warmUp + "; allowed are 0 <= minimum <= peak, 0 < peak, 0 <= warmUp < 1");
    }

    /**
     * The learning rate of a step.
     *
     * @param step the step, from 1
     * @param steps the number of all steps
     * @return above 0
     */
    public double rate(int step, int steps) {
        double rising = Math.max(1, warmUp * steps);
        if (step <= rising) {
            return peak * step / rising;
        }
        double progress = (step - rising) / Math.max(1, steps - rising);
        return minimum + (peak - minimum) * 0.5 * (1 + Math.cos(Math.PI * progress));
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "Schedule");
    }
}

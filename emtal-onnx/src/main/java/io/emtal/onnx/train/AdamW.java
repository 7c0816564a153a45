package io.emtal.onnx.train;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenancable;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;
import io.emtal.onnx.graph.Parameter;

import java.io.IOException;
import java.util.List;
import java.util.Optional;

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv 1711.05101), after clipping the gradient's
 * global norm. Decay applies to the parameters that ask for it, in proportion to the learning rate.
 */
public final class AdamW implements Configurable, Provenancable<ConfiguredObjectProvenance> {

    @Config(description = "Decay of the first moment.")
    private double beta1 = 0.9;

    @Config(description = "Decay of the second moment.")
    private double beta2 = 0.999;

    @Config(description = "Added to the root of the second moment.")
    private double epsilon = 1e-8;

    @Config(description = "Weight decay, of matrices only.")
    private double weightDecay = 0.05;

    @Config(description = "The largest global norm of a gradient; longer ones are scaled down. 0 for no limit.")
    private double clipNorm = 1;

    /** For OLCUT, and the defaults. */
    public AdamW() {
    }

    /**
     * Sets everything.
     *
     * @param beta1 decay of the first moment, 0 up to, not including, 1
     * @param beta2 decay of the second moment, 0 up to, not including, 1
     * @param epsilon added to the root of the second moment, above 0
     * @param weightDecay 0 or more
     * @param clipNorm the largest global norm of a gradient, 0 for no limit
     * @throws EmtalException if a value is out of its range
     */
    public AdamW(double beta1, double beta2, double epsilon, double weightDecay, double clipNorm) {
        this.beta1 = beta1;
        this.beta2 = beta2;
        this.epsilon = epsilon;
        this.weightDecay = weightDecay;
        this.clipNorm = clipNorm;
        invalid().ifPresent(message -> {
            throw new EmtalException(message);
        });
    }

    /**
     * The defaults with another weight decay.
     *
     * @param weightDecay 0 or more
     * @return the optimiser
     */
    public AdamW withWeightDecay(double weightDecay) {
        return new AdamW(beta1, beta2, epsilon, weightDecay, clipNorm);
    }

    @Override
    public void postConfig() {
        invalid().ifPresent(message -> {
            throw new PropertyException("", "AdamW", message);
        });
    }

    private Optional<String> invalid() {
        boolean valid = beta1 >= 0 && beta1 < 1 && beta2 >= 0 && beta2 < 1 && epsilon > 0 && weightDecay >= 0 && clipNorm >= 0
                && Double.isFinite(epsilon + weightDecay + clipNorm);
        return valid ? Optional.empty() : Optional.of("AdamW: found beta1 " + beta1 + ", beta2 " + beta2 + ", epsilon "
                + epsilon + ", weightDecay " + weightDecay + ", clipNorm " + clipNorm + "; allowed are betas from 0 up to, not"
                + " including, 1, epsilon above 0, the others 0 or more");
    }

    /**
     * Starts optimising.
     *
     * @param parameters the parameters in the order in which their values and gradients lie
     * @return a state without steps
     */
    public State start(List<Parameter> parameters) {
        return new State(parameters);
    }

    /** Moments of a flat vector of parameters. Not thread-safe. */
    public final class State {

        private final float[] first;
        private final float[] second;
        private final int[] ends;
        private final float[] decays;
        private final float[] factors;
        private int steps;

        private State(List<Parameter> parameters) {
            int size = parameters.stream().mapToInt(Parameter::size).sum();
            first = new float[size];
            second = new float[size];
            ends = new int[parameters.size()];
            decays = new float[parameters.size()];
            factors = new float[parameters.size()];
            int end = 0;
            for (int i = 0; i < ends.length; i++) {
                Parameter parameter = parameters.get(i);
                end += parameter.size();
                ends[i] = end;
                decays[i] = parameter.decay() ? (float) weightDecay : 0;
                factors[i] = (float) parameter.learningRateFactor();
            }
        }

        /**
         * Takes one step, unless the gradient is not finite.
         *
         * @param values the parameters, changed in place
         * @param gradient the gradient, not changed
         * @param learningRate the schedule's learning rate
         * @return the gradient's global norm before clipping; nothing has changed if it is not finite
         */
        public double step(float[] values, float[] gradient, double learningRate) {
            double norm = norm(gradient);
            if (!Double.isFinite(norm)) {
                return norm;
            }
            steps++;
            float scale = clipNorm > 0 && norm > clipNorm ? (float) (clipNorm / norm) : 1;
            float b1 = (float) beta1;
            float b2 = (float) beta2;
            double correction = Math.sqrt(1 - Math.pow(beta2, steps));
            double rate = learningRate * correction / (1 - Math.pow(beta1, steps));
            float eps = (float) (epsilon * correction);
            int start = 0;
            for (int p = 0; p < ends.length; p++) {
                float stepSize = (float) rate * factors[p];
                float keep = 1 - (float) learningRate * factors[p] * decays[p];
                for (int i = start; i < ends[p]; i++) {
                    float g = gradient[i] * scale;
                    float m = b1 * first[i] + (1 - b1) * g;
                    float v = b2 * second[i] + (1 - b2) * g * g;
                    first[i] = m;
                    second[i] = v;
                    values[i] = keep * values[i] - stepSize * m / ((float) Math.sqrt(v) + eps);
                }
                start = ends[p];
            }
            return norm;
        }

        /** In four sums, which a processor adds at once. */
        private static double norm(float[] gradient) {
            double first = 0;
            double second = 0;
            double third = 0;
            double fourth = 0;
            int i = 0;
            for (; i + 3 < gradient.length; i += 4) {
                first += (double) gradient[i] * gradient[i];
                second += (double) gradient[i + 1] * gradient[i + 1];
                third += (double) gradient[i + 2] * gradient[i + 2];
                fourth += (double) gradient[i + 3] * gradient[i + 3];
            }
            for (; i < gradient.length; i++) {
                first += (double) gradient[i] * gradient[i];
            }
            return Math.sqrt(first + second + (third + fourth));
        }

        /** Writes moments and steps. */
        void write(StateOutput output) throws IOException {
            output.write(steps);
            output.write(first);
            output.write(second);
        }

        /** Takes over what was written. */
        void read(StateInput input) throws IOException {
            steps = input.readInt();
            input.readInto("first moments", first);
            input.readInto("second moments", second);
        }
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "Optimiser");
    }
}

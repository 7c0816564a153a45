package io.emtal.onnx.train;

import com.oracle.labs.mlrg.olcut.config.Config;
import com.oracle.labs.mlrg.olcut.config.Configurable;
import com.oracle.labs.mlrg.olcut.config.PropertyException;
import com.oracle.labs.mlrg.olcut.provenance.ConfiguredObjectProvenance;
import com.oracle.labs.mlrg.olcut.provenance.Provenancable;
import com.oracle.labs.mlrg.olcut.provenance.impl.ConfiguredObjectProvenanceImpl;
import io.emtal.onnx.EmtalException;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * Where and how often a training saves its state, so that it can go on after the process has ended in whatever way. The
 * next training with this directory goes on from the last checkpoint and ends with the bits of a training that was never
 * interrupted, on the same type of machine and with the same release of ONNX Runtime. A training of something else, by
 * backbone, rows, tasks, configuration, seed or workers, is refused, and so is a second process.
 *
 * <p>A checkpoint is written to a file of another name, forced to the disk and then renamed: an older one stays whole
 * until the new one is. One that is damaged is set aside with a warning, and the one before it is used. If a checkpoint
 * cannot be written, the training fails. Checkpoints stay when a training has ended; a training of the same is done at
 * once then.
 *
 * <p>A phase has a directory of its own below this one.
 */
public final class Checkpoints implements Configurable, Provenancable<ConfiguredObjectProvenance> {

    @Config(mandatory = true, description = "The directory of the checkpoints; made if there is none.")
    private Path directory;

    @Config(description = "Steps from one checkpoint to the next; 0 for no limit.")
    private int everySteps = 0;

    @Config(description = "Minutes from one checkpoint to the next; 0 for no limit.")
    private double everyMinutes = 10;

    @Config(description = "How many checkpoints of a phase are kept, the latest ones.")
    private int keep = 2;

    private Checkpoints() {
    }

    /**
     * Checkpoints every ten minutes, of which two are kept.
     *
     * @param directory the directory of the checkpoints; made if there is none
     * @return the setting
     */
    public static Checkpoints in(Path directory) {
        return builder(directory).build();
    }

    /**
     * Starts from the defaults.
     *
     * @param directory the directory of the checkpoints; made if there is none
     * @return a builder
     */
    public static Builder builder(Path directory) {
        return new Builder(directory);
    }

    /** Sets what differs from the defaults. */
    public static final class Builder {

        private final List<Consumer<Checkpoints>> settings = new ArrayList<>();

        private Builder(Path directory) {
            Objects.requireNonNull(directory, "directory");
            set(made -> made.directory = directory);
        }

        private Builder set(Consumer<Checkpoints> setting) {
            settings.add(setting);
            return this;
        }

        /**
         * Sets the steps from one checkpoint to the next.
         *
         * @param everySteps 1 or more; 0 for no limit
         * @return this builder
         */
        public Builder everySteps(int everySteps) {
            return set(made -> made.everySteps = everySteps);
        }

        /**
         * Sets the time from one checkpoint to the next.
         *
         * @param everyMinutes above 0; 0 for no limit
         * @return this builder
         */
        public Builder everyMinutes(double everyMinutes) {
            return set(made -> made.everyMinutes = everyMinutes);
        }

        /**
         * Sets how many checkpoints of a phase are kept.
         *
         * @param keep 1 or more
         * @return this builder
         */
        public Builder keep(int keep) {
            return set(made -> made.keep = keep);
        }

        /**
         * Makes the setting.
         *
         * @return the setting
         * @throws EmtalException if a value is out of its range
         */
        public Checkpoints build() {
            Checkpoints made = new Checkpoints();
            settings.forEach(setting -> setting.accept(made));
            made.invalid().ifPresent(message -> {
                throw new EmtalException(message);
            });
            return made;
        }
    }

    @Override
    public void postConfig() {
        invalid().ifPresent(message -> {
            throw new PropertyException("", "Checkpoints", message);
        });
    }

    private Optional<String> invalid() {
        boolean valid = everySteps >= 0 && everyMinutes >= 0 && Double.isFinite(everyMinutes) && keep >= 1
                && everySteps + everyMinutes > 0;
        return valid ? Optional.empty() : Optional.of("Checkpoints: found everySteps " + everySteps + ", everyMinutes "
                + everyMinutes + ", keep " + keep + "; allowed are steps and minutes of 0 or more, one of them above 0, and"
                + " keep of 1 or more");
    }

    /**
     * The same setting for one of several trainings.
     *
     * @param name the name of a directory below this one
     * @return a setting with that directory
     */
    public Checkpoints below(String name) {
        return builder(directory.resolve(name)).everySteps(everySteps).everyMinutes(everyMinutes).keep(keep).build();
    }

    /**
     * The directory of the checkpoints.
     *
     * @return the directory, which need not exist
     */
    public Path directory() {
        return directory;
    }

    /**
     * How many checkpoints of a phase are kept.
     *
     * @return 1 or more
     */
    public int keep() {
        return keep;
    }

    /**
     * Whether a checkpoint is to be written.
     *
     * @param step the step that was done last
     * @param seconds the time since the last checkpoint
     */
    boolean isDue(int step, double seconds) {
        return everySteps > 0 && step % everySteps == 0 || everyMinutes > 0 && seconds >= 60 * everyMinutes;
    }

    @Override
    public ConfiguredObjectProvenance getProvenance() {
        return new ConfiguredObjectProvenanceImpl(this, "Checkpoints");
    }
}

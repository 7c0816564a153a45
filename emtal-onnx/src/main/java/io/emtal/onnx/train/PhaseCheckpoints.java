package io.emtal.onnx.train;

import io.emtal.onnx.EmtalException;

import java.io.IOException;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Supplier;
import java.util.logging.Logger;

/** Saves the state of a phase when that is due, and gives it back; does nothing where no checkpoints are wanted. */
final class PhaseCheckpoints implements AutoCloseable {

    private static final Logger LOGGER = Logger.getLogger(PhaseCheckpoints.class.getName());

    private final Optional<Checkpoints> settings;
    private final Optional<CheckpointDirectory> directory;
    private long savedNanos = System.nanoTime();

    private PhaseCheckpoints(Optional<Checkpoints> settings, Optional<CheckpointDirectory> directory) {
        this.settings = settings;
        this.directory = directory;
    }

    /**
     * Opens the phase's directory below that of the training, if there is one.
     *
     * @param settings where checkpoints go; empty for none
     * @param phase the phase
     * @param identity whose checkpoints they are; not asked for unless they are wanted
     */
    static PhaseCheckpoints open(Optional<Checkpoints> settings, Phase phase, Supplier<TrainingIdentity> identity) {
        return new PhaseCheckpoints(settings, settings.map(s -> CheckpointDirectory.open(
                s.directory().resolve(phase.name().toLowerCase(Locale.ROOT)), s.keep(), identity.get())));
    }

    /** Whether checkpoints are wanted. */
    boolean wanted() {
        return directory.isPresent();
    }

    /**
     * Checks that the disk has room.
     *
     * @param bytes the size of a checkpoint
     * @throws EmtalException if those that are kept, and a new one, do not fit
     */
    void checkRoom(long bytes) {
        directory.ifPresent(d -> d.checkRoom(bytes));
    }

    /**
     * Takes over the state of the latest checkpoint.
     *
     * @param state the state before the first step, overwritten
     * @return whether there is a checkpoint
     */
    boolean restore(PhaseState state) {
        Optional<StateInput> latest = directory.flatMap(CheckpointDirectory::latest);
        if (latest.isEmpty()) {
            return false;
        }
        try (StateInput input = latest.get()) {
            state.read(input);
            LOGGER.info(() -> "The training goes on from " + input.name());
            return true;
        } catch (IOException e) {
            throw new EmtalException(latest.get().name() + ": the checkpoint cannot be read: " + e, e);
        }
    }

    /** Saves the state if it is time to. */
    void stepped(PhaseState state) {
        if (settings.isPresent() && settings.get().isDue(state.steps(), (System.nanoTime() - savedNanos) * 1e-9)) {
            save(state);
        }
    }

    /** Saves the state. */
    void save(PhaseState state) {
        directory.ifPresent(d -> d.save(state.steps(), state::write));
        savedNanos = System.nanoTime();
    }

    /**
     * Saves the last good state of a training that fails.
     *
     * @param failure why it fails; hears of a failure to save
     */
    void keep(PhaseState state, RuntimeException failure) {
        try {
            directory.ifPresent(d -> LOGGER.warning("The state after step " + state.steps() + " is kept in "
                    + d.save(state.steps(), state::write)));
        } catch (EmtalException e) {
            failure.addSuppressed(e);
        }
    }

    @Override
    public void close() {
        directory.ifPresent(CheckpointDirectory::close);
    }
}

package io.emtal.onnx.train;

/** Hears of a training's progress, on the training's thread. An exception that it throws ends the training. */
public interface TrainingListener {

    /** Hears nothing. */
    TrainingListener NONE = new TrainingListener() {
    };

    /**
     * After each step.
     *
     * @param event what happened
     */
    default void step(StepEvent event) {
    }

    /**
     * After each epoch.
     *
     * @param epoch what it came to
     */
    default void epoch(EpochRecord epoch) {
    }
}

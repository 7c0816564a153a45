package io.emtal.onnx.train;

import io.emtal.onnx.task.TaskLayout;

/**
 * Hears of a training's progress, on the training's thread. An exception that it throws ends the training. Of a training
 * that goes on from a checkpoint it hears what comes after that.
 */
public interface TrainingListener {

    /** Hears nothing. */
    TrainingListener NONE = new TrainingListener() {
    };

    /**
     * Before the first step.
     *
     * @param tasks the tasks whose losses steps and epochs report, in this order
     */
    default void start(TaskLayout tasks) {
    }

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

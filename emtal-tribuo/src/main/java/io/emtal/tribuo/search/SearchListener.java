package io.emtal.tribuo.search;

import io.emtal.onnx.train.TrainingListener;

/**
 * Hears of a search's progress, on the threads that train, one call at a time. An exception that it throws ends the search.
 * What it gives hears of one training, on that one's thread: those that are beside each other need listeners of their own
 * or one that is thread-safe.
 */
public interface SearchListener {

    /** Hears nothing. */
    SearchListener NONE = new SearchListener() {
    };

    /**
     * Before a rung.
     *
     * @param rung the rung, from 0
     * @param rungs how many there are
     * @param trials how many configurations it judges
     */
    default void rung(int rung, int rungs, int trials) {
    }

    /**
     * Before a training that judges a configuration.
     *
     * @param candidate which configuration, from 0
     * @param rung the rung, from 0
     * @return hears of the training's progress
     */
    default TrainingListener training(int candidate, int rung) {
        return TrainingListener.NONE;
    }

    /**
     * After the trainings that judge a configuration.
     *
     * @param trial what it came to
     */
    default void trial(Trial trial) {
    }

    /**
     * Before the training of a network of the model.
     *
     * @param candidate its configuration, from 0
     * @param network which, from 0
     * @param networks how many there will be
     * @return hears of the training's progress
     */
    default TrainingListener network(int candidate, int network, int networks) {
        return TrainingListener.NONE;
    }
}

package io.emtal.onnx.train;

import java.util.Map;

/**
 * What happened in one training step.
 *
 * @param phase the phase of the training
 * @param step the step within the phase, from 1
 * @param steps the number of steps of the phase
 * @param learningRate the learning rate of this step
 * @param fade the fade a of this step, 0 to 1
 * @param taskLosses the mean unsmoothed loss of each task over its labelled rows of the batch; not-a-number for a task
 *     without any
 * @param reports vectors that the adaptation shows, by name, averaged over the batch: gates of the router, …
 * @param secondsLeft an estimate of the time until the phase ends
 */
public record StepEvent(Phase phase, int step, int steps, double learningRate, double fade, double[] taskLosses,
                        Map<String, double[]> reports, double secondsLeft) {
}
